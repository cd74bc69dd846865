"""Becomes `nameko …`, as a process that ends with the one that started it, however that ends."""
import os
import signal
import sys

if sys.platform.startswith("linux"):
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

nameko = os.path.join(os.path.dirname(sys.executable), "nameko")
os.execv(nameko, [nameko] + sys.argv[1:])

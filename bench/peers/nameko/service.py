"""The service as people write it with Nameko; `nameko run` with its default settings runs it."""
import os

from nameko.rpc import rpc


class Greeting:
    name = os.environ["CLEW_BENCH_SERVICE"]

    @rpc
    def hello(self, name):
        return "Hello, {}!".format(name)

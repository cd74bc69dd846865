"""Calls the service with Nameko's standalone client, one JSON command a line, one JSON answer a line.

Many calls at a time are as many `call_async()` whose results are waited for in the order in which they
were made: each result that is there makes room for the next call.
"""
import json
import sys
import time
from collections import deque

from nameko.standalone.rpc import ClusterRpcProxy

AMQP_URI, SERVICE = sys.argv[1:3]


def hello(cluster, command):
    return {"result": cluster[SERVICE].hello(command["name"])}


def load(cluster, command):
    method, name = cluster[SERVICE].hello, command["name"]
    took = []
    under_way = deque()

    def begin():
        under_way.append((time.perf_counter(), method.call_async(name)))

    def finish():
        began, reply = under_way.popleft()
        reply.result()
        took.append(time.perf_counter() - began)

    started = time.perf_counter()
    until = started + command["ms"] / 1000
    for _ in range(command["concurrency"]):
        begin()
    while time.perf_counter() < until:
        finish()
        begin()
    while under_way:
        finish()
    return {"tookS": took, "passedS": time.perf_counter() - started}


OPERATIONS = {"hello": hello, "load": load}

with ClusterRpcProxy({"AMQP_URI": AMQP_URI}, timeout=30) as cluster:
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = OPERATIONS[command["op"]](cluster, command)
        except Exception as exc:
            answer = {"failed": repr(exc)}
        print(json.dumps(answer), flush=True)

"""A program that is no service: calls services with Nameko's standalone clients, and speaks AMQP
where a test needs messages that Nameko would never send.

Reads one JSON command a line, prints one JSON answer a line, ends with its standard input.
"""
import base64
import datetime
import decimal
import json
import socket
import sys
import uuid
from functools import reduce

import kombu
from nameko.standalone.events import event_dispatcher

from describe import describe
import interop_errors  # noqa: F401, registers its errors

AMQP_URI = sys.argv[1]
CONFIG = {"AMQP_URI": AMQP_URI}
EXCHANGE = kombu.Exchange("nameko-rpc", type="topic", durable=True)

try:
    from nameko.standalone.rpc import ClusterRpcClient, ServiceRpcClient
    from nameko import config

    config.setup(CONFIG)
    VERSION = 3
except ImportError:
    from nameko.standalone.rpc import ClusterRpcProxy, ServiceRpcProxy

    VERSION = 2

# Context values on which peers' AMQP libraries disagree.
CONTEXTS = {
    "integers": {
        "two_to_31": 2 ** 31,
        "two_to_40": 2 ** 40,
        "two_to_62": 2 ** 62,
        "below": -(2 ** 31) - 1,
        "small": 300,
        "negative": -1,
    },
    "specials": {
        "half": 0.5,
        "yes": True,
        "when": datetime.datetime(2024, 2, 29, 12, 30, 15),
        "decimal": decimal.Decimal("1.5"),
        "text": "größe ☂",
        "empty": "",
    },
    "nested": {
        "table": {"list": [1, {"deep": ["x", 2 ** 33, None]}], "table": {"a": {"b": {"c": 1}}}},
        "__proto__": {"polluted": True},
        "constructor": "no function",
    },
    "nan": {"nan": float("nan"), "infinity": float("inf")},
    "bytes": {"bytes": b"\x00\xff"},
    "deep": {"deep": reduce(lambda inner, _: {"in": inner}, range(12), "bottom"), "flat": 1},
    "large": {"large": "x" * 60000},
    "huge": {"huge": "x" * 110000},
}


def cluster(timeout, context):
    if VERSION == 3:
        return ClusterRpcClient(context_data=context, timeout=timeout)
    return ClusterRpcProxy(CONFIG, context_data=context, timeout=timeout)


def single(service, timeout, context):
    if VERSION == 3:
        return ServiceRpcClient(service, context_data=context, timeout=timeout)
    return ServiceRpcProxy(service, CONFIG, context_data=context, timeout=timeout)


def call(command):
    service, method = command["service"], command["method"]
    args, kwargs = command.get("args", []), command.get("kwargs", {})
    context = dict(CONTEXTS.get(command.get("contexts"), {}), **command.get("context", {}))
    timeout = command.get("timeout", 20)
    try:
        if command.get("client") == "service":
            with single(service, timeout, context) as client:
                result = getattr(client, method)(*args, **kwargs)
        else:
            with cluster(timeout, context) as client:
                result = getattr(client[service], method)(*args, **kwargs)
    except Exception as exc:
        return {"error": describe(exc)}
    return {"result": strict(result), "repr": repr(result)}


def strict(value):
    """The value where JSON has it; repr() tells of the others."""
    try:
        json.dumps(value, allow_nan=False)
        return value
    except (TypeError, ValueError):
        return None


def at_once(command):
    """Several calls of one client, all sent before the first reply is waited for."""
    with cluster(20, {}) as client:
        method = getattr(client[command["service"]], command["method"])
        replies = [method.call_async(*args) for args in command["calls"]]
        return {"result": [reply.result() for reply in replies]}


def publish(command):
    """Publishes a message as it is told; with `ask` it waits for the reply and tells all of it."""
    correlation_id = command.get("correlation_id", str(uuid.uuid4()))
    with kombu.Connection(AMQP_URI) as connection:
        channel = connection.channel()
        properties = dict(command.get("properties", {}))
        replies = []
        if command.get("ask"):
            key = command.get("reply_key", str(uuid.uuid4()))
            queue = kombu.Queue(
                "interop-replies-" + key,
                exchange=EXCHANGE,
                routing_key=key,
                exclusive=True,
                auto_delete=True,
                durable=False,
            )(channel)
            queue.declare()
            queue.consume(callback=replies.append, no_ack=True)
            properties["reply_to"] = key
        if correlation_id is not None:
            properties["correlation_id"] = correlation_id
        message = channel.prepare_message(
            base64.b64decode(command["body"]),
            priority=0,
            content_type=command.get("content_type", "application/json"),
            content_encoding=command.get("content_encoding", "utf-8"),
            headers=command.get("headers"),
            properties=properties,
        )
        channel.basic_publish(
            message, exchange="nameko-rpc", routing_key=command["routing_key"]
        )
        try:
            while command.get("ask") and not replies:
                connection.drain_events(timeout=command.get("timeout", 20))
        except socket.timeout:
            return {"reply": None}
    return {"reply": told(replies[0]) if replies else None}


def dispatch(command):
    """Nameko's standalone event dispatcher."""
    send = event_dispatcher() if VERSION == 3 else event_dispatcher(CONFIG)
    send(command["service"], command["type"], command["payload"])
    return {}


def put(command):
    """Publishes a body as it is to a queue."""
    with kombu.Connection(AMQP_URI) as connection:
        channel = connection.channel()
        message = channel.prepare_message(
            base64.b64decode(command["body"]),
            content_type=command["content_type"],
            content_encoding="utf-8",
            headers=command.get("headers", {}),
        )
        channel.basic_publish(message, exchange="", routing_key=command["queue"])
    return {}


def take(command):
    """The oldest message of a queue, taken out of it; null when there is none."""
    with kombu.Connection(AMQP_URI) as connection:
        message = connection.channel().basic_get(command["queue"], no_ack=True)
        return {"message": told(message) if message is not None else None}


def told(message):
    body = message.body
    return {
        "body": base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode(),
        "properties": dict(message.properties),
    }


def count(command):
    """How many messages wait in a queue that must exist."""
    with kombu.Connection(AMQP_URI) as connection:
        declared = connection.channel().queue_declare(command["queue"], passive=True)
        return {"messages": declared.message_count, "consumers": declared.consumer_count}


def delete(command):
    with kombu.Connection(AMQP_URI) as connection:
        for queue in command["queues"]:
            connection.channel().queue_delete(queue)
    return {}


def about(command):
    return {"wraps": tuple(kombu.VERSION)[:2] >= (5, 3)}


OPERATIONS = {f.__name__: f for f in (call, at_once, publish, dispatch, put, take, count, delete, about)}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = OPERATIONS[request["op"]](request)
    except Exception as exc:
        answer = {"failed": describe(exc)}
    print(json.dumps(answer, default=str), flush=True)

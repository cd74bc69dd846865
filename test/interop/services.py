"""Services as people write them with Nameko: nothing here knows of Clew.

The names of all services begin with CLEW_INTEROP, so that runs beside each other share no queue.
"""
import datetime
import decimal
import os
import uuid

import eventlet
from kombu import Exchange, Queue
from nameko.events import BROADCAST, SERVICE_POOL, SINGLETON, EventDispatcher, event_handler
from nameko.extensions import DependencyProvider
from nameko.messaging import Publisher, consume
from nameko.rpc import RpcProxy, rpc

from describe import describe
from interop_errors import OutOfStock, Unheard

PREFIX = os.environ["CLEW_INTEROP"]


class Received(DependencyProvider):
    """What Nameko made of a request's headers."""

    def get_dependency(self, worker_ctx):
        return {
            "call_id": worker_ctx.call_id,
            "call_id_stack": list(worker_ctx.call_id_stack),
            "context": dict(worker_ctx.context_data),
        }


class Greeter:
    name = PREFIX + "_greeter"

    received = Received()

    @rpc
    def hello(self, name="World", greeting="Hello"):
        return "{}, {}!".format(greeting, name)

    @rpc
    def keywords(self, first, *rest, **named):
        return {"first": first, "rest": rest, "named": named}

    @rpc
    def echo(self, value):
        return value

    @rpc
    def kinds(self):
        return {
            "text": 'größe ☂ 𝄞 "quoted"',
            "int": -7,
            "float": 2.5,
            "long": 2 ** 53 + 1,
            "longer": -(10 ** 30),
            "nan": float("nan"),
            "infinity": [float("inf"), float("-inf")],
            "yes": True,
            "nothing": None,
            "tuple": (1, (2, 3)),
            "keys": {1: "one", "__proto__": {"polluted": True}, "": "empty"},
        }

    @rpc
    def moments(self):
        utc = datetime.timezone.utc
        return {
            "datetime": datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=utc),
            "date": datetime.date(2024, 2, 29),
            "decimal": decimal.Decimal("1.50"),
            "uuid": uuid.UUID("12345678-1234-4678-9234-567812345678"),
        }

    @rpc
    def out_of_stock(self, item):
        raise OutOfStock(item, 7)

    @rpc
    def unheard(self):
        raise Unheard("of this", 7, None, {"deep": [1]})

    @rpc
    def refuse(self):
        raise ValueError("größe ☂")

    @rpc
    def unserializable(self):
        return {"a set": {1}}

    @rpc
    def sleep(self, seconds):
        eventlet.sleep(seconds)
        return "slept"

    @rpc
    def seen(self):
        return self.received


class Relay:
    """Stands between callers and a service written in TypeScript."""

    name = PREFIX + "_relay"

    received = Received()
    typescript = RpcProxy(PREFIX + "_typescript")
    inner = RpcProxy(PREFIX + "_inner")
    nobody = RpcProxy(PREFIX + "_nobody")

    @rpc
    def relay(self, method, *args):
        return getattr(self.typescript, method)(*args)

    @rpc
    def relay_by_keyword(self, method, named):
        return getattr(self.typescript, method)(**named)

    @rpc
    def relay_deeper(self, method, *args):
        return self.inner.relay(method, *args)

    @rpc
    def relay_at_once(self, method, values):
        replies = [getattr(self.typescript, method).call_async(value) for value in values]
        return [reply.result() for reply in replies]

    @rpc
    def catch(self, method, *args):
        try:
            return {"result": getattr(self.typescript, method)(*args)}
        except Exception as exc:
            return {"error": describe(exc)}

    @rpc
    def ask_nobody(self):
        try:
            return {"result": self.nobody.hello()}
        except Exception as exc:
            return {"error": describe(exc)}

    @rpc
    def seen(self):
        return self.received

    @rpc
    def stack_below(self):
        """This service's own stack and that of a TypeScript service it calls."""
        return {"own": self.received["call_id_stack"], "below": self.typescript.seen()}


class Inner:
    """A second Python service, so that two stand in a row."""

    name = PREFIX + "_inner"

    typescript = RpcProxy(PREFIX + "_typescript")

    @rpc
    def relay(self, method, *args):
        return getattr(self.typescript, method)(*args)


class Shared:
    """A replica of a service that has one written in TypeScript too."""

    name = PREFIX + "_shared"

    @rpc
    def who(self, seconds=0.005):
        eventlet.sleep(seconds)
        return "python"

    @rpc
    def hold(self, victim):
        """A replica that is to be killed holds on to the call, the other one answers."""
        if victim != "python":
            return "python"
        print("holding")
        while True:
            eventlet.sleep(60)


class Tally:
    """What this process has handled, by the handlers' names: its workers come and go."""

    lists = {}

    @classmethod
    def note(cls, handler, payload):
        cls.lists.setdefault(handler, []).append(payload)


class Events:
    """Dispatches events of its own and handles those of a service written in TypeScript."""

    name = PREFIX + "_events"

    received = Received()
    dispatch = EventDispatcher()
    inner = RpcProxy(PREFIX + "_bookkeeper")
    publish = Publisher(Exchange(PREFIX + "_work", type="direct"))

    @rpc
    def send(self, event_type, payload):
        self.dispatch(event_type, payload)

    @rpc
    def send_twice(self, event_type, payload):
        self.dispatch(event_type, payload)
        self.dispatch(event_type, payload)

    @rpc
    def put(self, routing_key, payload):
        self.publish(payload, routing_key=routing_key)

    @rpc
    def tally(self, handler):
        return Tally.lists.get(handler, [])

    @event_handler(PREFIX + "_shop", "order_created", handler_type=SERVICE_POOL)
    def pool(self, order):
        Tally.note("pool", order)

    @event_handler(PREFIX + "_shop", "order_created", handler_type=SINGLETON)
    def singleton(self, order):
        Tally.note("singleton", order)

    @event_handler(
        PREFIX + "_shop", "order_created", handler_type=BROADCAST, reliable_delivery=False
    )
    def broadcast(self, order):
        Tally.note("broadcast", order)

    @event_handler(PREFIX + "_shop", "order_created")
    def context(self, order):
        Tally.note("context", self.received)

    @event_handler(PREFIX + "_shop", "order_created", reliable_delivery=False)
    def unreliable(self, order):
        Tally.note("unreliable", order)

    @event_handler(PREFIX + "_shop", "order_relayed")
    def relayed(self, order):
        """Calls on, and dispatches on, below the trace that brought it here."""
        self.inner.book(order)
        self.dispatch("order_booked", order)

    @consume(
        Queue(
            PREFIX + "_python_work",
            exchange=Exchange(PREFIX + "_work", type="direct"),
            routing_key="python",
        )
    )
    def work(self, task):
        Tally.note("work", task)

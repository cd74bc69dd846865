from nameko.events import event_handler
from nameko.extensions import DependencyProvider
from nameko.rpc import rpc
from redis import StrictRedis

from products.exceptions import NotFound

NUMBERS = ("passenger_capacity", "maximum_speed", "in_stock")


class Storage(DependencyProvider):
    def setup(self):
        self.client = StrictRedis.from_url(self.container.config["REDIS_URI"], decode_responses=True)

    def get_dependency(self, worker_ctx):
        return self.client


def key_of(product_id):
    return "products:{}".format(product_id)


def loaded(document):
    return {
        field: int(value) if field in NUMBERS else value for field, value in document.items()
    }


class ProductsService:
    name = "products"
    storage = Storage()

    @rpc
    def get(self, product_id):
        document = self.storage.hgetall(key_of(product_id))
        if not document:
            raise NotFound("Product ID {} does not exist".format(product_id))
        return loaded(document)

    @rpc
    def list(self):
        return [loaded(self.storage.hgetall(key)) for key in self.storage.keys(key_of("*"))]

    @rpc
    def create(self, product):
        self.storage.hset(key_of(product["id"]), mapping=product)

    @event_handler("orders", "order_created")
    def handle_order_created(self, payload):
        for detail in payload["order"]["order_details"]:
            self.storage.hincrby(key_of(detail["product_id"]), "in_stock", -detail["quantity"])

from nameko.events import EventDispatcher
from nameko.extensions import DependencyProvider
from nameko.rpc import rpc
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from orders.exceptions import NotFound
from orders.models import Order, OrderDetail

REVISION = "dd33cb03d01f"


class Session(DependencyProvider):
    def setup(self):
        uri = self.container.config["DB_URIS"]["orders:Base"]
        # SQLAlchemy no longer knows the short name.
        self.engine = create_engine(uri.replace("postgres://", "postgresql://", 1))
        self.sessions = {}
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found != REVISION:
                raise RuntimeError("the database is at revision %r" % found)

    def stop(self):
        self.engine.dispose()

    def get_dependency(self, worker_ctx):
        self.sessions[worker_ctx] = sessionmaker(bind=self.engine)()
        return self.sessions[worker_ctx]

    def worker_teardown(self, worker_ctx):
        self.sessions.pop(worker_ctx).close()


def dumped(order):
    return {
        "id": order.id,
        "order_details": [
            {
                "id": detail.id,
                "product_id": detail.product_id,
                "price": str(detail.price),
                "quantity": detail.quantity,
            }
            for detail in order.order_details
        ],
    }


class OrdersService:
    name = "orders"
    db = Session()
    event_dispatcher = EventDispatcher()

    @rpc
    def get_order(self, order_id):
        order = self.db.get(Order, order_id)
        if order is None:
            raise NotFound("Order with id {} not found".format(order_id))
        return dumped(order)

    @rpc
    def create_order(self, order_details):
        order = Order(
            order_details=[
                OrderDetail(
                    product_id=detail["product_id"],
                    price=detail["price"],
                    quantity=detail["quantity"],
                )
                for detail in order_details
            ]
        )
        self.db.add(order)
        self.db.commit()
        order = dumped(order)
        self.event_dispatcher("order_created", {"order": order})
        return order

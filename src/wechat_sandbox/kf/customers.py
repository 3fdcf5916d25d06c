"""People who write: WeChat users with a phone."""

from wechat_sandbox.control.schemas import CustomerInput
from wechat_sandbox.entities import Customer
from wechat_sandbox.errors import conflict
from wechat_sandbox.ids import new_external_userid
from wechat_sandbox.world import World

CUSTOMER_LIMIT = 500_000


def make_customer(world: World, wanted: CustomerInput) -> Customer:
    """A new customer; raises ControlError when the id is taken or the sandbox is full."""
    if wanted.external_userid in world.customers:
        raise conflict(f"There is a customer {wanted.external_userid} already.")
    if len(world.customers) >= CUSTOMER_LIMIT:
        raise conflict(f"The sandbox holds at most {CUSTOMER_LIMIT} customers.")
    customer = Customer(
        external_userid=wanted.external_userid or new_external_userid(),
        nickname=wanted.nickname,
        avatar=wanted.avatar,
        gender=wanted.gender,
        created_at=world.clock.now(),
    )
    world.add(customer)
    return customer


def find_or_make_customer(world: World, wanted: CustomerInput) -> Customer:
    """The customer of that id, else of that nickname, else a new one."""
    for customer in world.customers.values():
        same_name = wanted.external_userid is None and customer.nickname == wanted.nickname
        if same_name or customer.external_userid == wanted.external_userid:
            return customer
    return make_customer(world, wanted)

"""A merchant with departments, people in them, customers whom some of the people follow, and a conversation with each.

Made straight into the tables, so that a test can have any shape of it. `Plan` says by numbers what there is, and
`Plan.sees` is the plain definition of who sees whom.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.context import Actor, ActorKind, Context, Scope
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import Customer, CustomerIdentity
from huitouke.modules.organization.models import (
    DataScopeKind,
    Department,
    OwnRole,
    RoleDepartment,
    Staff,
    StaffDepartment,
)
from huitouke.modules.organization.service.scopes import scope_of
from tests.support.world import World, make_world


@dataclass(frozen=True)
class Plan:
    """What there is. Departments name their parent by its number, which is lower than their own, or None."""

    parents: tuple[int | None, ...] = ()
    member_of: tuple[frozenset[int], ...] = (frozenset(),)
    """Per person the departments."""
    followed_by: tuple[frozenset[int], ...] = ()
    """Per customer the people."""

    def below(self, departments: Collection[int]) -> set[int]:
        """The departments and all below them."""
        found = set(departments)
        for number, parent in enumerate(self.parents):
            if parent in found:
                found.add(number)
        return found

    def sees(self, person: int, kind: DataScopeKind, chosen: Collection[int], customer: int) -> bool:
        """Whether a person with such a role sees the customer."""
        followers = self.followed_by[customer]
        match kind:
            case "all":
                return True
            case "own":
                departments: set[int] = set()
            case "department":
                departments = set(self.member_of[person])
            case "department_below":
                departments = self.below(self.member_of[person])
            case "chosen":
                departments = self.below(chosen)
        return not followers or any(one == person or self.member_of[one] & departments for one in followers)


@dataclass
class Firm:
    """The plan as rows, by the same numbers."""

    plan: Plan
    world: World
    departments: list[UUID] = field(default_factory=list)
    staff: list[UUID] = field(default_factory=list)
    customers: list[UUID] = field(default_factory=list)
    conversations: list[UUID] = field(default_factory=list)
    messages: list[UUID] = field(default_factory=list)

    async def role(self, kind: DataScopeKind, chosen: Collection[int] = ()) -> UUID:
        """A role that may do everything, with that scope."""
        now = clock.now()
        role = OwnRole(
            id=new_id(),
            name=new_id().hex[-20:],
            permissions=sorted(load_modules().permissions()),
            data_scope=kind,
            created_at=now,
            updated_at=now,
            version=1,
        )
        async with transaction(self.world.context) as ctx:
            ctx.session.add(role)
            await ctx.session.flush()
            ctx.session.add_all(RoleDepartment(role_id=role.id, department_id=self.departments[one]) for one in chosen)
        return role.id

    async def scope(self, person: int, kind: DataScopeKind, chosen: Collection[int] = ()) -> Scope:
        """How far the person sees with such a role."""
        role_id = await self.role(kind, chosen)
        async with transaction(self.world.context) as ctx:
            return await scope_of(ctx, self.staff[person], "own", role_id, kind)

    async def acting(self, person: int, kind: DataScopeKind, chosen: Collection[int] = ()) -> Context:
        """What the person does with such a role."""
        return Context(
            tenant_id=self.world.tenant_id,
            actor=Actor(ActorKind.STAFF, self.staff[person]),
            permissions=load_modules().permissions(),
            scope=await self.scope(person, kind, chosen),
        )


async def make_firm(plan: Plan) -> Firm:
    """A tenant of its own with what the plan says; customers with lower numbers were seen last."""
    firm = Firm(plan, await make_world())
    now = clock.now()
    async with transaction(firm.world.context) as ctx:
        for number, parent in enumerate(plan.parents):
            firm.departments.append(new_id())
            above = None if parent is None else firm.departments[parent]
            ctx.session.add(
                Department(
                    id=firm.departments[-1],
                    parent_id=above,
                    name=f"部门{number}",
                    position=0,
                    created_at=now,
                    updated_at=now,
                )
            )
            await ctx.session.flush()
        for number, departments in enumerate(plan.member_of):
            firm.staff.append(new_id())
            ctx.session.add(
                Staff(
                    id=firm.staff[-1],
                    name=f"员工{number}",
                    role="agent",
                    state="active",
                    notify_app_messages=False,
                    source="hand",
                    created_at=now,
                )
            )
            await ctx.session.flush()
            ctx.session.add_all(
                StaffDepartment(staff_id=firm.staff[-1], department_id=firm.departments[one], leads=False)
                for one in departments
            )
        account = ChannelAccount(
            id=new_id(),
            kind="wecom_kf",
            name="客服",
            external_id=new_id().hex,
            state="active",
            handover_to="console",
            greeting="",
            greeting_on=False,
            closing="",
            closing_on=False,
            taken="",
            taken_on=False,
            assistant_enabled=True,
            created_at=now,
        )
        ctx.session.add(account)
        await ctx.session.flush()
        for number, followers in enumerate(plan.followed_by):
            await _customer(ctx, firm, account, number)
            for one in followers:
                await customers.follow(ctx, firm.customers[-1], firm.staff[one])
    return firm


async def _customer(ctx: Context, firm: Firm, account: ChannelAccount, number: int) -> None:
    at = clock.now() - timedelta(minutes=number)
    firm.customers.append(new_id())
    firm.conversations.append(new_id())
    firm.messages.append(new_id())
    ctx.session.add(
        Customer(
            id=firm.customers[-1],
            name=f"客户{number}",
            gender="unknown",
            last_seen_at=at,
            created_at=at,
            updated_at=at,
            version=1,
        )
    )
    await ctx.session.flush()
    address = f"wm{firm.customers[-1].hex}"
    ctx.session.add(
        CustomerIdentity(
            id=new_id(),
            customer_id=firm.customers[-1],
            kind="external_userid",
            issuer="ww1",
            value=address,
            created_at=at,
        )
    )
    ctx.session.add(
        Conversation(
            id=firm.conversations[-1],
            channel_account_id=account.id,
            customer_id=firm.customers[-1],
            customer_address=address,
            state="open",
            handler="assistant",
            session_state=1,
            seq=2,
            state_seq=2,
            last_message_at=at,
            last_preview=f"话{number}",
            last_msgtype="text",
            last_sender="customer",
            last_customer_seq=1,
            unread=1,
            window_left=5,
            window_expires_at=at + timedelta(days=2),
            waiting_since=at if number % 2 else None,
            changed_at=at,
            created_at=at,
        )
    )
    await ctx.session.flush()
    ctx.session.add(
        Message(
            id=firm.messages[-1],
            conversation_id=firm.conversations[-1],
            seq=1,
            changed_seq=1,
            direction="in",
            sender_kind="customer",
            msgtype="text",
            text=f"话{number}",
            content={},
            ai=False,
            state="received",
            sent_at=at,
            created_at=at,
        )
    )
    await ctx.session.flush()

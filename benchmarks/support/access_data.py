"""A merchant with 200 people in 40 departments and 200,000 customers, whom the people follow.

Of 1,000 customers one is nobody's. Conversations of the newest 100,000, messages of the newest 1,000. All rows are made
by PostgreSQL itself from numbers, so that the data are the same in every run.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from benchmarks.support.inbox_data import FUNCTIONS, PASSWORD
from huitouke.kernel import clock
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import Database, DatabaseUrls, configure, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import DataScopeKind, Department, StaffDepartment
from huitouke.modules.organization.service.roles import RoleKey

CUSTOMERS: Final = 200_000
CONVERSATIONS: Final = 100_000
WITH_MESSAGES: Final = 1_000
MESSAGES: Final = 50
PEOPLE: Final = 200
REGIONS: Final = 4
TEAMS: Final = 9
"""Of each region, below it. Five people are in each team and in each region's own office."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who signs in to see their part."""

    sign_in_name: str
    kind: DataScopeKind
    place: int
    """The number of their department: 0 is the top, then region by region, each with its teams."""


VIEWERS: Final = {
    "own": Viewer("access-own", "own", 2),
    "team": Viewer("access-team", "department_below", 2),
    "region": Viewer("access-region", "department_below", 1),
    "wide": Viewer("access-wide", "department_below", 0),
}
"""The narrowest sees 1 of 200 people's customers, a team 5, a region 50, the top all of them."""

ROWS: Final = (
    """
    INSERT INTO channel_accounts (tenant_id, id, kind, name, external_id, state, handover_to, greeting,
                                  assistant_enabled, created_at)
    VALUES ($1, $2, 'wecom_kf', '小店客服', 'wk1', 'active', 'console', '', true, now())
    """,
    """
    INSERT INTO customers (tenant_id, id, name, gender, last_seen_at, created_at, updated_at, version, followed)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'customer' || n), '客户' || n, 'unknown', pg_temp.moment(n),
           pg_temp.moment(n), now(), 1, n % 1000 <> 0
      FROM generate_series(1, $2::bigint) AS n
    """,
    """
    INSERT INTO customer_followers (tenant_id, customer_id, staff_id, since)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'customer' || n), ($3::uuid[])[1 + (n * 7919) % cardinality($3)], now()
      FROM generate_series(1, $2::bigint) AS n WHERE n % 1000 <> 0
    """,
    """
    INSERT INTO conversations (tenant_id, id, channel_account_id, customer_id, customer_address, state, handler,
                               session_state, seq, state_seq, last_message_at, last_preview, last_msgtype,
                               last_sender, last_customer_seq, unread, window_left, window_expires_at, waiting_since,
                               changed_at, created_at)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'conversation' || n), $2,
           pg_temp.id_at(pg_temp.moment(n), 'customer' || n), 'wm' || n,
           CASE WHEN n % 10 < 7 THEN 'open' ELSE 'closed' END, 'assistant', 1, 60, 1, pg_temp.moment(n),
           '有大一点的尺码吗' || n, 'text', 'customer', 1, 0, 4, now() + interval '30 hours',
           CASE WHEN n % 20 = 13 THEN pg_temp.moment(n) END, pg_temp.moment(n), pg_temp.moment(n)
      FROM generate_series(1, $3::bigint) AS n
    """,
    """
    INSERT INTO messages (tenant_id, id, conversation_id, seq, changed_seq, direction, sender_kind, msgtype, text,
                          content, ai, state, sent_at, created_at)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'message' || n || ':' || m),
           pg_temp.id_at(pg_temp.moment(n), 'conversation' || n), m, m, 'in', 'customer', 'text',
           '有大一点的尺码吗' || m,
           '{}', false, 'received', pg_temp.moment(n), pg_temp.moment(n)
      FROM generate_series(1, $2::bigint) AS n, generate_series(1, $3::bigint) AS m
    """,
)


async def fill(urls: DatabaseUrls) -> None:
    """Founds the merchant and makes its rows: about half a minute."""
    database = Database(urls)
    configure(database)
    try:
        founded = await organization.found_tenant("拾光衣橱", "access-owner", Secret(PASSWORD))
        people = await _people(founded.tenant_id)
    finally:
        configure(None)
        await database.close()
    assert urls.owner is not None
    connection = await asyncpg.connect(urls.owner)
    tenant, account = founded.tenant_id, new_id()
    try:
        async with connection.transaction():
            await connection.execute(FUNCTIONS)
            channel, customers, followers, conversations, messages = ROWS
            await connection.execute(channel, tenant, account)
            await connection.execute(customers, tenant, CUSTOMERS)
            await connection.execute(followers, tenant, CUSTOMERS, people)
            await connection.execute(conversations, tenant, account, CONVERSATIONS)
            await connection.execute(messages, tenant, WITH_MESSAGES, MESSAGES)
    finally:
        await connection.close()


async def _people(tenant_id: UUID) -> list[UUID]:
    """Departments, people in them, and among them those who look."""
    now = clock.now()
    async with transaction(job_context(tenant_id)) as ctx:
        places: list[UUID] = []

        async def department(parent: UUID | None) -> UUID:
            one = Department(
                id=new_id(), parent_id=parent, name=f"部门{len(places)}", position=0, created_at=now, updated_at=now
            )
            ctx.session.add(one)
            await ctx.session.flush()
            places.append(one.id)
            return one.id

        top = await department(None)
        for _ in range(REGIONS):
            region = await department(top)
            for _ in range(TEAMS):
                await department(region)
        looking = list(VIEWERS.values())
        people = []
        for number in range(PEOPLE):
            viewer = looking[number] if number < len(looking) else None
            people.append(await _person(ctx, places, number, viewer))
    return people


async def _person(ctx: Context, places: list[UUID], number: int, viewer: Viewer | None) -> UUID:
    """Five people to a department below the top, in turn; who looks has a role of their own and their own place."""
    role: RoleKey = "agent"
    if viewer is not None:
        permissions = sorted(load_modules().permissions())
        role = (await organization.create_role(ctx, viewer.sign_in_name, permissions, viewer.kind)).id
    name = viewer.sign_in_name if viewer is not None else f"access-{number}"
    password = Secret(PASSWORD) if viewer is not None else None
    staff = await organization.add_staff(ctx, organization.NewStaff(f"员工{number}", name, password, role))
    place = viewer.place if viewer is not None else 1 + number % (len(places) - 1)
    ctx.session.add(StaffDepartment(staff_id=staff.id, department_id=places[place], leads=False))
    return staff.id

"""A backlog of events and of jobs, made set by set inside PostgreSQL: 200 merchants, 20,000 customers, 8 lanes."""

import hashlib
from typing import Final
from uuid import UUID

import asyncpg

from huitouke.kernel.database import DatabaseUrls

MERCHANTS: Final = 200
CUSTOMERS_PER_MERCHANT: Final = 100
EVENT_TYPE: Final = "benchmark.happened"
READER_TABLES: Final = ("benchmark_points", "benchmark_visits")

TENANTS: Final = """
INSERT INTO tenants (id, name, state, time_zone, placement, created_at)
SELECT md5('tenant' || n)::uuid, 'merchant ' || n, 'active', 'Asia/Shanghai', 'default', clock_timestamp()
  FROM generate_series(1, $1) n
"""

EVENTS: Final = """
WITH made AS MATERIALIZED (
  SELECT md5('tenant' || 1 + n % $2)::uuid AS tenant_id, 1 + n / $2 % $3 AS customer,
         (left(uuid_lowest(clock_timestamp())::text, 13) || '-7' || substr(md5(n::text || clock_timestamp()), 1, 3)
          || '-8' || substr(md5('a' || n || clock_timestamp()), 1, 3)
          || '-' || substr(md5('b' || n || clock_timestamp()), 1, 12))::uuid AS id
    FROM generate_series(1, $1) n
), written AS (
  INSERT INTO events (tenant_id, id, type, version, customer_id, actor_kind, occurred_at, payload)
  SELECT tenant_id, id, $4, 1, md5(tenant_id::text || customer)::uuid, 'customer', clock_timestamp(),
         jsonb_build_object('seq', customer, 'amount_fen', 100 * customer, 'channel', 'wecom_kf')
    FROM made
)
INSERT INTO event_queue (tenant_id, lane, seq, event_id, type)
SELECT tenant_id, customer % 8, nextval('event_seq'), id, $4 FROM made
"""

JOBS: Final = """
INSERT INTO work_items (tenant_id, kind, key, arguments, requested, seq, attempts, lease_number, created_at)
SELECT md5('tenant' || $2::int)::uuid, $3, md5(n::text || clock_timestamp()), '{}', 1, nextval('work_seq'), 0, 0,
       clock_timestamp()
  FROM generate_series(1, $1) n
"""

POINTS: Final = """
CREATE TABLE benchmark_points (
  tenant_id uuid NOT NULL, event_id uuid NOT NULL, customer_id uuid NOT NULL, points bigint NOT NULL,
  at timestamptz NOT NULL, PRIMARY KEY (tenant_id, event_id))
"""

VISITS: Final = """
CREATE TABLE benchmark_visits (
  tenant_id uuid NOT NULL, id uuid NOT NULL, customer_id uuid NOT NULL, channel text NOT NULL, seq integer NOT NULL,
  at timestamptz NOT NULL, PRIMARY KEY (tenant_id, id))
"""

FENCE: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {table} TO huitouke_app
 USING (tenant_id = nullif(current_setting('huitouke.tenant_id', true), '')::uuid)
 WITH CHECK (tenant_id = nullif(current_setting('huitouke.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO huitouke_app;
"""
"""As every tenant's table has it; these two are the benchmark's own."""


async def fill(urls: DatabaseUrls, events: int) -> None:
    """Merchants, the tables that the two readers write, and that many events that nobody has read."""
    assert urls.owner is not None
    connection = await asyncpg.connect(urls.owner)
    try:
        await connection.execute(TENANTS, MERCHANTS)
        for table, statement in zip(READER_TABLES, (POINTS, VISITS), strict=True):
            await connection.execute(statement)
            await connection.execute(FENCE.format(table=table))
        await add_events(connection, events)
    finally:
        await connection.close()


def merchant(number: int) -> UUID:
    """The id of a merchant, from 1."""
    return UUID(hashlib.md5(f"tenant{number}".encode(), usedforsecurity=False).hexdigest())


async def add_events(
    connection: "asyncpg.Connection[asyncpg.Record]", count: int, *, merchants: int = MERCHANTS
) -> None:
    """That many further events, the merchants in turns."""
    await connection.execute(EVENTS, count, merchants, CUSTOMERS_PER_MERCHANT, EVENT_TYPE)


async def add_jobs(connection: "asyncpg.Connection[asyncpg.Record]", count: int, merchant: int, kind: str) -> None:
    """That many ready jobs of one merchant."""
    await connection.execute(JOBS, count, merchant, kind)

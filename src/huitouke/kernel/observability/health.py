"""Liveness, readiness and metrics, for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, Literal, TypeAlias

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from huitouke.kernel import clock, ending
from huitouke.kernel.database import current
from huitouke.kernel.database.migrate import missing_revisions
from huitouke.kernel.errors import NotFound, Problem
from huitouke.kernel.ids import lowest_id
from huitouke.kernel.modules import Modules
from huitouke.kernel.observability import metrics
from huitouke.kernel.settings import Settings

CHECK_SECONDS: Final = 3.0
SCHEMA_CACHE_SECONDS: Final = 30.0
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})

Check: TypeAlias = Callable[[], Awaitable[None]]
"""Passes, or raises `NotWell` with what is wrong."""

log = structlog.get_logger(__name__)


class NotWell(Exception):
    """A part of the process can't do its work; the message says which and why."""


class NotReady(Problem):
    """At least one check failed; `checks` says which."""

    status = 503
    type = "not_ready"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The process may be given work."""

    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]]


class SchemaCheck:
    """The schema is at this release or ahead; asked once, then every half minute."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._good_until = 0.0

    async def __call__(self) -> None:
        if monotonic() < self._good_until:
            return
        missing = await missing_revisions(current(), self._modules)
        if missing:
            raise NotWell(f"the schema lacks {', '.join(missing)}; run: huitouke migrate")
        self._good_until = monotonic() + SCHEMA_CACHE_SECONDS


def standard_checks(modules: Modules) -> dict[str, Check]:
    """What every process needs, whatever it does."""
    return {"database": check_database, "schema": SchemaCheck(modules), "partitions": check_partitions}


async def check_database() -> None:
    """PostgreSQL answers.

    Raises:
        NotWell: it refuses us, or doesn't answer in time.
    """
    async with current().engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def check_partitions() -> None:
    """Next month's partitions are there: without them every insert of next month would fail.

    Raises:
        NotWell: a partitioned table lacks its next month.
    """
    lacking = await tables_without_partition(_first_of_next_month(clock.now()))
    if lacking:
        raise NotWell(f"next month's partition is missing for {', '.join(lacking)}; run: huitouke migrate")


async def tables_without_partition(month: datetime) -> list[str]:
    """The partitioned tables that have no partition which begins with that month."""
    async with current().engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT parent.relname FROM pg_partitioned_table AS p"
                " JOIN pg_class AS parent ON parent.oid = p.partrelid"
                " WHERE parent.relnamespace = 'public'::regnamespace AND p.partstrat = 'r' AND NOT EXISTS ("
                "  SELECT FROM pg_inherits AS i JOIN pg_class AS child ON child.oid = i.inhrelid"
                "  WHERE i.inhparent = parent.oid"
                "  AND pg_get_expr(child.relpartbound, child.oid) LIKE 'FOR VALUES FROM (''' || :lowest || ''')%')"
                " ORDER BY parent.relname"
            ).bindparams(lowest=str(lowest_id(month)))
        )
        return list(rows.scalars())


async def check_staying() -> None:
    """The process was not told to end.

    Raises:
        NotWell: it was; whoever hands out requests gives it no more.
    """
    if ending.begun():
        raise NotWell("the process is about to end")


def router(settings: Settings, checks: Mapping[str, Check]) -> APIRouter:
    """The routes of this process; `checks` by name are what readiness asks."""
    routes = APIRouter(tags=["health"], include_in_schema=False)
    asked = {"staying": check_staying}

    @routes.get("/health/live")
    async def live() -> Alive:
        return Alive()

    @routes.get("/health/ready")
    async def ready() -> Ready:
        all_checks = {**asked, **checks}
        outcomes = await asyncio.gather(*(_outcome(name, check) for name, check in all_checks.items()))
        found = dict(zip(all_checks, outcomes, strict=True))
        failed = {name: reason for name, reason in found.items() if reason is not None}
        metrics.READY.set(0 if failed else 1)
        if failed:
            raise NotReady(checks={name: reason or "ok" for name, reason in found.items()})
        return Ready(checks=dict.fromkeys(found, "ok"))

    @routes.get("/metrics")
    async def read_metrics(request: Request) -> Response:
        _may_read_metrics(request, settings)
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes


async def _outcome(name: str, check: Check) -> str | None:
    """None when the check passes, else the reason in plain words."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except NotWell as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:
        # Any failure of a check means "not ready"; its stack goes to the log, its kind to the caller.
        log.warning("health.check_failed", check=name, exc_info=True)
        return type(error).__name__
    return None


def _may_read_metrics(request: Request, settings: Settings) -> None:
    """With a token: who bears it; without: callers on this machine. To others the page doesn't exist."""
    if settings.metrics_token is not None:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        allowed = hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())
    else:
        allowed = request.client is not None and request.client.host in LOOPBACK
    if not allowed:
        raise NotFound


def _first_of_next_month(moment: datetime) -> datetime:
    return (moment.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)

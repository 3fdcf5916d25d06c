"""Test switches, offered only with HUITOUKE_TESTING=1. Never in production."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import asyncpg
import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from huitouke.kernel import clock
from huitouke.kernel.database import platform_transaction

POLL_SECONDS: Final = 0.5
MAX_OFFSET_SECONDS: Final = 10 * 366 * 24 * 3600

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/testing", include_in_schema=False)


class ClockIn(BaseModel):
    """How far the clock is moved from the real time."""

    offset_seconds: float = Field(ge=-MAX_OFFSET_SECONDS, le=MAX_OFFSET_SECONDS)


class ClockOut(BaseModel):
    """The clock as all processes of this installation read it."""

    offset_seconds: float
    now: datetime


@router.post("/clock")
async def move_clock(body: ClockIn) -> ClockOut:
    """Moves the clock of all processes on this database; the others follow within half a second."""
    async with platform_transaction() as session:
        await session.execute(
            text(
                "INSERT INTO test_clock (id, offset_seconds) VALUES (1, :offset)"
                " ON CONFLICT (id) DO UPDATE SET offset_seconds = excluded.offset_seconds"
            ),
            {"offset": body.offset_seconds},
        )
    clock.set_offset(body.offset_seconds)
    return ClockOut(offset_seconds=body.offset_seconds, now=clock.now())


@router.get("/clock")
async def read_clock() -> ClockOut:
    """How far the clock is moved."""
    return ClockOut(offset_seconds=clock.offset_seconds(), now=clock.now())


async def follow_clock() -> None:
    """Keeps this process's clock where the row says, until cancelled."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        try:
            async with platform_transaction() as session:
                offset = (await session.execute(text("SELECT offset_seconds FROM test_clock"))).scalar_one_or_none()
        except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("testing.clock_unknown", reason=type(error).__name__)  # a test has stopped the database
            continue
        clock.set_offset(offset or 0.0)

"""The plug-in's route in the console's API."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke_visits import service

router = APIRouter(prefix="/api/visits", tags=["visits"])


class VisitDayOut(BaseModel):
    """One day and the messages that customers wrote on it."""

    day: date
    messages: int


@router.get("", dependencies=[requires("visits.view")], operation_id="visits_list")
async def list_days(
    ctx: ConsoleTransaction, limit: Annotated[int, Query(ge=1, le=service.MAX_DAYS)] = 30
) -> list[VisitDayOut]:
    """The latest days, newest first."""
    return [VisitDayOut(day=day.day, messages=day.messages) for day in await service.latest_days(ctx, limit)]

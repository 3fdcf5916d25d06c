"""The plug-in's route in the console's API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke_webhook import service

router = APIRouter(prefix="/api/webhook", tags=["webhook"])


class ConnectIn(BaseModel):
    """A system of the merchant's own."""

    name: Annotated[str, Field(min_length=1, max_length=16)]
    url: Annotated[str, Field(min_length=1, max_length=500, description="Where our answers are posted.")]


class ConnectedOut(BaseModel):
    """What the merchant's system needs. The secret is shown this once."""

    id: UUID
    path: str = Field(description="Where customers' messages are posted, on this server.")
    secret: str


@router.post("/accounts", status_code=201, dependencies=[requires("webhook.manage")], operation_id="webhook_connect")
async def connect(ctx: ConsoleTransaction, body: ConnectIn) -> ConnectedOut:
    """Connects a system of the merchant's own."""
    made = await service.connect(ctx, body.name, body.url)
    return ConnectedOut(id=made.account_id, path=made.path, secret=made.secret.reveal())

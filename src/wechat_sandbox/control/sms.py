"""The SMS provider's own console: accounts with their signatures and templates, and what phones got."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from wechat_sandbox.control.common import TheWorld
from wechat_sandbox.control.schemas import Done, Input
from wechat_sandbox.sms.phones import Account

router = APIRouter(prefix="/sandbox/sms", tags=["SMS"])

State = Literal["approved", "pending", "rejected"]


class TemplateInput(Input):
    """A text with ${variables}."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    state: State = "approved"


class AccountInput(Input):
    """An account with its access key; replaces one with the same key."""

    access_key_id: Annotated[str, Field(min_length=8, max_length=64)]
    access_key_secret: Annotated[str, Field(min_length=8, max_length=64)]
    credit: Annotated[int, Field(ge=0)] = 1_000
    signs: dict[str, State] = Field(default_factory=dict)
    templates: dict[str, TemplateInput] = Field(default_factory=dict)


class SmsOut(BaseModel):
    """A message on a phone."""

    id: int
    phone: str
    text: str
    biz_id: str
    out_id: str
    at: float


@router.put("/account", operation_id="set_sms_account")
async def set_sms_account(world: TheWorld, wanted: AccountInput) -> Done:
    """Makes an account. Gone at the end of the process."""
    templates = {code: (one.text, str(one.state)) for code, one in wanted.templates.items()}
    signs = {name: str(state) for name, state in wanted.signs.items()}
    world.sms.accounts[wanted.access_key_id] = Account(
        wanted.access_key_id, wanted.access_key_secret, wanted.credit, signs, templates
    )
    return Done()


@router.get("/messages", operation_id="list_sms")
async def list_sms(world: TheWorld, phone: Annotated[str | None, Query(max_length=20)] = None) -> list[SmsOut]:
    """What phones got, newest first, at most 1,000; with `phone` those of one number."""
    return [
        SmsOut(id=one.id, phone=one.phone, text=one.text, biz_id=one.biz_id, out_id=one.out_id, at=one.at)
        for one in reversed(world.sms.messages)
        if phone in (None, one.phone)
    ]

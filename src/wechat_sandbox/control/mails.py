"""The mail server beside the simulated WeCom: where it listens, and what came in."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from wechat_sandbox.control.common import TheWorld

router = APIRouter(prefix="/sandbox/mail", tags=["e-mail"])


class MailOut(BaseModel):
    """A mail as its recipient reads it."""

    id: int
    sender: str
    to: str
    subject: str
    text: str


class MailsOut(BaseModel):
    """`smtp_url`: where mail is handed in."""

    smtp_url: str
    items: list[MailOut]


@router.get("", operation_id="list_mails")
async def list_mails(world: TheWorld, to: Annotated[str | None, Query(max_length=254)] = None) -> MailsOut:
    """The last 500 mails, newest first; with `to` those of one address. Gone at the end of the process."""
    found = [one for one in reversed(world.mail.mails) if to in (None, one.to)]
    items = [MailOut(id=one.id, sender=one.sender, to=one.to, subject=one.subject, text=one.text) for one in found]
    return MailsOut(smtp_url=world.mail.url, items=items)

"""Routes of the shop's own chat page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.modules.conversations.service import hosted_pages
from huitouke.modules.conversations.service.hosted_pages import MAX_QUESTIONS, PageChange, PageView

router = APIRouter(prefix="/hosted-page", tags=["chat page"])
_view = requires("conversations.view")
_manage = requires("organization.manage")

Name = Annotated[str, Field(min_length=1, max_length=16)]
Question = Annotated[str, Field(max_length=40)]


class HostedPageOut(BaseModel):
    """The shop's chat page."""

    account_id: UUID
    url: str = Field(description="The page's address, for links, codes and cards.")
    path: str
    name: str
    avatar_url: str | None
    is_on: bool
    color: str
    greeting: str
    questions: list[str]
    record_number: str
    assistant_enabled: bool


class HostedPageIn(BaseModel):
    """A new page."""

    name: Name
    greeting: Annotated[str, Field(max_length=2048)] = ""
    questions: Annotated[list[Question], Field(max_length=MAX_QUESTIONS)] = []


class HostedPagePatch(BaseModel):
    """What to change; what is absent stays."""

    name: Name | None = None
    greeting: Annotated[str, Field(max_length=2048)] | None = None
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None
    questions: Annotated[list[Question], Field(max_length=MAX_QUESTIONS)] | None = None
    record_number: Annotated[str, Field(max_length=60)] | None = None
    is_on: bool | None = None


@router.get("", operation_id="hosted_page_get", dependencies=[_view])
async def get_page(ctx: ConsoleTransaction) -> HostedPageOut | None:
    """The shop's page; null while it has none."""
    page = await hosted_pages.hosted_page(ctx)
    return None if page is None else _out(page)


@router.post("", status_code=201, operation_id="hosted_page_open", dependencies=[_manage])
async def open_page(body: HostedPageIn, ctx: ConsoleTransaction) -> HostedPageOut:
    """Opens the page; one that is there already stays as it is."""
    page = await hosted_pages.open_hosted_page(ctx, name=body.name, greeting=body.greeting, questions=body.questions)
    return _out(page)


@router.patch("", operation_id="hosted_page_change", dependencies=[_manage])
async def change_page(body: HostedPagePatch, ctx: ConsoleTransaction) -> HostedPageOut:
    """Changes the page, or switches it off and on."""
    return _out(await hosted_pages.change_hosted_page(ctx, PageChange(**body.model_dump())))


def _out(page: PageView) -> HostedPageOut:
    return HostedPageOut.model_validate(page, from_attributes=True)

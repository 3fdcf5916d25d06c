"""The console's routes of the ledger of prerequisites; the last two are for whoever holds a link."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from sqlalchemy import select

from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.keys import Secret
from huitouke.kernel.plans.reading import also_when_read_only, refuse_when_read_only
from huitouke.kernel.settings import get_settings
from huitouke.kernel.shared_links import Opened, SharedLinkGone, open_shared_link
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization import ledger_queries
from huitouke.modules.organization.ledger_schemas import (
    HandedIn,
    HandedOut,
    LedgerOut,
    LinkIn,
    LinkOut,
    PrerequisitePatch,
    TokenIn,
    ValuesIn,
)
from huitouke.modules.organization.prerequisites import prerequisite
from huitouke.modules.organization.service import prerequisites as service
from huitouke.modules.organization.service.prerequisites import PrerequisiteChange

router = APIRouter(prefix="/api", tags=["organization"])
_manage = requires("organization.manage")

MAX_NOTE_CHARACTERS = 500
"""What the shop noted stays; of what is said again and again the newest."""

Name = Annotated[str, Path(alias="prerequisite", max_length=64, description="As the ledger gives it.")]


@router.get("/prerequisites", operation_id="organization_prerequisites", dependencies=[_manage])
async def ledger(ctx: ConsoleTransaction) -> LedgerOut:
    """What has to be there before the real channels work, how far it is, and what can be used from which day."""
    return await ledger_queries.ledger(ctx)


@router.patch("/prerequisites/{prerequisite}", operation_id="organization_change_prerequisite", dependencies=[_manage])
async def change(name: Name, body: PrerequisitePatch, ctx: ConsoleTransaction) -> LedgerOut:
    """Says how far an entry is, who sees to it, and how long this shop was told to wait."""
    given = body.model_fields_set
    wanted = PrerequisiteChange(
        state=body.state,
        note=body.note,
        assignee_id=body.assignee_id,
        unassigned="assignee_id" in given and body.assignee_id is None,
        expected_days=body.expected_days,
        usual_days="expected_days" in given and body.expected_days is None,
    )
    await service.change_prerequisite(ctx, name, wanted)
    return await ledger_queries.ledger(ctx)


@router.put(
    "/prerequisites/{prerequisite}/values", operation_id="organization_enter_prerequisite", dependencies=[_manage]
)
async def enter(name: Name, body: ValuesIn, ctx: ConsoleTransaction) -> LedgerOut:
    """Takes in what an entry asks for; a secret goes where it is used and is not shown again."""
    await service.enter_values(ctx, name, body.values)
    return await ledger_queries.ledger(ctx)


@router.post(
    "/prerequisites/{prerequisite}/check", operation_id="organization_check_prerequisite", dependencies=[_manage]
)
async def check(name: Name, context: ConsoleContext) -> LedgerOut:
    """Tries an entry live, where that is possible; right, it is done."""
    await service.check_prerequisite(context, name)
    async with transaction(context) as ctx:
        return await ledger_queries.ledger(ctx)


@router.post(
    "/prerequisites/{prerequisite}/links",
    status_code=201,
    operation_id="organization_hand_over_prerequisite",
    dependencies=[_manage],
)
async def hand_over(name: Name, body: LinkIn, ctx: ConsoleTransaction) -> LinkOut:
    """A link that shows this entry alone, to a colleague or a provider. Its address is told once."""
    link = await service.hand_over(ctx, name, body.label)
    # Behind the #, a browser sends nothing to any server: not to ours, nor to a log on the way.
    return LinkOut(
        id=link.id, url=f"{get_settings().public_url}/handed#{link.token.reveal()}", expires_at=link.expires_at
    )


@router.delete(
    "/prerequisite-links/{link_id}",
    status_code=204,
    operation_id="organization_take_back_prerequisite",
    dependencies=[_manage],
)
async def take_back(link_id: UUID, ctx: ConsoleTransaction) -> None:
    """Ends a link at once."""
    await service.take_back(ctx, link_id)


@router.post("/handed-over/look", operation_id="organization_look_at_handed")
@also_when_read_only
async def look(body: TokenIn, request: Request) -> HandedOut:
    """The one entry that the link was made for."""
    opened, shop = await _opened(body.token, request)
    return await _shown(opened, shop, request)


@router.post("/handed-over/say", operation_id="organization_answer_handed")
async def say(body: HandedIn, request: Request) -> HandedOut:
    """The holder of the link enters what was asked for, and says that it is under way or done."""
    opened, shop = await _opened(body.token, request)
    await refuse_when_read_only(opened.tenant_id, "POST", say)
    context = _context(opened, request)
    # What can be tried is not done because somebody says so.
    tried = body.state == "done" and prerequisite(opened.reference).check is not None
    async with transaction(context) as ctx:
        label = await service.label_of(ctx, opened.id)
        if body.values:
            await service.enter_values(ctx, opened.reference, body.values)
        before = (await service.state_of(ctx, opened.reference)).note
        said = f"{label}：{body.note.strip()}" if body.note.strip() else ""
        note = "\n".join(part for part in (before, said) if part)[-MAX_NOTE_CHARACTERS:]
        change = PrerequisiteChange(state="waiting" if tried else body.state, note=note)
        await service.change_prerequisite(ctx, opened.reference, change, by=label)
    if tried:
        await service.check_prerequisite(context, opened.reference)
    return await _shown(opened, shop, request)


async def _opened(token: Secret, request: Request) -> tuple[Opened, str]:
    """What the link opens, and the name of its shop, while that is there."""
    opened = await open_shared_link(service.LINK_KIND, token, address=client_address(request))
    async with platform_transaction() as session:
        shop = await session.scalar(select(Tenant.name).where(Tenant.id == opened.tenant_id, Tenant.state == "active"))
    if shop is None:
        raise SharedLinkGone
    return opened, shop


async def _shown(opened: Opened, shop: str, request: Request) -> HandedOut:
    one = prerequisite(opened.reference)
    async with transaction(_context(opened, request)) as ctx:
        return ledger_queries.handed(ctx, one, await service.state_of(ctx, one.name), shop, opened.expires_at)


def _context(opened: Opened, request: Request) -> Context:
    """Nobody of the staff and without any permission: what a link may do is in these two routes."""
    return Context(
        opened.tenant_id,
        Actor(ActorKind.VISITOR, opened.id),
        locale=request.state.locale,
        address=client_address(request),
        request_id=request.state.request_id,
    )

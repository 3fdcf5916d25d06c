"""Channel accounts: connecting a 客服账号 or another channel's account, its settings, its health, and its servicers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.locales import translate
from huitouke.kernel.processors import Processor
from huitouke.kernel.work import schedule, wake
from huitouke.modules.conversations.channels import (
    AccountRef,
    ChannelError,
    HasServicers,
    Servicer,
    UnknownChannelError,
    channel,
)
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.event_texts import KINDS, MAX_BYTES, EventText
from huitouke.modules.conversations.service.telling import tell_failing, tell_restored
from huitouke.modules.organization import service as organization
from huitouke.wechat.errors import WecomError
from huitouke.wechat.kf import KfClient
from huitouke.wechat.media import MediaClient, MediaKind

SYNC_RUNNER: Final = "kf.sync"
ACCOUNTS_RUNNER: Final = "kf.accounts"
"""Looks which accounts an app may manage; key: id of the app."""

NOT_MANAGED: Final = "48007"
"""WeCom's code: the account is not managed by this app."""

PULL_SCHEDULE: Final = "kf.pull"
KIND: Final = "wecom_kf"
MAX_ACCOUNTS: Final = 100
MAX_NAME_CHARACTERS: Final = 16
LINK_SCENE: Final = "huitouke"


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What to change; None leaves it."""

    name: str | None = None
    greeting: str | None = None
    handover_to: Literal["console", "wecom"] | None = None
    assistant_enabled: bool | None = None
    greeting_on: bool | None = None
    closing: str | None = None
    closing_on: bool | None = None
    taken: str | None = None
    taken_on: bool | None = None


async def channel_account(ctx: Context, account_id: UUID) -> ChannelAccount:
    """The account of that id. Raises NotFound."""
    account = await ctx.session.scalar(select(ChannelAccount).where(ChannelAccount.id == account_id))
    if account is None:
        raise NotFound(kind="channel_account")
    return account


def reference(account: ChannelAccount) -> AccountRef:
    """What calls need of an account, to keep when the transaction is over. Raises AccountDisconnected."""
    if account.state == "disconnected":
        raise problems.AccountDisconnected
    return AccountRef(account.id, account.kind, account.external_id, account.wecom_app_id, account.name)


async def connected_account(ctx: Context, account_id: UUID) -> ChannelAccount:
    """The account of that id, while it is connected. Raises NotFound."""
    account = await channel_account(ctx, account_id)
    if account.state == "disconnected":
        raise NotFound(kind="channel_account")
    return account


async def accounts(ctx: Context) -> Sequence[ChannelAccount]:
    """All connected accounts, oldest first."""
    return (
        await ctx.session.scalars(
            select(ChannelAccount)
            .where(ChannelAccount.state != "disconnected")
            .order_by(ChannelAccount.id)
            .limit(MAX_ACCOUNTS)
        )
    ).all()


@dataclass(frozen=True, slots=True)
class CorpAccount:
    """A 客服账号 of the corp; `manageable` by this app, `adopted` when it is connected already."""

    open_kfid: str
    name: str
    avatar_url: str | None
    manageable: bool
    adopted: bool


async def corp_accounts(context: Context, wecom_app_id: UUID) -> list[CorpAccount]:
    """All 客服账号 that the app sees. Raises NotFound, WecomRefused."""
    kf = KfClient(await organization.wecom_client(context, wecom_app_id))
    try:
        found = await kf.list_accounts()
    except WecomError as error:
        raise refused(context, error) from error
    async with transaction(context) as ctx:
        known = set(
            await ctx.session.scalars(
                select(ChannelAccount.external_id).where(
                    ChannelAccount.kind == KIND, ChannelAccount.state != "disconnected"
                )
            )
        )
    return [
        CorpAccount(one.open_kfid, one.name, one.avatar or None, one.manage_privilege, one.open_kfid in known)
        for one in found
    ]


async def create_account(context: Context, wecom_app_id: UUID, name: str, avatar: bytes) -> ChannelAccount:
    """Makes a new 客服账号 at WeCom and connects it. Raises InvalidInput, NotFound, WecomRefused."""
    title = _name(name)
    client = await organization.wecom_client(context, wecom_app_id)
    try:
        media = await MediaClient(client).upload(MediaKind.IMAGE, "avatar.png", avatar, "image/png")
        open_kfid = await KfClient(client).add_account(title, media.media_id)
    except WecomError as error:
        raise refused(context, error) from error
    async with transaction(context) as ctx:
        return await connect(ctx, wecom_app_id, open_kfid, title, None)


async def adopt_account(context: Context, wecom_app_id: UUID, open_kfid: str) -> ChannelAccount:
    """Connects a 客服账号 that exists at WeCom. Raises NotFound, AccountExists, NotManageable, WecomRefused."""
    found = {account.open_kfid: account for account in await corp_accounts(context, wecom_app_id)}
    account = found.get(open_kfid)
    if account is None:
        raise NotFound(field="open_kfid")
    if account.adopted:
        raise problems.AccountExists(field="open_kfid")
    if not account.manageable:
        raise problems.NotManageable(field="open_kfid")
    async with transaction(context) as ctx:
        return await connect(ctx, wecom_app_id, open_kfid, account.name, account.avatar_url)


async def connect(
    ctx: Context, wecom_app_id: UUID, open_kfid: str, name: str, avatar_url: str | None
) -> ChannelAccount:
    """The row of a 客服账号, and its first pull, which brings the last three days. Raises AccountExists."""
    account = await add_account(ctx, KIND, open_kfid, name, wecom_app_id=wecom_app_id, avatar_url=avatar_url)
    await wake(ctx, SYNC_RUNNER, open_kfid)
    await schedule(ctx, PULL_SCHEDULE, clock.now())
    return account


async def add_account(
    ctx: Context,
    kind: str,
    external_id: str,
    name: str,
    *,
    wecom_app_id: UUID | None = None,
    avatar_url: str | None = None,
) -> ChannelAccount:
    """Connects an account of any registered channel. `external_id` is the channel's own name of it.

    One that was disconnected before is the same account again, with its conversations and settings. Raises
    InvalidInput where no loaded module offers the channel, AccountExists.
    """
    try:
        channel(kind)
    except UnknownChannelError as error:
        raise InvalidInput(field="kind", reason="unknown") from error
    account = await _known_before(ctx, kind, external_id)
    if account is not None:
        account.state, account.wecom_app_id, account.last_error_code = "active", wecom_app_id, None
        account.name, account.avatar_url, account.created_at = name, avatar_url, clock.now()
    else:
        account = await _new(ctx, kind, external_id, name, wecom_app_id, avatar_url)
    await ctx.session.flush()
    await audit.record(ctx, "conversations.account_connected", "channel_account", account.id, after={"name": name})
    realtime.hint(ctx, kind="channel_account", id=account.id)
    return account


async def _known_before(ctx: Context, kind: str, external_id: str) -> ChannelAccount | None:
    return await ctx.session.scalar(
        select(ChannelAccount)
        .where(
            ChannelAccount.kind == kind,
            ChannelAccount.external_id == external_id,
            ChannelAccount.state == "disconnected",
        )
        .with_for_update()
    )


async def _new(
    ctx: Context, kind: str, external_id: str, name: str, wecom_app_id: UUID | None, avatar_url: str | None
) -> ChannelAccount:
    account = ChannelAccount(
        id=new_id(),
        kind=kind,
        name=name,
        avatar_url=avatar_url,
        external_id=external_id,
        wecom_app_id=wecom_app_id,
        state="active",
        handover_to="console",
        greeting="",
        greeting_on=True,
        closing="",
        closing_on=False,
        taken="",
        taken_on=False,
        assistant_enabled=True,
        created_at=clock.now(),
    )
    try:
        async with ctx.session.begin_nested():
            ctx.session.add(account)
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.AccountExists(field="open_kfid" if kind == KIND else "external_id") from error
    return account


async def update_account(context: Context, account_id: UUID, change: AccountChange) -> ChannelAccount:
    """Changes an account; the name of a 客服账号 is changed at WeCom first.

    Raises NotFound, InvalidInput, NoHandoverToServicer, WecomRefused.
    """
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
    title = None if change.name is None or change.name == account.name else _name(change.name)
    texts = _texts(change)
    if change.handover_to == "wecom" and not isinstance(channel(account.kind), HasServicers):
        raise problems.NoHandoverToServicer(field="handover_to")
    if title is not None and account.kind == KIND:
        kf = await kf_client(context, account)
        try:
            await kf.update_account(account.external_id, name=title)
        except WecomError as error:
            raise refused(context, error) from error
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
        before = _facts(account)
        account.name = title or account.name
        for column, value in texts.items():
            setattr(account, column, value)
        account.handover_to = change.handover_to or account.handover_to
        if change.assistant_enabled is not None:
            account.assistant_enabled = change.assistant_enabled
        await ctx.session.flush()
        await audit.record(
            ctx, "conversations.account_changed", "channel_account", account.id, before=before, after=_facts(account)
        )
        realtime.hint(ctx, kind="channel_account", id=account.id)
        return account


async def make_link(context: Context, account_id: UUID) -> str:
    """The link that opens a chat with this account (path/94665); asked for once, then kept. Raises WecomRefused."""
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
    if account.link_url is not None:
        return account.link_url
    kf = await kf_client(context, account)
    try:
        url = await kf.add_contact_way(account.external_id, LINK_SCENE)
    except WecomError as error:
        raise refused(context, error) from error
    async with transaction(context) as ctx:
        await _set(ctx, account_id, link_url=url)
    return url


async def servicers(context: Context, account_id: UUID) -> list[Servicer]:
    """Who may receive this account's sessions in the channel's own app; nobody where the channel has none.

    Raises NotFound, WecomRefused.
    """
    async with transaction(context) as ctx:
        account = reference(await connected_account(ctx, account_id))
    offered = channel(account.kind)
    if not isinstance(offered, HasServicers):
        return []
    try:
        return await offered.servicers(context, account)
    except ChannelError as error:
        raise refused_by_channel(context, account, error) from error


async def change_servicers(
    context: Context, account_id: UUID, userids: Sequence[str], *, add: bool
) -> dict[str, str | None]:
    """Adds or removes servicers; per person None, or the sentence why not. Raises NotFound, WecomRefused."""
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
    kf = await kf_client(context, account)
    try:
        results = await (kf.add_servicers if add else kf.delete_servicers)(account.external_id, userids)
    except WecomError as error:
        raise refused(context, error) from error
    explain = channel(account.kind).explain
    return {
        result.userid: None if result.errcode == 0 else explain(str(result.errcode), context.locale)
        for result in results
    }


async def account_failed(ctx: Context, account_id: UUID, code: str) -> None:
    """The account can't work until a person does something: shown with the reason until a call succeeds again.

    Who connects accounts is told when it begins.
    """
    if await tell_failing(ctx, account_id, code):
        realtime.hint(ctx, kind="channel_account", id=account_id)
        return
    await _set(ctx, account_id, state="failing", last_error_code=code, last_error_at=clock.now())


async def account_works(ctx: Context, account_id: UUID) -> None:
    """What was wrong is over."""
    failing = select(ChannelAccount.name).where(ChannelAccount.id == account_id, ChannelAccount.state == "failing")
    name = await ctx.session.scalar(failing.with_for_update())
    if name is not None:
        await tell_restored(ctx, account_id, name)
    await _set(ctx, account_id, state="active", last_error_code=None)


def refused(context: Context, error: WecomError) -> problems.WecomRefused:
    """A WeCom error as a problem with its sentence."""
    return problems.WecomRefused(
        code=error.errcode if error.errcode is not None else str(error.reason or ""),
        reason=error.explain(context.locale),
    )


def refused_by_channel(context: Context, account: AccountRef, error: ChannelError) -> problems.WecomRefused:
    """The same for an error that came through the channel."""
    sentence = channel(account.kind).explain(error.code, context.locale)
    return problems.WecomRefused(code=error.code, reason=sentence)


async def kf_client(context: Context, account: ChannelAccount) -> KfClient:
    """WeCom for the account. Raises AccountDisconnected, NotOfWecom."""
    app_id = reference(account).wecom_app_id
    if account.kind != KIND or app_id is None:
        raise problems.NotOfWecom
    return KfClient(await organization.wecom_client(context, app_id))


def _texts(change: AccountChange) -> dict[str, str | bool]:
    """Columns of the event texts to change. A text without its switch is on, an empty one off. Raises InvalidInput."""
    given: dict[EventText, tuple[str | None, bool | None]] = {
        "greeting": (change.greeting, change.greeting_on),
        "closing": (change.closing, change.closing_on),
        "taken": (change.taken, change.taken_on),
    }
    columns: dict[str, str | bool] = {}
    for kind in KINDS:
        text, on = given[kind]
        if text is not None:
            if len(text.strip().encode()) > MAX_BYTES:
                raise InvalidInput(field=kind, reason="length", maximum=MAX_BYTES)
            columns[kind] = text.strip()
            columns[f"{kind}_on"] = bool(text.strip())
        if on is not None:
            columns[f"{kind}_on"] = on
    return columns


async def _set(ctx: Context, account_id: UUID, **values: object) -> None:
    await ctx.session.execute(
        update(ChannelAccount)
        .where(ChannelAccount.id == account_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    realtime.hint(ctx, kind="channel_account", id=account_id)


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    return cleaned


def _facts(account: ChannelAccount) -> dict[str, object]:
    return {
        "name": account.name,
        "greeting": account.greeting,
        "greeting_on": account.greeting_on,
        "closing": account.closing,
        "closing_on": account.closing_on,
        "taken": account.taken,
        "taken_on": account.taken_on,
        "handover_to": account.handover_to,
        "assistant_enabled": account.assistant_enabled,
    }


async def channel_processors(ctx: Context) -> Sequence[Processor]:
    """By which channels conversations run at present: what is written there passes through them."""
    kinds = await ctx.session.scalars(
        select(ChannelAccount.kind)
        .where(ChannelAccount.state != "disconnected")
        .distinct()
        .order_by(ChannelAccount.kind)
    )
    return [Processor("channel", translate(ctx.locale, f"channels.{kind}")) for kind in kinds]

"""微信客服: customers write to a 客服账号, our API answers (path/94638 and its neighbours)."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.modules.conversations.channels import (
    AccountRef,
    ChannelError,
    ChannelRules,
    FetchedMedia,
    MsgType,
    Outgoing,
    Profile,
    Pulled,
    SendNews,
    Servicer,
    SessionRule,
    Sessions,
)
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.modules.organization import service as organization
from huitouke.wechat import kf_content
from huitouke.wechat.errors import (
    DuplicateMsgid,
    IpNotTrusted,
    NotPermitted,
    RateLimited,
    TransientError,
    TransportReason,
    WecomError,
    WrongCorpId,
    WrongSecret,
    explain,
)
from huitouke.wechat.kf import (
    MESSAGES_PER_CUSTOMER_MESSAGE,
    REPLY_WINDOW_HOURS,
    KfClient,
    KfCustomer,
    ServiceState,
)
from huitouke.wechat.kf_content import OutgoingContent
from huitouke.wechat.media import UPLOAD_LIMIT_BYTES, MediaClient, MediaKind

GENDERS: Final[Mapping[int, Literal["unknown", "male", "female"]]] = {0: "unknown", 1: "male", 2: "female"}
_FALLBACK_MEDIA_TYPES: Final[Mapping[str, str]] = {
    "image": "image/jpeg",
    "voice": "audio/amr",
    "video": "video/mp4",
    "file": "application/octet-stream",
}
_CARD_LIMITS_BYTES: Final[Mapping[MsgType, Mapping[str, int]]] = {
    "link": {
        "title": kf_content.TITLE_LIMIT_BYTES,
        "desc": kf_content.DESCRIPTION_LIMIT_BYTES,
        "url": kf_content.URL_LIMIT_BYTES,
    },
    "miniprogram": {
        "appid": kf_content.APPID_LIMIT_BYTES,
        "title": kf_content.PROGRAM_TITLE_LIMIT_BYTES,
        "pagepath": kf_content.PAGEPATH_LIMIT_BYTES,
    },
    "msgmenu": {
        "head_content": kf_content.MENU_EDGE_LIMIT_BYTES,
        "tail_content": kf_content.MENU_EDGE_LIMIT_BYTES,
        "click": kf_content.CLICK_LIMIT_BYTES,
        "view": kf_content.VIEW_LIMIT_BYTES,
        "miniprogram": kf_content.VIEW_LIMIT_BYTES,
        "text": kf_content.LINE_LIMIT_BYTES,
        "url": kf_content.URL_LIMIT_BYTES,
        "appid": kf_content.APPID_LIMIT_BYTES,
        "pagepath": kf_content.PAGEPATH_LIMIT_BYTES,
    },
    "location": {"name": kf_content.PLACE_LIMIT_BYTES, "address": kf_content.PLACE_LIMIT_BYTES},
}
_WITH_THUMB: Final = frozenset({"link", "miniprogram"})
"""Cards whose file is their picture."""
_MEDIA_GONE: Final = frozenset({40004, 40007})
_NEWS: Final[Mapping[int, SendNews]] = {
    95001: "used_up",
    95002: "over",
    95031: "over",
    95013: "session_changed",
    95018: "session_changed",
    40058: "code_over",
}
"""What refusals of kf/send_msg and send_msg_on_event teach (path/94677, path/95122)."""


class WecomKf:
    """The channel `wecom_kf`."""

    kind = "wecom_kf"
    rules = ChannelRules(
        window_messages=MESSAGES_PER_CUSTOMER_MESSAGE,
        window=timedelta(hours=REPLY_WINDOW_HOURS),
        text_limit_bytes=kf_content.TEXT_LIMIT_BYTES,
        file_limits_bytes={kind.value: limit for kind, limit in UPLOAD_LIMIT_BYTES.items()},
        card_limits_bytes=_CARD_LIMITS_BYTES,
        menu_entries=kf_content.MENU_ENTRY_LIMIT,
        menu_buttons=kf_content.MENU_BUTTON_LIMIT,
        sessions=Sessions(
            states={
                ServiceState.NEW: SessionRule("new", may_send=True, may_give_to_servicer=True, may_end=True),
                ServiceState.ASSISTANT: SessionRule(
                    "assistant", may_send=True, may_give_to_servicer=True, may_end=True
                ),
                ServiceState.POOL: SessionRule("pool", may_send=False, may_give_to_servicer=True, may_end=True),
                ServiceState.SERVICER: SessionRule("servicer", may_send=False, may_give_to_servicer=True, may_end=True),
                ServiceState.ENDED: SessionRule("ended", may_send=False, may_give_to_servicer=False, may_end=False),
            },
            ended=ServiceState.ENDED,
            with_servicer=ServiceState.SERVICER,
            after_send={ServiceState.NEW: ServiceState.ASSISTANT},
            after_customer={ServiceState.ENDED: ServiceState.NEW},
        ),
        identity_kind="external_userid",
    )

    def explain(self, code: str, locale: str) -> str:
        """The sentence for a stored failure code that is WeCom's number or a reason without one."""
        if code.lstrip("-").isdigit():
            return explain(int(code), locale)
        known = {reason.value: reason for reason in TransportReason}
        return explain(known.get(code, TransportReason.BROKEN), locale)

    async def issuer(self, ctx: Context, account: AccountRef) -> str:
        """The corp id: an external_userid is the same at all accounts of a corp."""
        return (await organization.wecom_app(ctx, _app_id(account))).corp_id

    async def pull(self, context: Context, account: AccountRef, cursor: str | None, token: str | None) -> Pulled:
        """One page of kf/sync_msg (path/94670)."""
        with _errors():
            page = await (await _kf(context, account)).sync_msg(account.external_id, cursor or "", token or "")
        return Pulled(translated(page.items, clock.now()), page.next_cursor, page.has_more)

    async def send(self, context: Context, account: AccountRef, message: Outgoing) -> str:
        """kf/send_msg (path/94677), or send_msg_on_event for a message that answers an event (path/95122)."""
        content = _content(message)
        with _errors():
            kf = await _kf(context, account)
            if message.event_code is not None:
                assert isinstance(content, kf_content.Text), "events are answered with texts"
                return await kf.send_msg_on_event(message.event_code, content, msgid=message.msgid)
            return await kf.send_msg(account.external_id, message.address, content, msgid=message.msgid)

    async def upload(self, context: Context, account: AccountRef, msgtype: MsgType, file: FetchedMedia) -> str:
        """media/upload (path/90253); the picture of a card is an image."""
        kind = MediaKind.IMAGE if msgtype in _WITH_THUMB else MediaKind(msgtype)
        with _errors():
            media = MediaClient(await organization.wecom_client(context, _app_id(account)))
            return (await media.upload(kind, file.name, file.data, file.media_type)).media_id

    async def download(self, context: Context, account: AccountRef, media_id: str, msgtype: MsgType) -> FetchedMedia:
        """media/get (path/90254)."""
        sink = io.BytesIO()  # at most 20 MB (path/90254), and the caller needs it whole
        with _errors():
            media = MediaClient(await organization.wecom_client(context, _app_id(account)))
            found = await media.get(media_id, sink)
        data = sink.getvalue()
        media_type = found.media_type
        if media_type in ("", "application/octet-stream"):
            media_type = _FALLBACK_MEDIA_TYPES.get(msgtype, "image/jpeg")
        return FetchedMedia(data, found.filename or msgtype, media_type)

    async def profiles(self, context: Context, account: AccountRef, addresses: Sequence[str]) -> list[Profile]:
        """kf/customer/batchget (path/95159): only those active within 48 hours are told."""
        with _errors():
            batch = await (await _kf(context, account)).customers(addresses)
        return [_profile(customer) for customer in batch.customers]

    async def session(self, context: Context, account: AccountRef, address: str) -> tuple[int, str | None]:
        """kf/service_state/get (path/94669)."""
        with _errors():
            found = await (await _kf(context, account)).service_state(account.external_id, address)
        return int(found.service_state), found.servicer_userid or None

    async def move_session(
        self, context: Context, account: AccountRef, address: str, state: int, servicer_userid: str | None
    ) -> str:
        """kf/service_state/trans (path/94669)."""
        with _errors():
            kf = await _kf(context, account)
            wanted = ServiceState(state)
            return await kf.change_service_state(account.external_id, address, wanted, servicer_userid or "")

    async def servicers(self, context: Context, account: AccountRef) -> list[Servicer]:
        """kf/servicer/list (path/94645), people only."""
        with _errors():
            found = await (await _kf(context, account)).list_servicers(account.external_id)
        return [Servicer(one.userid, "receiving" if one.status == 0 else "stopped") for one in found if one.userid]


async def _kf(context: Context, account: AccountRef) -> KfClient:
    return KfClient(await organization.wecom_client(context, _app_id(account)))


def _app_id(account: AccountRef) -> UUID:
    if account.wecom_app_id is None:
        raise ChannelError("account_disconnected", final=True, account_at_fault=True)
    return account.wecom_app_id


@contextmanager
def _errors() -> Iterator[None]:
    """WeCom's errors as those of a channel."""
    try:
        yield
    except WecomError as error:
        raise channel_error(error) from error


def channel_error(error: WecomError) -> ChannelError:
    """What a WeCom error means for delivery: time-outs, -1, 45009 and 45033 may pass, the rest stays as it is."""
    code = str(error.errcode) if error.errcode is not None else (error.reason or TransportReason.BROKEN).value
    retry_after = error.retry_after_seconds if isinstance(error, RateLimited) else None
    return ChannelError(
        code,
        final=not isinstance(error, TransientError | RateLimited),
        accepted_before=isinstance(error, DuplicateMsgid),
        may_have_happened=error.may_have_happened,
        account_at_fault=isinstance(error, WrongSecret | WrongCorpId | IpNotTrusted | NotPermitted),
        media_gone=error.errcode in _MEDIA_GONE,
        news=None if error.errcode is None else _NEWS.get(error.errcode),
        retry_after_seconds=retry_after,
    )


def _content(message: Outgoing) -> OutgoingContent:
    match message.msgtype:
        case "text":
            return kf_content.Text(content=f"{message.ai_label or ''}{message.text}")
        case "image":
            return kf_content.Image(media_id=cast(str, message.media_id))
        case "voice":
            return kf_content.Voice(media_id=cast(str, message.media_id))
        case "video":
            return kf_content.Video(media_id=cast(str, message.media_id))
        case "file":
            return kf_content.File(media_id=cast(str, message.media_id))
        case "link" | "miniprogram":
            return _card(message.msgtype, {**message.content, "thumb_media_id": message.media_id})
        case "location":
            return _card(message.msgtype, message.content)
        case "msgmenu":
            entries = [{"type": entry["type"], **entry[entry["type"]]} for entry in message.content["list"]]
            return _card(message.msgtype, {**message.content, "entries": entries})
        case other:
            raise ChannelError(f"msgtype_{other}", final=True)


def _card(msgtype: str, stored: Mapping[str, Any]) -> OutgoingContent:
    """What stands in the message, as the model of its kind; what the call doesn't take is left out."""
    fields = {name: value for name, value in stored.items() if name != "list"}
    return kf_content.outgoing_content.validate_python({"msgtype": msgtype, **fields})


def _profile(customer: KfCustomer) -> Profile:
    return Profile(
        customer.external_userid,
        customer.nickname,
        customer.avatar or None,
        GENDERS.get(customer.gender, "unknown"),
        customer.unionid or None,
    )

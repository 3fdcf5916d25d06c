"""What `kf/sync_msg` gives (path/94670): one model per msgtype and event_type, and one for whatever is new.

A page is never lost because of one item: each is parsed by itself and comes with its raw form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from huitouke.wechat.client import Answer


class Origin(IntEnum):
    CUSTOMER = 3
    SYSTEM = 4
    SERVICER = 5  # a person in the WeCom client; what our API sent is never returned


class KfItem(Answer):
    """What every item has. `send_time` in Unix seconds. For events the ids are taken out of `event`."""

    msgid: str
    open_kfid: str = ""
    external_userid: str = ""
    send_time: int = 0
    origin: int = 0
    servicer_userid: str = ""


class TextPart(Answer):
    content: str
    menu_id: str = ""  # the clicked entry of a msgmenu


class MediaPart(Answer):
    """`media_id` can be downloaded for 3 days (path/90253)."""

    media_id: str


class LocationPart(Answer):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class LinkPart(Answer):
    title: str = ""
    desc: str = ""
    url: str = ""
    pic_url: str = ""


class BusinessCardPart(Answer):
    userid: str


class MiniprogramPart(Answer):
    title: str = ""
    appid: str = ""
    pagepath: str = ""
    thumb_media_id: str = ""


class MsgMenuPart(Answer):
    """`entries` are {type, click|view|miniprogram|text: {…}} as sent."""

    head_content: str = ""
    entries: tuple[dict[str, Any], ...] = Field(default=(), alias="list")
    tail_content: str = ""


class ShopProductPart(Answer):
    product_id: str = ""
    head_image: str = ""
    title: str = ""
    sales_price: str = ""
    shop_nickname: str = ""
    shop_head_image: str = ""


class ShopOrderPart(Answer):
    order_id: str = ""
    product_titles: str = ""
    price_wording: str = ""
    state: str = ""
    image_url: str = ""
    shop_nickname: str = ""


class MergedItemPart(Answer):
    """`msg_content` is JSON as text, in the shape of the item's own msgtype."""

    send_time: int = 0
    msgtype: str = ""
    sender_name: str = ""
    msg_content: str = ""


class MergedPart(Answer):
    title: str = ""
    item: tuple[MergedItemPart, ...] = ()


class ChannelsPart(Answer):
    """视频号: `sub_type` 1 feed, 2 live, 3 business card."""

    sub_type: int = 0
    nickname: str = ""
    title: str = ""


class TextMessage(KfItem):
    msgtype: Literal["text"]
    text: TextPart


class ImageMessage(KfItem):
    msgtype: Literal["image"]
    image: MediaPart


class VoiceMessage(KfItem):
    msgtype: Literal["voice"]
    voice: MediaPart


class VideoMessage(KfItem):
    msgtype: Literal["video"]
    video: MediaPart


class FileMessage(KfItem):
    msgtype: Literal["file"]
    file: MediaPart


class LocationMessage(KfItem):
    msgtype: Literal["location"]
    location: LocationPart


class LinkMessage(KfItem):
    msgtype: Literal["link"]
    link: LinkPart


class BusinessCardMessage(KfItem):
    msgtype: Literal["business_card"]
    business_card: BusinessCardPart


class MiniprogramMessage(KfItem):
    msgtype: Literal["miniprogram"]
    miniprogram: MiniprogramPart


class MsgMenuMessage(KfItem):
    msgtype: Literal["msgmenu"]
    msgmenu: MsgMenuPart


class ShopProductMessage(KfItem):
    msgtype: Literal["channels_shop_product"]
    channels_shop_product: ShopProductPart


class ShopOrderMessage(KfItem):
    msgtype: Literal["channels_shop_order"]
    channels_shop_order: ShopOrderPart


class MergedMessage(KfItem):
    msgtype: Literal["merged_msg"]
    merged_msg: MergedPart


class ChannelsMessage(KfItem):
    msgtype: Literal["channels"]
    channels: ChannelsPart


class ContentlessMessage(KfItem):
    """Kinds of which WeCom tells only that they happened."""

    msgtype: Literal["meeting", "calendar", "note"]


class WechatChannelsPart(Answer):
    """Where in 视频号 the customer came from; `scene` 1 to 5."""

    nickname: str = ""
    shop_nickname: str = ""
    scene: int = 0


class EnterSessionEvent(Answer):
    """The customer opened the session through a link. `welcome_code` is valid for 20 s and one message."""

    event_type: Literal["enter_session"]
    scene: str = ""
    scene_param: str = ""
    welcome_code: str = ""
    wechat_channels: WechatChannelsPart | None = None


class SendFailType(IntEnum):
    """Why a message accepted with errcode 0 did not arrive."""

    UNKNOWN = 0
    ACCOUNT_DELETED = 1
    APP_CLOSED = 2
    AFTER_48_HOURS = 4
    SESSION_CLOSED = 5
    MORE_THAN_FIVE = 6
    CORP_UNVERIFIED = 8
    REJECTED_BY_CUSTOMER = 10
    NO_EMPLOYEE_SIGNED_IN = 11
    FORBIDDEN_TYPE = 12
    SECURITY = 13


class MsgSendFailEvent(Answer):
    """`fail_type` is a SendFailType or a number that is newer than this list."""

    event_type: Literal["msg_send_fail"]
    fail_msgid: str
    fail_type: int = 0


class ServicerStatusEvent(Answer):
    """`status` 1 receiving, 2 stopped; `stop_type` 0 stopped, 1 suspended."""

    event_type: Literal["servicer_status_change"]
    servicer_userid: str
    status: int
    stop_type: int = 0


class SessionChange(IntEnum):
    FROM_POOL = 1
    TRANSFER = 2
    END = 3
    REOPEN = 4


class SessionStatusEvent(Answer):
    """A servicer changed the session in the WeCom client; changes made by our API are not told.

    `msg_code` comes with FROM_POOL (valid 48 h) and END (20 s).
    """

    event_type: Literal["session_status_change"]
    change_type: int
    old_servicer_userid: str = ""
    new_servicer_userid: str = ""
    msg_code: str = ""


class UserRecallEvent(Answer):
    event_type: Literal["user_recall_msg"]
    recall_msgid: str


class ServicerRecallEvent(Answer):
    event_type: Literal["servicer_recall_msg"]
    recall_msgid: str
    servicer_userid: str = ""


class RejectSwitchEvent(Answer):
    """`reject_switch` 1: this servicer no longer takes messages of customers, 0: again."""

    event_type: Literal["reject_customer_msg_switch_change"]
    servicer_userid: str = ""
    reject_switch: int = 0


KfEvent = Annotated[
    EnterSessionEvent
    | MsgSendFailEvent
    | ServicerStatusEvent
    | SessionStatusEvent
    | UserRecallEvent
    | ServicerRecallEvent
    | RejectSwitchEvent,
    Field(discriminator="event_type"),
]


class EventMessage(KfItem):
    msgtype: Literal["event"]
    event: KfEvent


class UnknownMessage(KfItem):
    """A msgtype, event_type or shape that is newer than this code. `problem` names the fields that did not fit."""

    msgid: str = ""
    msgtype: str = ""
    event_type: str = ""
    problem: str = ""


KnownMessage = Annotated[
    TextMessage
    | ImageMessage
    | VoiceMessage
    | VideoMessage
    | FileMessage
    | LocationMessage
    | LinkMessage
    | BusinessCardMessage
    | MiniprogramMessage
    | MsgMenuMessage
    | ShopProductMessage
    | ShopOrderMessage
    | MergedMessage
    | ChannelsMessage
    | ContentlessMessage
    | EventMessage,
    Field(discriminator="msgtype"),
]
KfMessage = KnownMessage | UnknownMessage

_known: TypeAdapter[KnownMessage] = TypeAdapter(KnownMessage)
_ENVELOPE = ("msgid", "open_kfid", "external_userid", "servicer_userid", "msgtype")


@dataclass(frozen=True, slots=True)
class SyncItem:
    """One entry of msg_list: the model and what WeCom sent."""

    message: KfMessage
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SyncPage:
    """One page of sync_msg. `items` may be empty while `has_more` is true: go on with `next_cursor`."""

    next_cursor: str
    has_more: bool
    items: tuple[SyncItem, ...]


def parse_items(entries: Sequence[object]) -> tuple[SyncItem, ...]:
    """Every entry as a SyncItem, in order; never raises because of what an entry holds."""
    return tuple(_parse(entry) for entry in entries)


def _parse(entry: object) -> SyncItem:
    if not isinstance(entry, dict):
        return SyncItem(UnknownMessage(problem="not an object"), {"value": entry})
    event = entry.get("event")
    lifted = {**event, **_filled(entry)} if isinstance(event, dict) else entry
    try:
        return SyncItem(_known.validate_python(lifted), entry)
    except ValidationError as error:
        return SyncItem(_unknown(lifted, event, error), entry)


def _filled(entry: Mapping[str, Any]) -> dict[str, Any]:
    """`entry` without empty values, so that the ids inside `event` show through."""
    return {name: value for name, value in entry.items() if value not in ("", None)}


def _unknown(entry: Mapping[str, Any], event: object, error: ValidationError) -> UnknownMessage:
    """Only the envelope, as far as it is readable; the problem names fields and never their contents."""
    texts = {name: str(value) for name in _ENVELOPE if isinstance(value := entry.get(name), str | int)}
    numbers = {name: value for name in ("send_time", "origin") if isinstance(value := entry.get(name), int)}
    event_type = event.get("event_type") if isinstance(event, dict) else None
    problem = "; ".join(
        f"{'.'.join(str(step) for step in problem['loc'])}: {problem['type']}" for problem in error.errors()[:5]
    )
    return UnknownMessage.model_validate(
        {**texts, **numbers, "event_type": event_type if isinstance(event_type, str) else "", "problem": problem}
    )

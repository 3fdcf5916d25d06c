"""Messages of an app to the corp's own people (path/90236, 94888, 94867). Customers can't be reached with these."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from huitouke.wechat.client import Answer, Json, WecomClient, shaped
from huitouke.wechat.kf_content import at_most

USER_LIMIT = 1000
PARTY_LIMIT = 100
TAG_LIMIT = 100
TEXT_LIMIT_BYTES = 2048
DUPLICATE_CHECK_LIMIT_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class Receivers:
    """People by userid, departments and tags by id, or everybody in the app's visible range."""

    userids: Sequence[str] = ()
    party_ids: Sequence[int] = ()
    tag_ids: Sequence[int] = ()
    everybody: bool = False

    def __post_init__(self) -> None:
        if not (self.everybody or self.userids or self.party_ids or self.tag_ids):
            raise ValueError("a message needs a receiver")
        sizes = ((self.userids, USER_LIMIT), (self.party_ids, PARTY_LIMIT), (self.tag_ids, TAG_LIMIT))
        if any(len(ids) > limit for ids, limit in sizes):
            raise ValueError(f"at most {USER_LIMIT} people, {PARTY_LIMIT} departments and {TAG_LIMIT} tags at once")

    def send_fields(self) -> Json:
        if self.everybody:
            return {"touser": "@all"}
        lists = {"touser": self.userids, "toparty": self.party_ids, "totag": self.tag_ids}
        return {name: "|".join(str(one) for one in ids) for name, ids in lists.items() if ids}

    def update_fields(self) -> Json:
        if self.everybody:
            return {"atall": 1}
        lists = {"userids": self.userids, "partyids": self.party_ids, "tagids": self.tag_ids}
        return {name: list(ids) for name, ids in lists.items() if ids}


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CardSource(Part):
    """Where the card comes from; `desc_color` 0 grey, 1 black, 2 red, 3 green."""

    icon_url: str | None = None
    desc: str | None = None
    desc_color: Annotated[int, Field(ge=0, le=3)] = 0


class CardTitle(Part):
    title: str
    desc: str | None = None


class CardQuote(Part):
    title: str | None = None
    quote_text: str | None = None
    type: Literal[0, 1] = 0
    url: str | None = None


class CardLine(Part):
    """A name and a value in one line; `type` 0 plain, 1 opens `url`, 3 shows the member `userid`."""

    keyname: str
    value: str | None = None
    type: Literal[0, 1, 3] = 0
    url: str | None = None
    userid: str | None = None


class CardJump(Part):
    title: str
    type: Literal[0, 1] = 1
    url: str | None = None


class CardAction(Part):
    """What a tap on the card opens."""

    type: Literal[1] = 1
    url: Annotated[str, Field(min_length=1), at_most(2048)]


class CardMenuEntry(Part):
    text: str
    key: Annotated[str, at_most(1024)]


class CardMenu(Part):
    """The menu in the card's corner. With it a text_notice may be updated later."""

    desc: str | None = None
    action_list: Annotated[tuple[CardMenuEntry, ...], Field(min_length=1, max_length=3)]


class CardButton(Part):
    """`style` 1 blue … 4 grey. `type` 0 tells us `key` by template_card_event, 1 opens `url`."""

    text: str
    style: Annotated[int, Field(ge=1, le=4)] = 1
    type: Literal[0, 1] = 0
    key: Annotated[str, at_most(1024)] | None = None
    url: str | None = None


TaskId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_@-]{1,128}$")]


class TextNoticeCard(Part):
    """Text with a link. Updatable only with an `action_menu`; then `task_id` is required."""

    card_type: Literal["text_notice"] = "text_notice"
    source: CardSource | None = None
    action_menu: CardMenu | None = None
    task_id: TaskId | None = None
    main_title: CardTitle
    quote_area: CardQuote | None = None
    emphasis_content: CardTitle | None = None
    sub_title_text: str | None = None
    horizontal_content_list: Annotated[tuple[CardLine, ...], Field(max_length=6)] = ()
    jump_list: Annotated[tuple[CardJump, ...], Field(max_length=3)] = ()
    card_action: CardAction


class ButtonInteractionCard(Part):
    """Text with up to six buttons; the answer to sending it holds a response_code for one update."""

    card_type: Literal["button_interaction"] = "button_interaction"
    source: CardSource | None = None
    action_menu: CardMenu | None = None
    task_id: TaskId
    main_title: CardTitle
    quote_area: CardQuote | None = None
    sub_title_text: str | None = None
    horizontal_content_list: Annotated[tuple[CardLine, ...], Field(max_length=6)] = ()
    card_action: CardAction | None = None
    button_list: Annotated[tuple[CardButton, ...], Field(min_length=1, max_length=6)]


Card = Annotated[TextNoticeCard | ButtonInteractionCard, Field(discriminator="card_type")]


class TextCard(Part):
    """A title, a text (some HTML allowed) and a link that opens on tap."""

    title: Annotated[str, Field(min_length=1, max_length=128)]
    description: Annotated[str, Field(min_length=1, max_length=512)]
    url: Annotated[str, Field(min_length=1), at_most(2048)]
    btntxt: Annotated[str, Field(max_length=4)] | None = None


@dataclass(frozen=True, slots=True)
class DuplicateCheck:
    """WeCom drops an equal message to the same receivers within the interval (at most 4 h)."""

    interval_seconds: int = 1800

    def __post_init__(self) -> None:
        if not 1 <= self.interval_seconds <= DUPLICATE_CHECK_LIMIT_SECONDS:
            raise ValueError(f"1 to {DUPLICATE_CHECK_LIMIT_SECONDS} seconds")


@dataclass(frozen=True, slots=True)
class SentAppMessage:
    """`msgid` recalls, `response_code` updates a card once within 72 h. Ids that got nothing are lower-cased."""

    msgid: str
    response_code: str
    invalid_userids: tuple[str, ...] = field(default=())
    invalid_party_ids: tuple[str, ...] = field(default=())
    invalid_tag_ids: tuple[str, ...] = field(default=())
    unlicensed_userids: tuple[str, ...] = field(default=())


class _SendAnswer(Answer):
    msgid: str = ""
    response_code: str = ""
    invaliduser: str = ""
    invalidparty: str = ""
    invalidtag: str = ""
    unlicenseduser: str = ""


class AppMessageClient:
    """Raises WecomError: 81013 when no receiver is in the visible range. More than 30 messages a minute to one
    person are dropped by WeCom without an error."""

    def __init__(self, client: WecomClient, agent_id: int) -> None:
        self._client = client
        self._agent_id = agent_id

    async def send_text(
        self, receivers: Receivers, content: str, *, duplicate_check: DuplicateCheck | None = None
    ) -> SentAppMessage:
        """Plain text of at most 2048 bytes (path/90236). Raises ValueError beyond it."""
        if not content or len(content.encode()) > TEXT_LIMIT_BYTES:
            raise ValueError(f"a text has 1 to {TEXT_LIMIT_BYTES} bytes")
        return await self._send(receivers, "text", {"content": content}, duplicate_check)

    async def send_textcard(
        self, receivers: Receivers, card: TextCard, *, duplicate_check: DuplicateCheck | None = None
    ) -> SentAppMessage:
        """A card with title, text and link (path/90236)."""
        return await self._send(receivers, "textcard", _plain(card), duplicate_check)

    async def send_template_card(
        self,
        receivers: Receivers,
        card: TextNoticeCard | ButtonInteractionCard,
        *,
        duplicate_check: DuplicateCheck | None = None,
    ) -> SentAppMessage:
        """A template card (path/90236). `response_code` comes for cards with buttons or an action menu."""
        return await self._send(receivers, "template_card", _plain(card), duplicate_check)

    async def disable_buttons(self, receivers: Receivers, response_code: str, text: str) -> None:
        """Make a card's buttons unclickable and write `text` on them (path/94888). Uses up the response_code."""
        await self._update(receivers, response_code, {"button": {"replace_name": text}})

    async def replace_card(
        self, receivers: Receivers, response_code: str, card: TextNoticeCard | ButtonInteractionCard
    ) -> None:
        """Put another card in the place of one (path/94888). Uses up the response_code."""
        await self._update(receivers, response_code, {"template_card": _plain(card)})

    async def recall(self, msgid: str) -> None:
        """Take a message back within 24 hours (path/94867). Raises WecomError 42052 later."""
        await self._client.post("message/recall", {"msgid": msgid}, idempotent=True)

    async def _send(
        self, receivers: Receivers, msgtype: str, content: Json, duplicate_check: DuplicateCheck | None
    ) -> SentAppMessage:
        """Repeated after a time-out only under a duplicate check, as there is no message id of ours."""
        body: Json = {**receivers.send_fields(), "msgtype": msgtype, "agentid": self._agent_id, msgtype: content}
        if duplicate_check is not None:
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": duplicate_check.interval_seconds}
        answer = await self._client.post("message/send", body, idempotent=duplicate_check is not None)
        sent = shaped(_SendAnswer, answer, "message/send")
        return SentAppMessage(
            msgid=sent.msgid,
            response_code=sent.response_code,
            invalid_userids=_ids(sent.invaliduser),
            invalid_party_ids=_ids(sent.invalidparty),
            invalid_tag_ids=_ids(sent.invalidtag),
            unlicensed_userids=_ids(sent.unlicenseduser),
        )

    async def _update(self, receivers: Receivers, response_code: str, change: Json) -> None:
        body = {**receivers.update_fields(), "agentid": self._agent_id, "response_code": response_code, **change}
        await self._client.post("message/update_template_card", body, idempotent=False)


def _plain(part: Part) -> dict[str, Any]:
    """As WeCom takes it: without absent values and empty lists."""
    fields = part.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in fields.items() if value != []}


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(one for one in joined.split("|") if one)

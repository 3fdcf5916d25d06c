"""What crosses the console's API about conversations; the same models are the frames of open screens."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from huitouke.kernel.masking import CONTACTS, masked_unless

Contact = Annotated[str, masked_unless(CONTACTS)]
"""What is known of a customer, in which people write numbers."""

REPLY = "conversations.reply"
Said = Annotated[str, masked_unless(CONTACTS, REPLY)]
"""Words of a conversation: whoever answers has to read them as they are, others need no numbers in them."""

SaidData = Annotated[dict[str, Any], masked_unless(CONTACTS, REPLY, of=dict[str, Any])]
"""The same of what is not text alone."""

Handler = Literal["assistant", "agent", "servicer"]
State = Literal["open", "closed"]
SenderKind = Literal["customer", "assistant", "agent", "servicer", "system"]
MessageState = Literal["received", "queued", "sending", "sent", "failed", "unknown"]
View = Literal["all", "mine", "waiting", "assistant", "closed"]
Sort = Literal["newest", "waiting"]


class PersonOut(BaseModel):
    """Somebody with a name."""

    id: UUID
    name: str


class CustomerBrief(BaseModel):
    """The customer in a row."""

    id: UUID
    name: Contact
    avatar_url: str | None


class AccountBrief(BaseModel):
    """The account in a row."""

    id: UUID
    name: str
    kind: str


class ConversationRow(BaseModel):
    """A conversation in the inbox."""

    id: UUID
    customer: CustomerBrief
    channel_account: AccountBrief
    state: State
    handler: Handler
    staff: PersonOut | None = Field(description="The agent who has it; null with handler `agent`: it waits for one.")
    servicer_userid: str | None
    servicer_name: str | None
    last_preview: Said
    last_msgtype: str
    last_sender: SenderKind
    last_message_at: datetime
    unread: int
    waiting_since: datetime | None
    window_left: int = Field(description="Messages we may still send until the customer writes again.")
    window_expires_at: datetime | None
    seq: int
    assistant_paused_until: datetime | None


class IdentityBrief(BaseModel):
    """One name under which a channel knows the customer."""

    kind: str
    issuer: str
    value: Contact


class CustomerCard(CustomerBrief):
    """The customer beside the conversation."""

    gender: Literal["unknown", "male", "female"]
    remark: Contact | None
    identities: list[IdentityBrief]
    created_at: datetime
    last_seen_at: datetime | None
    version: int


class Reply(BaseModel):
    """Whether the person may write now."""

    allowed: bool
    reason: (
        Literal[
            "closed", "with_servicer", "take_first", "already_taken", "window_closed", "no_messages_left", "permission"
        ]
        | None
    )
    sentence: str | None = Field(description="The reason in the person's language.")


class Can(BaseModel):
    """What the person may do with the conversation now."""

    reply: Reply
    take: bool
    hand_back: bool
    hand_over: bool
    hand_over_wecom: bool
    close: bool


class Failure(BaseModel):
    """Why something did not happen, for machines and for people."""

    code: str
    sentence: str


class NoticeProblem(BaseModel):
    """The card that tells the staff of a waiting customer did not go out, or nobody knows whether it did."""

    state: Literal["failed", "unknown", "nobody"]
    sentence: str = Field(description="What happened and what to do.")


class SummaryLine(BaseModel):
    """What somebody said before a handover; `who` null means that a person or a model wrote the line."""

    who: Literal["customer", "assistant"] | None
    text: Said


class ConversationDetail(ConversationRow):
    """A conversation that is open on the screen."""

    customer: CustomerCard
    session_state: int
    handover_to: Literal["console", "wecom"] | None
    handover_reason: str | None
    handover_summary: list[SummaryLine]
    handover_problem: str | None = Field(description="Why no servicer could be given the session, with what to do.")
    notice_problem: NoticeProblem | None = Field(
        description="Why nobody may have heard in WeCom that the customer waits; null while all is well."
    )
    closed_at: datetime | None
    text_limit_bytes: int
    card_limits_bytes: dict[str, dict[str, int]] = Field(
        description="Cards that the channel takes, with the most bytes of UTF-8 of each of their texts."
    )
    menu_buttons: int = Field(description="Entries of a menu that can be tapped, at most.")
    can: Can


class Counts(BaseModel):
    """Open conversations by who has to do something; 1,000 means that there are at least as many."""

    mine: int
    waiting: int
    assistant: int
    open: int


class FileOut(BaseModel):
    """A file of a message, with an address that is good for an hour."""

    id: UUID
    name: Said
    bytes: int
    media_type: str
    url: str


class MessageOut(BaseModel):
    """A message, or a line about the conversation (msgtype `event`)."""

    id: UUID
    seq: int
    changed_seq: int
    conversation_id: UUID
    direction: Literal["in", "out"]
    sender_kind: SenderKind
    sender: PersonOut | None
    sender_name: str | None = Field(description="Name of the agent or servicer who wrote it.")
    msgtype: str
    text: Said | None
    content: SaidData
    file: FileOut | None
    ai: bool = Field(description="Written by the assistant; customers are told so, history keeps it.")
    state: MessageState
    failure: Failure | None
    client_id: str | None
    sent_at: datetime
    recalled_at: datetime | None


class MessagePage(BaseModel):
    """Messages, oldest first."""

    items: list[MessageOut]
    has_more: bool = Field(description="Whether there are older ones.")


CardText = Annotated[str, Field(max_length=2_048)]
"""A text of a card. How many bytes the channel takes of it says `card_limits_bytes` of the conversation."""


class LinkCard(BaseModel):
    """图文链接: a card that opens a web page."""

    msgtype: Literal["link"]
    title: CardText
    desc: CardText = ""
    url: CardText
    picture_id: UUID = Field(description="Uploaded before, with the purpose message_image.")


class MiniprogramCard(BaseModel):
    """小程序卡片. `pagepath` is the page in the program; the `.html` that WeChat wants is added where it is missing."""

    msgtype: Literal["miniprogram"]
    appid: CardText
    title: CardText = ""
    pagepath: CardText
    picture_id: UUID = Field(description="Uploaded before, with the purpose message_image; best 520 × 416.")


class MenuClick(BaseModel):
    """An entry that the customer taps; it comes back as a text of these words."""

    type: Literal["click"]
    content: CardText


class MenuView(BaseModel):
    """An entry that opens a web page."""

    type: Literal["view"]
    content: CardText
    url: CardText


class MenuMiniprogram(BaseModel):
    """An entry that opens a mini program."""

    type: Literal["miniprogram"]
    content: CardText
    appid: CardText
    pagepath: CardText


class MenuText(BaseModel):
    """A line of words; with `no_newline` the next entry stands on the same line."""

    type: Literal["text"]
    content: CardText
    no_newline: bool = False


MenuEntry = Annotated[MenuClick | MenuView | MenuMiniprogram | MenuText, Field(discriminator="type")]


class MenuCard(BaseModel):
    """菜单消息: words before, entries, words after."""

    msgtype: Literal["msgmenu"]
    head_content: CardText = ""
    entries: Annotated[list[MenuEntry], Field(max_length=100)]
    tail_content: CardText = ""


class LocationCard(BaseModel):
    """位置, in the coordinates of Chinese maps (GCJ-02)."""

    msgtype: Literal["location"]
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    name: CardText = ""
    address: CardText = ""


Card = Annotated[LinkCard | MiniprogramCard | MenuCard | LocationCard, Field(discriminator="msgtype")]


class MessageIn(BaseModel):
    """One of: a text, a file that was uploaded before, a card."""

    text: Annotated[str, Field(max_length=10_000)] | None = None
    file_id: UUID | None = None
    card: Card | None = None


class HandOverIn(BaseModel):
    """Where to."""

    to: Literal["console", "wecom"]
    servicer_userid: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="For the colleague; kept as the summary."
    )


class PauseIn(BaseModel):
    """How long the assistant keeps silent; `minutes` null: until told."""

    paused: bool
    minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30)] | None = None


class MessageChanged(BaseModel):
    """What the screen gets of a message."""

    kind: Literal["message"] = "message"
    seq: int
    message: MessageOut


class ConversationChanged(BaseModel):
    """What the screen gets of the conversation itself."""

    kind: Literal["conversation"] = "conversation"
    seq: int
    conversation: ConversationDetail


class ChannelAccountOut(BaseModel):
    """A connected account."""

    id: UUID
    kind: str
    name: str
    avatar_url: str | None
    external_id: str
    wecom_app_id: UUID | None = Field(description="The app that calls for it; null for channels that need none.")
    channel: str = Field(description="The channel's name in the person's language.")
    wecom: bool = Field(
        description="Whether it is a 客服账号 of 微信客服, which has a link, servicers and a name in WeCom."
    )
    state: Literal["active", "disconnected", "failing"]
    handover_to: Literal["console", "wecom"]
    greeting: str = Field(description="Sent when somebody opens the chat by a link, while `greeting_on`.")
    greeting_on: bool
    closing: str = Field(description="Sent when a session ends, while `closing_on`.")
    closing_on: bool
    taken: str = Field(description="Sent when a servicer in the WeCom app takes the session, while `taken_on`.")
    taken_on: bool
    assistant_enabled: bool
    link: str | None
    last_synced_at: datetime | None
    last_error_code: str | None
    last_error: str | None = Field(description="The sentence behind the code: what happened and what to do.")
    last_error_at: datetime | None
    created_at: datetime


class ChannelAccountIn(BaseModel):
    """A new 客服账号."""

    wecom_app_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=16)]


class AdoptIn(BaseModel):
    """A 客服账号 that exists."""

    wecom_app_id: UUID
    open_kfid: Annotated[str, Field(min_length=1, max_length=64)]


class ChannelAccountPatch(BaseModel):
    """What to change; what is absent stays. A text without its switch is switched on, an empty one off."""

    name: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    greeting: Annotated[str, Field(max_length=2048)] | None = None
    greeting_on: bool | None = None
    closing: Annotated[str, Field(max_length=2048)] | None = None
    closing_on: bool | None = None
    taken: Annotated[str, Field(max_length=2048)] | None = None
    taken_on: bool | None = None
    handover_to: Literal["console", "wecom"] | None = None
    assistant_enabled: bool | None = None


class AvailableAccount(BaseModel):
    """A 客服账号 of the corp."""

    open_kfid: str
    name: str
    avatar_url: str | None
    manageable: bool = Field(description="Whether WeCom lets this app manage it by API.")
    adopted: bool = Field(description="Whether it is connected already.")


class AccountEnd(BaseModel):
    """What the end of an account would do."""

    open_conversations: int = Field(description="Conversations that would be closed; all of them stay readable.")


class LinkOut(BaseModel):
    """The link that opens a chat."""

    url: str


class ServicerOut(BaseModel):
    """Somebody who may receive sessions in the WeCom app."""

    userid: str
    name: str | None = Field(description="Name of the member of staff with that WeCom account.")
    receiving: bool
    problem: str | None = Field(default=None, description="Why the person could not be added, with what to do.")


class ServicersIn(BaseModel):
    """WeCom accounts to add or remove."""

    userids: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=100)]


class CopiedValue(BaseModel):
    """A value that the cure has one copy."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    value: str | None = None


class Check(BaseModel):
    """One step of a connection check."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: str
    state: Literal["ok", "failed", "waiting", "optional"]
    message: str
    fix: str
    mistake: str = ""
    step: str = ""
    place: str = ""
    values: list[CopiedValue] = []


class Checks(BaseModel):
    """All steps of a connection check, in order."""

    checks: list[Check]

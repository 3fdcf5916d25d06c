"""What a channel is: its rules as data, and the calls that leave the house.

A channel is registered by its module's manifest under the registry `conversations.channels`. Its calls are made
outside transactions. They raise `ChannelError`, which says whether a repeat can help.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules
from huitouke.modules.customers import service as customers
from huitouke.wechat.kf_messages import SyncItem

REGISTRY: Final = "conversations.channels"

MsgType = str
ServicerState = Literal["receiving", "stopped"]


@dataclass(frozen=True, slots=True)
class SessionRule:
    """What one session state of the channel allows."""

    name: str
    may_send: bool
    """Whether our side may send in it."""
    may_give_to_servicer: bool
    may_end: bool


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The limits of a channel; screens, tools and services read them from here."""

    window_messages: int
    """Messages that may follow each customer message."""
    window: timedelta
    """How long after a customer message they may be sent."""
    text_limit_bytes: int
    file_limits_bytes: Mapping[MsgType, int]
    """Kinds of files that can be sent, with their largest size."""
    card_limits_bytes: Mapping[MsgType, Mapping[str, int]]
    """Kinds of cards that can be sent, with the most UTF-8 of each text; a menu's entries by their type."""
    menu_entries: int
    menu_buttons: int
    """Entries of a menu that can be tapped."""
    sessions: Mapping[int, SessionRule]
    session_after_send: Mapping[int, int]
    """Session state that a successful send leads to, where it changes."""
    session_after_customer: Mapping[int, int]
    """Session state that a customer's message leads to, where it changes."""
    has_servicers: bool
    identity_kind: customers.IdentityKind
    """Kind of the customer's identity in this channel."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """What a call needs of an account, read before the call in a transaction that is over."""

    id: UUID
    kind: str
    external_id: str
    wecom_app_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message ready to leave. `msgid` is the same in every attempt."""

    address: str
    msgtype: MsgType
    text: str | None
    content: Mapping[str, Any]
    media_id: str | None
    msgid: str
    ai_label: str | None
    """The sign that says a machine wrote it; null for people's words."""
    event_code: str | None


@dataclass(frozen=True, slots=True)
class Pulled:
    """One page of what happened at an account, in the order of the platform."""

    items: Sequence[SyncItem]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What the channel tells of a customer."""

    address: str
    name: str
    avatar_url: str | None
    gender: Literal["unknown", "male", "female"]
    unionid: str | None


@dataclass(frozen=True, slots=True)
class Servicer:
    """A member of the WeCom corp who may receive sessions in the WeCom app."""

    userid: str
    state: ServicerState


@dataclass(frozen=True, slots=True)
class FetchedMedia:
    """A file that a customer sent."""

    data: bytes = field(repr=False)
    name: str
    media_type: str


class ChannelError(Exception):
    """A call failed. `code` is stable and stored; `reason` is the sentence behind it, by locale.

    `final`: a repeat is useless. `accepted_before`: the channel has this msgid already, which after a repeat is
    success. `may_have_happened`: no answer came, but the call may have been carried out.
    """

    def __init__(
        self,
        code: str,
        *,
        final: bool,
        accepted_before: bool = False,
        may_have_happened: bool = False,
        account_at_fault: bool = False,
        media_gone: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.final = final
        self.accepted_before = accepted_before
        self.may_have_happened = may_have_happened
        self.account_at_fault = account_at_fault
        """The account can't work until a person changes something: wrong secret, IP not trusted, no right."""
        self.media_gone = media_gone
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """One kind of channel."""

    kind: str
    rules: ChannelRules

    def explain(self, code: str, locale: str) -> str:
        """The sentence for a stored failure code: what happened and what to do."""
        ...

    async def pull(self, context: Context, account: AccountRef, cursor: str | None, token: str | None) -> Pulled:
        """The page after the cursor. Raises ChannelError."""
        ...

    async def send(self, context: Context, account: AccountRef, message: Outgoing) -> str:
        """Sends, puts the AI's sign before the text where there is one, and gives the channel's id of the message.

        Raises ChannelError.
        """
        ...

    async def upload(self, context: Context, account: AccountRef, msgtype: MsgType, file: FetchedMedia) -> str:
        """Gives the file to the channel; the media id is valid for three days. Raises ChannelError."""
        ...

    async def download(self, context: Context, account: AccountRef, media_id: str, msgtype: MsgType) -> FetchedMedia:
        """The file that a customer sent. Raises ChannelError."""
        ...

    async def profiles(self, context: Context, account: AccountRef, addresses: Sequence[str]) -> list[Profile]:
        """Names and avatars of at most 100 customers; those that the channel won't tell are missing."""
        ...

    async def session(self, context: Context, account: AccountRef, address: str) -> tuple[int, str | None]:
        """The session's state and its servicer. Raises ChannelError."""
        ...

    async def move_session(
        self, context: Context, account: AccountRef, address: str, state: int, servicer_userid: str | None
    ) -> str:
        """Changes the session's state; gives the code for one message about it, "" for none. Raises ChannelError."""
        ...

    async def servicers(self, context: Context, account: AccountRef) -> list[Servicer]:
        """Who may receive sessions in the WeCom app. Raises ChannelError."""
        ...


class UnknownChannelError(LookupError):
    """An account names a channel that no loaded module offers."""


def channel(kind: str) -> Channel:
    """The registered channel of that kind.

    Raises:
        UnknownChannelError: no loaded module offers it.
    """
    for offered in load_modules().extensions(REGISTRY):
        if offered.kind == kind:
            found: Channel = offered
            return found
    raise UnknownChannelError(kind)


def window_end(rules: ChannelRules, customer_wrote_at: datetime) -> datetime:
    """When the channel stops taking our messages after a customer message of that time."""
    return customer_wrote_at + rules.window

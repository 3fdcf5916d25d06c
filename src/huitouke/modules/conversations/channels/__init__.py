"""What a channel is: its rules as data, and the calls that leave the house.

A channel is registered by its module's manifest under the registry `conversations.channels`. Its calls are made
outside transactions. They raise `ChannelError`, which says whether a repeat can help.

Every channel is a `Channel`. What only some can (bring pages, take files, tell names, have sessions and servicers of
their own) is a protocol of its own each, and whoever needs it asks with `isinstance` and says what happens without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, runtime_checkable
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules
from huitouke.modules.conversations.channels.inbound import Inbound
from huitouke.modules.customers import service as customers

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
    """Whether our end of a conversation is told to the channel."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The states that the channel's own session can be in, by their numbers (0 to 4)."""

    states: Mapping[int, SessionRule]
    ended: int
    with_servicer: int | None = None
    """A servicer has it in the channel's own app; None where there are no servicers."""
    after_send: Mapping[int, int] = field(default_factory=dict)
    """State that a successful send leads to, where it changes."""
    after_customer: Mapping[int, int] = field(default_factory=dict)
    """State that a customer's message leads to, where it changes."""


ALWAYS_OPEN: Final = Sessions(
    states={
        0: SessionRule("open", may_send=True, may_give_to_servicer=False, may_end=False),
        1: SessionRule("ended", may_send=False, may_give_to_servicer=False, may_end=False),
    },
    ended=1,
    after_customer={1: 0},
)
"""For channels that know no sessions: a conversation is open from the customer's message to our own end of it."""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The limits of a channel; screens, tools and services read them from here."""

    window_messages: int
    """Messages that may follow each customer message."""
    window: timedelta
    """How long after a customer message they may be sent."""
    text_limit_bytes: int
    identity_kind: customers.IdentityKind
    """Kind of the customer's identity in this channel."""
    file_limits_bytes: Mapping[MsgType, int] = field(default_factory=dict)
    """Kinds of files that can be sent, with their largest size."""
    card_limits_bytes: Mapping[MsgType, Mapping[str, int]] = field(default_factory=dict)
    """Kinds of cards that can be sent, with the most UTF-8 of each text; a menu's entries by their type."""
    menu_entries: int = 0
    menu_buttons: int = 0
    """Entries of a menu that can be tapped."""
    sessions: Sessions = ALWAYS_OPEN


@dataclass(frozen=True, slots=True)
class AccountRef:
    """What a call needs of an account, read before the call in a transaction that is over."""

    id: UUID
    kind: str
    external_id: str
    """The channel's own name of the account."""
    wecom_app_id: UUID | None
    """The app that calls for it, for channels of WeCom."""
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

    items: Sequence[Inbound]
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
    """Somebody of the merchant who may receive sessions in the channel's own app."""

    userid: str
    state: ServicerState


@dataclass(frozen=True, slots=True)
class FetchedMedia:
    """A file that a customer sent."""

    data: bytes = field(repr=False)
    name: str
    media_type: str


SendNews = Literal["used_up", "over", "session_changed", "code_over"]
"""What a refused message teaches: no messages left, no time left, somebody else has the session or it is at its end, or
the one-time code that it answered is used or too old."""


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
        news: SendNews | None = None,
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
        self.news = news
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """One kind of channel: what every one of them can."""

    kind: str
    rules: ChannelRules

    def explain(self, code: str, locale: str) -> str:
        """The sentence for a stored failure code: what happened and what to do."""
        ...

    async def send(self, context: Context, account: AccountRef, message: Outgoing) -> str:
        """Sends, puts the AI's sign before the text where there is one, and gives the channel's id of the message.

        Raises ChannelError.
        """
        ...


@runtime_checkable
class NamesIssuer(Protocol):
    """Customers' ids are not of the account but of something larger, so that its accounts share their customers."""

    async def issuer(self, ctx: Context, account: AccountRef) -> str:
        """Within what the customers' ids are unique, e.g. a corp id. Read in the caller's transaction."""
        ...


@runtime_checkable
class Pulls(Protocol):
    """What happened is asked for page by page; other channels bring it with `receive`."""

    async def pull(self, context: Context, account: AccountRef, cursor: str | None, token: str | None) -> Pulled:
        """The page after the cursor. Raises ChannelError."""
        ...


@runtime_checkable
class TakesFiles(Protocol):
    """Files are given to the channel before the message that names them."""

    async def upload(self, context: Context, account: AccountRef, msgtype: MsgType, file: FetchedMedia) -> str:
        """Gives the file to the channel; the media id is valid for three days. Raises ChannelError."""
        ...


@runtime_checkable
class GivesFiles(Protocol):
    """Customers can send files, which are fetched by what `Inbound.media_id` calls them."""

    async def download(self, context: Context, account: AccountRef, media_id: str, msgtype: MsgType) -> FetchedMedia:
        """The file that a customer sent. Raises ChannelError."""
        ...


@runtime_checkable
class TellsProfiles(Protocol):
    """The channel tells names and pictures of customers."""

    async def profiles(self, context: Context, account: AccountRef, addresses: Sequence[str]) -> list[Profile]:
        """Names and avatars of at most 100 customers; those that the channel won't tell are missing.

        Raises ChannelError.
        """
        ...


@runtime_checkable
class HasSessions(Protocol):
    """The channel keeps a session of its own per customer, whose state says who may write."""

    async def session(self, context: Context, account: AccountRef, address: str) -> tuple[int, str | None]:
        """The session's state and its servicer. Raises ChannelError."""
        ...

    async def move_session(
        self, context: Context, account: AccountRef, address: str, state: int, servicer_userid: str | None
    ) -> str:
        """Changes the session's state; gives the code for one message about it, "" for none. Raises ChannelError."""
        ...


@runtime_checkable
class HasServicers(HasSessions, Protocol):
    """People can answer in the channel's own app; without it only our console can take a conversation over."""

    async def servicers(self, context: Context, account: AccountRef) -> list[Servicer]:
        """Who may receive sessions there. Raises ChannelError."""
        ...


class UnknownChannelError(LookupError):
    """An account names a channel that no loaded module offers."""


def channels() -> Sequence[Channel]:
    """All channels that the loaded modules offer."""
    return load_modules().extensions(REGISTRY)


def channel(kind: str) -> Channel:
    """The registered channel of that kind.

    Raises:
        UnknownChannelError: no loaded module offers it.
    """
    for offered in channels():
        if offered.kind == kind:
            return offered
    raise UnknownChannelError(kind)


async def issuer_of(ctx: Context, account: AccountRef) -> str:
    """Within what the customers' ids of this account are unique: what its channel says, else the account itself."""
    offered = channel(account.kind)
    return await offered.issuer(ctx, account) if isinstance(offered, NamesIssuer) else str(account.id)

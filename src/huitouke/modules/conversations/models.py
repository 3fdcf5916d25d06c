"""Tables of the conversations: accounts, conversations, messages in and out, and what delivery needs.

Numbers: every change of a conversation takes the next of `conversations.seq`. A message carries the number it was
born with (`seq`) and that of its last change (`changed_seq`); `state_seq` is the last change of the conversation
itself. No number is given twice, so that a screen can ask for everything after the last number it has.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped

Moment = DateTime(timezone=True)


class ChannelAccount(TenantScoped, Base):
    """Something customers write to, e.g. a 客服账号 of 微信客服."""

    __tablename__ = "channel_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    """Name of the channel, e.g. `wecom_kf`."""
    name: Mapped[str] = mapped_column(Text)
    avatar_url: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    """The channel's own name of it, e.g. an open_kfid."""
    wecom_app_id: Mapped[UUID | None]
    """The app that calls for it; null for channels that need none, and once the account is disconnected."""
    state: Mapped[str] = mapped_column(Text)
    handover_to: Mapped[str] = mapped_column(Text)
    """Where a handover goes unless said otherwise: our console, or a servicer in the WeCom app."""
    greeting: Mapped[str] = mapped_column(Text)
    """Sent when somebody opens the chat by a link, while `greeting_on`."""
    greeting_on: Mapped[bool]
    closing: Mapped[str] = mapped_column(Text)
    """Sent when a session ends, while `closing_on`."""
    closing_on: Mapped[bool]
    taken: Mapped[str] = mapped_column(Text)
    """Sent when a servicer in the WeCom app takes the session, while `taken_on`."""
    taken_on: Mapped[bool]
    assistant_enabled: Mapped[bool]
    link_url: Mapped[str | None] = mapped_column(Text)
    sync_cursor: Mapped[str | None] = mapped_column(Text)
    last_synced_at: Mapped[datetime | None] = mapped_column(Moment)
    last_error_code: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class HostedPage(TenantScoped, Base):
    """A chat page of ours for one account of the channel `website`; name, picture and greeting are the account's."""

    __tablename__ = "hosted_pages"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    is_on: Mapped[bool]
    color: Mapped[str] = mapped_column(Text)
    questions: Mapped[list[str]] = mapped_column(JSONB)
    """Texts of the buttons under the greeting; a tap sends them."""
    record_number: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)


class Conversation(TenantScoped, Base):
    """All that one customer and one account ever said to each other."""

    __tablename__ = "conversations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_account_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    customer_address: Mapped[str] = mapped_column(Text)
    """The customer's id in the channel, e.g. an external_userid."""
    state: Mapped[str] = mapped_column(Text)
    handler: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[UUID | None]
    """The agent who has it; null with handler `agent` means that it waits for one."""
    servicer_userid: Mapped[str | None] = mapped_column(Text)
    session_state: Mapped[int]
    """The channel's own state, as its rules number it; 0 to 4 for 微信客服 (path/94669)."""
    seq: Mapped[int] = mapped_column(BigInteger)
    state_seq: Mapped[int] = mapped_column(BigInteger)
    last_message_at: Mapped[datetime] = mapped_column(Moment)
    last_preview: Mapped[str] = mapped_column(Text)
    """First 80 characters of the last message's text; for other kinds empty, `last_msgtype` says what it was."""
    last_msgtype: Mapped[str] = mapped_column(Text)
    last_sender: Mapped[str] = mapped_column(Text)
    last_customer_seq: Mapped[int] = mapped_column(BigInteger)
    last_customer_message_at: Mapped[datetime | None] = mapped_column(Moment)
    unread: Mapped[int]
    window_left: Mapped[int]
    """Messages we may still send until the customer writes again."""
    window_expires_at: Mapped[datetime | None] = mapped_column(Moment)
    assistant_paused_until: Mapped[datetime | None] = mapped_column(Moment)
    handover_id: Mapped[UUID | None]
    """Of the handover to people that is going on; a notice is sent once per id."""
    handover_to: Mapped[str | None] = mapped_column(Text)
    """`wecom` while the WeCom session is being moved to a servicer, else where it went."""
    handover_servicer: Mapped[str | None] = mapped_column(Text)
    handover_reason: Mapped[str | None] = mapped_column(Text)
    handover_summary: Mapped[str | None] = mapped_column(Text)
    handover_problem: Mapped[str | None] = mapped_column(Text)
    """Error code why no servicer could be given the session."""
    waiting_since: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    """When anything of it last changed, so that screens find what they missed."""
    created_at: Mapped[datetime] = mapped_column(Moment)


class Message(TenantScoped, Base):
    """One message, either way, or a line that says what happened (msgtype `event`)."""

    __tablename__ = "messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    changed_seq: Mapped[int] = mapped_column(BigInteger)
    direction: Mapped[str] = mapped_column(Text)
    sender_kind: Mapped[str] = mapped_column(Text)
    sender_id: Mapped[UUID | None]
    sender_userid: Mapped[str | None] = mapped_column(Text)
    """The servicer in the WeCom app who wrote it."""
    msgtype: Mapped[str] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    file_id: Mapped[UUID | None]
    ai: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    external_msgid: Mapped[str | None] = mapped_column(Text)
    client_id: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(Moment)
    """Inbound: when the customer sent it; outbound: when the channel accepted it, until then when it was written."""
    recalled_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class MessageReceipt(TenantScoped, Base):
    """Every platform's message id that was ever seen, so that a second arrival does nothing."""

    __tablename__ = "message_receipts"

    channel_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_msgid: Mapped[str] = mapped_column(Text, primary_key=True)
    message_id: Mapped[UUID | None]


class EarlyRecall(TenantScoped, Base):
    """A message was taken back before it came in itself: it is marked when it does."""

    __tablename__ = "early_recalls"

    channel_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_msgid: Mapped[str] = mapped_column(Text, primary_key=True)
    recalled_at: Mapped[datetime] = mapped_column(Moment)


class MessageClientId(TenantScoped, Base):
    """Idempotency keys of what was sent from screens."""

    __tablename__ = "message_client_ids"

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    message_id: Mapped[UUID]


class OutboundMessage(TenantScoped, Base):
    """The delivery of one message of ours."""

    __tablename__ = "outbound_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Same as the message's id."""
    conversation_id: Mapped[UUID]
    channel_account_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    msgid: Mapped[str] = mapped_column(Text)
    """What the channel recognises repeats by: 32 hex characters, the same in every attempt."""
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime] = mapped_column(Moment)
    event_code: Mapped[str | None] = mapped_column(Text)
    """welcome_code or msg_code: the message answers an event and doesn't count against the window (path/95122)."""
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    """After this moment sending is pointless (20 s after an event, 48 h after a servicer took a session)."""
    ai_label: Mapped[str | None] = mapped_column(Text)
    """The sign that the channel puts before an answer of the assistant."""
    counted: Mapped[bool]
    """Whether it took one of the window's messages."""
    purpose: Mapped[str] = mapped_column(Text)
    """Why it is sent (`kernel.outreach.Purpose`): whether it may go is asked for that purpose when it leaves."""
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    error_code: Mapped[str | None] = mapped_column(Text)


class MediaDownload(TenantScoped, Base):
    """A picture, voice, video or file of a message that is still with the platform, for three days (path/90253)."""

    __tablename__ = "media_downloads"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    channel_account_id: Mapped[UUID]
    media_id: Mapped[str] = mapped_column(Text)
    msgtype: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime] = mapped_column(Moment)
    error_code: Mapped[str | None] = mapped_column(Text)


class ChannelMedia(TenantScoped, Base):
    """A file of ours that the platform already has, and until when."""

    __tablename__ = "channel_media"

    channel_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class HandoverNotice(TenantScoped, Base):
    """The one card that tells staff of one handover, and what its update needs."""

    __tablename__ = "handover_notices"

    handover_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    wecom_app_id: Mapped[UUID]
    recipients: Mapped[list[str]] = mapped_column(JSONB)
    response_code: Mapped[str | None] = mapped_column(Text)
    """Consumed by the one update of the card, within 72 hours (path/94888)."""
    state: Mapped[str] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)

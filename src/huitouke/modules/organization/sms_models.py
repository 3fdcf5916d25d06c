"""Tables about SMS: the shop's account, what goes out, and what people answer."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.keys import sealed_column

SmsState = Literal["queued", "sending", "sent", "failed", "unknown", "refused", "delivered", "undelivered"]


class SmsAccount(TenantScoped, Base):
    """The merchant's account at a provider of SMS; one each."""

    __tablename__ = "sms_accounts"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    access_key_id: Mapped[str] = mapped_column(Text)
    secret_sealed: Mapped[str] = mapped_column(Text)
    sign: Mapped[str] = mapped_column(Text)
    templates: Mapped[dict[str, str]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    last_error_code: Mapped[str | None] = mapped_column(Text)
    heard: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SmsMessage(TenantScoped, Base):
    """One SMS to one number: queued → sending → sent | failed | unknown | refused, and what the receipt says."""

    __tablename__ = "sms_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[UUID | None]
    template: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    purpose: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    error_code: Mapped[str | None] = mapped_column(Text)
    provider_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SmsReplyRow(TenantScoped, Base):
    """What somebody answered to an SMS."""

    __tablename__ = "sms_replies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    provider_key: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]


sealed_column("sms_accounts", "secret_sealed")

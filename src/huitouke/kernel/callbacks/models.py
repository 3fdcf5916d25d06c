"""Tables of callbacks. Accepted ones are written by the gate `store_callbacks` alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.keys import sealed_column

sealed_column("callback_endpoints", "token_sealed")
sealed_column("callback_endpoints", "aes_key_sealed")


class CallbackEndpoint(TenantScoped, Base):
    """An address that the outside calls, with its secrets."""

    __tablename__ = "callback_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    callback_id: Mapped[str]
    receive_id: Mapped[str]
    token_sealed: Mapped[str]
    aes_key_sealed: Mapped[str]
    reference_id: Mapped[UUID]
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    """When the sender last checked the address and was answered rightly."""


class Callback(TenantScoped, Base):
    """A verified callback, kept 30 days. The digest over account and body makes a repeat the same row.

    `received_at` is when it last came.
    """

    __tablename__ = "callbacks"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    kind: Mapped[str]
    account: Mapped[str]
    event: Mapped[str]
    body: Mapped[bytes]
    wake_kind: Mapped[str | None]
    wake_key: Mapped[str | None]
    received_at: Mapped[datetime]


class CallbackRefusal(TenantScoped, Base):
    """A request to an endpoint that was refused; the newest 100 of each endpoint are kept."""

    __tablename__ = "callback_refusals"

    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    received_at: Mapped[datetime]

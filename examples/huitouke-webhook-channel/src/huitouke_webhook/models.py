"""The plug-in's one table: what an account of this channel needs beside the account itself."""

from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped


class WebhookTarget(TenantScoped, Base):
    """Where the answers of an account go, and how far what came in has been read."""

    __tablename__ = "webhook_targets"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    read_until: Mapped[UUID | None]
    """Id of the last callback that was taken in."""

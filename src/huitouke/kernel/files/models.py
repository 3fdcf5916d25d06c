"""The table of files."""

import builtins
from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped


class File(TenantScoped, Base):
    """A stored file. `waiting` until a use case attaches it to what it belongs to, and removed after 24 hours else."""

    __tablename__ = "files"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[builtins.bytes] = mapped_column(LargeBinary)
    state: Mapped[str]
    """waiting or attached"""
    attached_to_kind: Mapped[str | None]
    attached_to_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

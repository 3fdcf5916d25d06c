"""What tables are made of: every one is a tenant's or the platform's, there is no third kind."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all models. Times are timestamptz, whole numbers bigint, texts text."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        str: Text(),
        int: BigInteger(),
        UUID: Uuid(),
    }


class TenantScoped:
    """A table of the tenants: `tenant_id` stands first in its key, and row-level security fences it.

    The column is filled from the transaction when it is left empty, and every ORM statement is bound to it.
    """

    tenant_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-100)


class PlatformScoped:
    """A table without a tenant. `scope_reason` says why it may be one; the catalogue test accepts no other."""

    scope_reason: ClassVar[str]

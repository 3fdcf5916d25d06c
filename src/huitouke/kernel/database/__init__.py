"""PostgreSQL: engine, transactions with a tenant, models, DDL helpers, migrations."""

from huitouke.kernel.database.engine import Database, DatabaseUrls, configure, current
from huitouke.kernel.database.models import Base, PlatformScoped, TenantScoped
from huitouke.kernel.database.transactions import connection, platform_transaction, transaction

__all__ = [
    "Base",
    "Database",
    "DatabaseUrls",
    "PlatformScoped",
    "TenantScoped",
    "configure",
    "connection",
    "current",
    "platform_transaction",
    "transaction",
]

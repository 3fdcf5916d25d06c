"""What a process demands of its database before it serves anybody."""

from huitouke.kernel.database.engine import Database


class UnsafeRoleError(RuntimeError):
    """The application's role could get past the fence between tenants."""


async def assert_application_role(database: Database) -> None:
    """Refuses a role that is superuser, bypasses row-level security, or owns a table.

    Raises:
        UnsafeRoleError: with a sentence that says what to change.
    """
    connection = await database.connect_direct()
    try:
        row = await connection.fetchrow(
            "SELECT current_user AS name, rolsuper, rolbypassrls,"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p')) AS tables"
            " FROM pg_roles r WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    assert row is not None
    if row["rolsuper"] or row["rolbypassrls"]:
        raise UnsafeRoleError(
            f"DATABASE_URL connects as {row['name']}, which is superuser or may bypass row-level security;"
            " use the role huitouke_app (made by `huitouke migrate --create-roles`)"
        )
    if row["tables"]:
        raise UnsafeRoleError(
            f"DATABASE_URL connects as {row['name']}, which owns tables;"
            " use the role huitouke_app and keep the owner in DATABASE_OWNER_URL"
        )

"""The embedded server as a database of ours: roles, passwords, the database itself."""

import os
import secrets
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

from huitouke.kernel.database.ddl import APP_ROLE, OWNER_ROLE
from huitouke.kernel.database.engine import DatabaseUrls
from huitouke.kernel.database.launcher import Server

DATABASE: Final = "huitouke"
PASSWORD_BYTES: Final = 24


async def prepare(server: Server, passwords_file: Path, *, database: str = DATABASE) -> DatabaseUrls:
    """Makes roles and database where they are missing; passwords are random and kept in a 0600 file."""
    passwords = _passwords(passwords_file)
    connection = await asyncpg.connect(server.url())
    try:
        await create_roles(connection, passwords)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await connection.execute(f'CREATE DATABASE "{database}" OWNER {OWNER_ROLE}')
    finally:
        await connection.close()
    application = server.url(database, APP_ROLE, passwords[APP_ROLE])
    return DatabaseUrls(
        application=application, direct=application, owner=server.url(database, OWNER_ROLE, passwords[OWNER_ROLE])
    )


async def create_roles(connection: "asyncpg.Connection[Any]", passwords: dict[str, str]) -> None:
    """Makes the two roles where they are missing and sets what each must have.

    The application's role plans every statement for its own parameters (`force_custom_plan`): a plan made for a
    small tenant is ruinous for a large one. Statements that are safe under any plan opt out by name.
    """
    for role, password in passwords.items():
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{password}'")
    await connection.execute(f"ALTER ROLE {APP_ROLE} SET plan_cache_mode = force_custom_plan")


def _passwords(file: Path) -> dict[str, str]:
    if file.exists():
        stored: dict[str, str] = orjson.loads(file.read_bytes())
        return stored
    passwords = {role: secrets.token_urlsafe(PASSWORD_BYTES) for role in (OWNER_ROLE, APP_ROLE)}
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(orjson.dumps(passwords))
    return passwords

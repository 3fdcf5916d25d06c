"""What an installation begins with, and what it keeps by which somebody could come in."""

import base64
import os

import pytest
from sqlalchemy import text

from huitouke.kernel.access import challenges, links, service
from huitouke.kernel.database import Database, platform_transaction
from tests.isolation.neighbours import Merchant
from tests.support.database import own_database

KEPT_OF_A_PERSON = {
    "id": "",
    "sign_in_name": "",
    "password_hash": "argon2id",
    "display_name": "",
    "locale": "",
    "state": "",
    "created_at": "",
    "password_changed_at": "",
}
"""The columns of `users`: a further one must be looked at for what it lets in."""

WAYS_IN = {
    "access_links",
    "memberships",
    "operator_sessions",
    "platform_operators",
    "recovery_codes",
    "second_factors",
    "sessions",
    "sign_in_challenges",
    "tenant_visits",
}
"""Tables that know a person by id and are about coming in; a further one must be looked at likewise."""


async def test_a_fresh_database_has_nobody_who_could_sign_in(worker_id: str) -> None:
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    async with own_database(address, f"fresh_{worker_id}"), platform_transaction() as session:
        for table in ("users", "platform_operators", "tenants", "sessions", "access_links"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


async def test_of_an_account_nothing_else_is_kept_by_which_somebody_could_come_in(database: Database) -> None:
    """No hint, no secret question, no address to send a password to."""
    columns = text("SELECT column_name FROM information_schema.columns WHERE table_name = 'users'")
    tables = text(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'user_id' AND table_name NOT IN ('staff', 'audit_log', 'platform_audit')"
    )
    async with platform_transaction() as session:
        assert set(await session.scalars(columns)) == set(KEPT_OF_A_PERSON)
        assert set(await session.scalars(tables)) == WAYS_IN


@pytest.mark.parametrize("size", [service.TOKEN_BYTES, challenges.TOKEN_BYTES, links.TOKEN_BYTES])
def test_every_token_is_made_of_so_many_bytes(size: int) -> None:
    assert size * 8 == 256


async def test_every_token_has_256_random_bits(mine: Merchant, theirs: Merchant) -> None:
    tokens = {one.cookies["huitouke_session"] for each in (mine, theirs) for one in (each.owner, each.agent)}
    link = (await mine.owner.post(f"/api/staff/{mine.ids['staff_id']}/link")).json()["url"]
    tokens.add(link.partition("#")[2])
    assert len(tokens) == 5
    raw = [base64.urlsafe_b64decode(token + "=") for token in tokens]
    assert {len(each) for each in raw} == {32}
    assert len({each[:4] for each in raw}) == 5

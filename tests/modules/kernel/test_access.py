"""Signing in: sessions, throttles, what ends them."""

import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from huitouke.app import create_app
from huitouke.kernel import clock
from huitouke.kernel.access import Granted, resolve_session, service, signed_in, use_resolver
from huitouke.kernel.access.passwords import WeakPassword
from huitouke.kernel.access.service import NoTenant, SignInNameTaken, SignInThrottled, WrongSignIn
from huitouke.kernel.access.signed_in import TenantSuspended
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import Database, platform_transaction, transaction
from huitouke.kernel.errors import InvalidInput, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import Settings
from tests.modules.kernel.test_http import shelf
from tests.support.http import PASSWORD, Account, application, client, make_account
from tests.support.http import signed_in as client_of
from tests.support.world import World

WRONG = Secret("a wrong pass phrase")


@pytest.fixture(autouse=True)
def everybody_is_an_owner():
    async def resolver(ctx: Context, user_id: UUID) -> Granted | None:
        await ctx.session.execute(text("SELECT 1"))
        return Granted(user_id, "小林", "owner", frozenset({"shelf.read"}))

    use_resolver(resolver)
    yield
    use_resolver(None)


@pytest.fixture(autouse=True)
def the_clock_goes_right():
    yield
    clock.set_offset(0)


@pytest.fixture
async def account(world: World) -> Account:
    return await make_account(world)


async def sign_in(account: Account, address: str | None = None) -> str:
    return (await service.sign_in(account.sign_in_name, Secret(account.password), address=address)).token


async def test_a_person_signs_in_and_is_known_by_the_token(world: World, account: Account):
    token = await sign_in(account)
    person = await resolve_session(token)

    assert person.user_id == account.user_id
    assert person.tenant_id == world.tenant_id
    context = person.context(request_id="r", address="203.0.113.7")
    assert (context.actor.kind, context.actor.user_id) == (ActorKind.STAFF, account.user_id)
    assert context.allows("shelf.read")
    assert not context.allows("shelf.burn")


async def test_names_are_matched_without_regard_to_case_and_blanks(account: Account):
    assert await service.sign_in(f"  {account.sign_in_name.upper()} ", Secret(PASSWORD))


async def test_the_database_holds_no_token_and_no_password(account: Account):
    token = await sign_in(account)
    async with platform_transaction() as session:
        row = (
            await session.execute(
                text("SELECT s.*, u.password_hash FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.id = :id"),
                {"id": account.user_id},
            )
        ).one()
    assert token not in repr(row)
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(account: Account):
    with pytest.raises(WrongSignIn):
        await service.sign_in(account.sign_in_name, WRONG)
    with pytest.raises(WrongSignIn):
        await service.sign_in(f"nobody-{new_id()}", WRONG)


async def test_an_unknown_name_costs_the_same_work(account: Account):
    async def seconds(name: str) -> float:
        started = time.perf_counter()
        with pytest.raises(WrongSignIn):
            await service.sign_in(name, WRONG)
        return time.perf_counter() - started

    await seconds(f"nobody-{new_id()}")
    # Taken in turns, so that what else the machine does falls on both; the least of each is the work itself.
    pairs = [(await seconds(account.sign_in_name), await seconds(f"nobody-{new_id()}")) for _ in range(8)]
    known, unknown = (min(times) for times in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2


async def test_ten_wrong_passwords_lock_the_name_for_a_quarter_of_an_hour(account: Account):
    for _ in range(10):
        with pytest.raises(WrongSignIn):
            await service.sign_in(account.sign_in_name, WRONG)

    with pytest.raises(SignInThrottled) as locked:
        await sign_in(account)
    assert 0 < locked.value.params["retry_after_seconds"] <= 900

    clock.set_offset(15 * 60 + 1)
    assert await sign_in(account)


async def test_a_right_password_forgives_the_wrong_ones_before(account: Account):
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(WrongSignIn):
                await service.sign_in(account.sign_in_name, WRONG)
        await sign_in(account)


async def test_an_address_that_guesses_many_names_is_slowed_down(account: Account):
    address = f"2001:db8::{new_id().hex[-4:]}:{new_id().hex[-4:]}"
    await sign_in(account, address)
    keys = service.throttle_keys("whoever", address)
    for _ in range(service.MAX_ATTEMPTS_PER_ADDRESS):
        await service.count_attempts({key: limit for key, limit in keys.items() if key.startswith("address:")})

    with pytest.raises(SignInThrottled):
        await sign_in(account, address)
    assert await sign_in(account, "198.51.100.1")


async def test_signing_out_ends_the_session_at_once(account: Account):
    token = await sign_in(account)
    await resolve_session(token)

    await service.sign_out(token)

    with pytest.raises(Unauthenticated):
        await resolve_session(token)


async def test_a_new_password_ends_the_other_sessions(account: Account):
    here, elsewhere = await sign_in(account), await sign_in(account)
    await resolve_session(elsewhere)

    await service.change_password(account.user_id, Secret(PASSWORD), Secret("another pass phrase"), keep_token=here)

    assert await resolve_session(here)
    with pytest.raises(Unauthenticated):
        await resolve_session(elsewhere)
    with pytest.raises(WrongSignIn):
        await sign_in(account)
    assert await service.sign_in(account.sign_in_name, Secret("another pass phrase"))


async def test_the_old_password_must_be_right(account: Account):
    token = await sign_in(account)
    with pytest.raises(WrongSignIn) as wrong:
        await service.change_password(account.user_id, WRONG, Secret("another pass phrase"), keep_token=token)
    assert wrong.value.field == "old_password"


@pytest.mark.parametrize("weak", ["short", "x" * 129, "12345678", "aaaaaaaaaaa", "PassWord"])
async def test_weak_passwords_are_refused(account: Account, weak: str):
    token = await sign_in(account)
    with pytest.raises(WeakPassword):
        await service.change_password(account.user_id, Secret(PASSWORD), Secret(weak), keep_token=token)


async def test_a_session_ends_after_two_weeks_without_use_and_lives_on_with_it(account: Account):
    used, unused = await sign_in(account), await sign_in(account)
    for day in (6, 12, 18):
        clock.set_offset(timedelta(days=day).total_seconds())
        signed_in._cache.clear()
        assert await resolve_session(used)
    with pytest.raises(Unauthenticated):
        await resolve_session(unused)


async def test_a_session_ends_after_three_months_however_much_it_is_used(account: Account):
    token = await sign_in(account)
    for day in range(10, 90, 10):
        clock.set_offset(timedelta(days=day).total_seconds())
        signed_in._cache.clear()
        assert (await resolve_session(token)).expires_at <= clock.now() + timedelta(days=14)
    clock.set_offset(timedelta(days=90, minutes=1).total_seconds())
    signed_in._cache.clear()
    with pytest.raises(Unauthenticated):
        await resolve_session(token)


async def test_a_password_counts_exactly_as_it_was_set(account: Account):
    token = await sign_in(account)
    exact = " Ключ mit Leerzeichen 和中文 ﬁ "
    await service.change_password(account.user_id, Secret(PASSWORD), Secret(exact), keep_token=token)
    assert await service.sign_in(account.sign_in_name, Secret(exact))
    for other in (exact.strip(), exact.lower(), exact.upper(), exact[:-1], exact.replace("ﬁ", "fi")):
        with pytest.raises(WrongSignIn):
            await service.sign_in(account.sign_in_name, Secret(other))


async def test_a_password_is_not_what_the_shop_is_called(world: World, account: Account):
    token = await sign_in(account)
    async with platform_transaction() as session:
        values = {"id": world.tenant_id}
        await session.execute(text("UPDATE tenants SET name = 'Sunflower Bakery' WHERE id = :id"), values)
    with pytest.raises(WeakPassword):
        await service.change_password(
            account.user_id, Secret(PASSWORD), Secret("SunflowerBakery2026"), keep_token=token
        )
    async with transaction(world.context) as ctx:
        with pytest.raises(WeakPassword):
            await service.set_password(ctx, account.user_id, Secret("sunflower-bakery"))


async def test_who_signs_in_again_leaves_no_session_behind(account: Account):
    body = {"sign_in_name": account.sign_in_name, "password": PASSWORD}
    async with client(application(shelf())) as browser:
        await browser.post("/api/session", json=body)
        first = browser.cookies["huitouke_session"]
        await browser.post("/api/session", json=body)
        assert browser.cookies["huitouke_session"] != first
    with pytest.raises(Unauthenticated):
        await resolve_session(first)


async def test_who_is_no_member_any_more_is_out_at_once(world: World, account: Account):
    token = await sign_in(account)
    await resolve_session(token)

    async with transaction(world.context) as ctx:
        await service.end_membership(ctx, account.user_id)

    with pytest.raises(Unauthenticated):
        await resolve_session(token)
    with pytest.raises(NoTenant):
        await sign_in(account)


async def test_a_suspended_tenant_lets_nobody_in(world: World, account: Account):
    token = await sign_in(account)
    async with platform_transaction() as session:
        await session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": world.tenant_id})

    with pytest.raises(TenantSuspended):
        await resolve_session(token)
    with pytest.raises(TenantSuspended):
        await sign_in(account)


async def test_a_person_whom_the_resolver_grants_nothing_is_not_let_in(account: Account):
    token = await sign_in(account)

    async def nothing(ctx: Context, user_id: UUID) -> Granted | None:
        return None

    use_resolver(nothing)
    with pytest.raises(Unauthenticated):
        await resolve_session(token)


async def test_a_signed_in_person_is_looked_up_at_most_every_five_seconds(account: Account):
    asked = []

    async def counting(ctx: Context, user_id: UUID) -> Granted | None:
        asked.append(user_id)
        return Granted(user_id, "小林", "owner", frozenset())

    use_resolver(counting)
    token = await sign_in(account)
    for _ in range(5):
        await resolve_session(token)
    assert len(asked) == 1


async def test_a_sign_in_name_is_taken_once(world: World, account: Account):
    with pytest.raises(SignInNameTaken):
        async with transaction(world.context) as ctx:
            await service.create_user(
                ctx.session,
                sign_in_name=account.sign_in_name.upper(),
                password=Secret(PASSWORD),
                display_name="x",
            )


@pytest.mark.parametrize("name", ["", "  ", "two words", "x" * 65, "bell\a"])
async def test_sign_in_names_have_no_blanks_and_an_end(world: World, name: str):
    with pytest.raises(InvalidInput):
        async with transaction(world.context) as ctx:
            await service.create_user(ctx.session, sign_in_name=name, password=Secret(PASSWORD), display_name="x")


async def test_garbage_for_a_token_is_nobody(database: Database):
    for token in (None, "", "x" * 500, "nonsense"):
        with pytest.raises(Unauthenticated):
            await resolve_session(token)


async def test_the_console_session_from_sign_in_to_sign_out(world: World, account: Account):
    async with client_of(application(shelf()), account.sign_in_name) as browser:
        me = (await browser.get("/api/session")).json()
        assert me["user"]["sign_in_name"] == account.sign_in_name
        assert me["tenant"] == {
            "id": str(world.tenant_id),
            "name": "测试商户",
            "time_zone": "Asia/Shanghai",
            "plan": None,
            "read_only": False,
            "simple_mode": False,
        }
        assert me["permissions"] == ["shelf.read"]
        assert [entry["name"] for entry in me["menu"]] == ["shelf"]

        english = await browser.patch("/api/session", json={"locale": "en"})
        assert english.json()["user"]["locale"] == "en"
        assert (await browser.get("/api/shelf/restricted")).json()["detail"].startswith("You may not do this")

        assert (await browser.delete("/api/session")).status_code == 204
        assert (await browser.get("/api/session")).status_code == 401


async def test_the_cookie_is_out_of_reach_for_scripts(account: Account):
    async with client(application(shelf())) as browser:
        answer = await browser.post("/api/session", json={"sign_in_name": account.sign_in_name, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert PASSWORD not in answer.text


async def test_behind_https_the_cookie_is_this_hosts_alone(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUITOUKE_PUBLIC_URL", "https://shop.example.cn")
    app = create_app(Settings(), shelf())
    async with client(app) as browser:
        answer = await browser.post("/api/session", json={"sign_in_name": account.sign_in_name, "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-huitouke_session=")
        assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
        assert "Domain" not in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        planted = await browser.get("/api/session", headers={"Cookie": f"huitouke_session={token}"})
        own = await browser.get("/api/session", headers={"Cookie": f"__Host-huitouke_session={token}"})
        assert (planted.status_code, own.status_code) == (401, 200)
        left = await browser.delete("/api/session", headers={"Cookie": f"__Host-huitouke_session={token}"})
        assert left.headers["set-cookie"].startswith("__Host-huitouke_session=")
        assert "Secure" in left.headers["set-cookie"]


async def test_a_wrong_sign_in_over_http_is_told_in_words(account: Account):
    async with client(application(shelf())) as browser:
        answer = await browser.post(
            "/api/session", json={"sign_in_name": account.sign_in_name, "password": "wrong pass phrase"}
        )
    assert answer.status_code == 401
    assert answer.json()["detail"] == "登录名或密码不对。"
    assert "set-cookie" not in answer.headers

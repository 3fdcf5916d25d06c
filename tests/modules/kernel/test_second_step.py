"""Two steps at sign-in: the password, then a code of the app or a recovery code."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from huitouke.kernel import clock, keys
from huitouke.kernel.access import Granted, links, resolve_session, second_factor, service, use_resolver
from huitouke.kernel.access.challenges import MAX_ATTEMPTS, Challenge, ChallengeGone
from huitouke.kernel.access.second_factor import SecondFactorOff, SecondFactorOn
from huitouke.kernel.access.second_step import finish_sign_in
from huitouke.kernel.access.service import NoTenant, SignInThrottled, WorksElsewhere, WrongSignIn
from huitouke.kernel.access.signed_in import TenantSuspended
from huitouke.kernel.context import Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import NotFound, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.key_rotation import reseal_everything
from huitouke.kernel.keys import Secret
from tests.support.http import PASSWORD, Account, make_account
from tests.support.second_step import Authenticator, own_context, turn_on
from tests.support.world import World, make_world

NEW = Secret("quite another pass phrase")
WRONG = Secret("a wrong pass phrase")


@pytest.fixture(autouse=True)
def everybody_is_an_owner() -> Iterator[None]:
    async def resolver(ctx: Context, user_id: UUID) -> Granted | None:
        return Granted(user_id, "小林", "owner", frozenset())

    use_resolver(resolver)
    yield
    use_resolver(None)
    clock.set_offset(0)


@pytest.fixture
async def account(world: World) -> Account:
    return await make_account(world)


@pytest.fixture
async def app(world: World, account: Account) -> Authenticator:
    return await turn_on(world, account)


async def first_step(account: Account, password: str = PASSWORD) -> Secret:
    """The challenge that the right password brings."""
    challenge = await service.sign_in(account.sign_in_name, Secret(password))
    assert isinstance(challenge, Challenge)
    return challenge.token


async def told(world: World, action: str) -> list[str]:
    """What the audit log says of it."""
    async with transaction(world.context) as ctx:
        rows = await ctx.session.execute(
            text("SELECT to_jsonb(a)::text FROM audit_log AS a WHERE tenant_id = :id AND action = :action ORDER BY id"),
            {"id": world.tenant_id, "action": action},
        )
        return list(rows.scalars())


async def test_password_and_code_open_a_session(world: World, account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    opened = await finish_sign_in(challenge, app.code())
    assert (await resolve_session(opened.token)).tenant_id == world.tenant_id


async def test_the_right_password_alone_opens_nothing(account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    with pytest.raises(Unauthenticated):
        await resolve_session(challenge.reveal())
    async with platform_transaction() as session:
        opened = await session.scalar(
            text("SELECT count(*) FROM sessions WHERE user_id = :id"), {"id": account.user_id}
        )
    assert opened == 0


async def test_nothing_is_asked_for_before_the_first_code_was_right(world: World, account: Account) -> None:
    begun = await second_factor.begin(own_context(world, account), Secret(PASSWORD))
    with pytest.raises(WrongSignIn):
        await second_factor.confirm(
            own_context(world, account), Authenticator(begun.secret).wrong_code(), keep_token=""
        )
    assert not isinstance(await service.sign_in(account.sign_in_name, Secret(PASSWORD)), Challenge)
    assert (await second_factor.state_of(account.user_id)).on_since is None


async def test_turning_it_on_takes_the_password(world: World, account: Account) -> None:
    with pytest.raises(WrongSignIn) as wrong:
        await second_factor.begin(own_context(world, account), WRONG)
    assert wrong.value.field == "password"


async def test_turning_it_on_ends_the_other_sessions(world: World, account: Account) -> None:
    here, there = [(await service.sign_in(account.sign_in_name, Secret(PASSWORD))).token for _ in range(2)]
    await resolve_session(there)

    await turn_on(world, account, keep_token=here)

    assert await resolve_session(here)
    with pytest.raises(Unauthenticated):
        await resolve_session(there)


async def test_it_is_turned_on_once(world: World, account: Account, app: Authenticator) -> None:
    context = own_context(world, account)
    with pytest.raises(SecondFactorOn):
        await second_factor.begin(context, Secret(PASSWORD))
    with pytest.raises(SecondFactorOn):
        await second_factor.confirm(context, app.code(), keep_token="")
    assert await finish_sign_in(await first_step(account), app.code())


async def test_a_code_counts_once(account: Account, app: Authenticator) -> None:
    code = app.code()
    assert await finish_sign_in(await first_step(account), code)

    with pytest.raises(WrongSignIn) as again:
        await finish_sign_in(await first_step(account), code)
    with pytest.raises(WrongSignIn) as older:
        await finish_sign_in(await first_step(account), app.code(steps_later=-1))
    with pytest.raises(WrongSignIn) as wrong:
        await finish_sign_in(await first_step(account), app.wrong_code())

    assert str(again.value) == str(older.value) == str(wrong.value), "nobody learns that it was an old one"


async def test_the_code_that_turned_it_on_is_used_up(world: World, account: Account) -> None:
    context = own_context(world, account)
    app = Authenticator((await second_factor.begin(context, Secret(PASSWORD))).secret)
    code = app.code()
    await second_factor.confirm(context, code, keep_token="")
    with pytest.raises(WrongSignIn):
        await finish_sign_in(await first_step(account), code)


async def test_a_code_for_two_at_once_lets_one_in(account: Account, app: Authenticator) -> None:
    challenges = [await first_step(account) for _ in range(3)]
    code = app.code()
    done = await asyncio.gather(*(finish_sign_in(one, code) for one in challenges), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert all(isinstance(one, WrongSignIn) for one in done if isinstance(one, BaseException))


@pytest.mark.parametrize("form", ["{a} {b}", "{a}-{b}", " {a}{b}\n"])
async def test_codes_are_taken_as_people_type_them(account: Account, app: Authenticator, form: str) -> None:
    code = app.code().reveal()
    assert await finish_sign_in(await first_step(account), Secret(form.format(a=code[:3], b=code[3:])))


async def test_digits_of_a_chinese_keyboard_count(account: Account, app: Authenticator) -> None:
    wide = app.code().reveal().translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert await finish_sign_in(await first_step(account), Secret(wide))


@pytest.mark.parametrize("typed", ["", "x", "1" * 5_000, "\0" * 6, "👩‍👩‍👧‍👦", "١٢٣٤٥٦", "IIIII-OOOOO"])
async def test_whatever_else_is_typed_is_a_wrong_code(account: Account, app: Authenticator, typed: str) -> None:
    with pytest.raises(WrongSignIn):
        await finish_sign_in(await first_step(account), Secret(typed))


async def test_five_wrong_codes_end_the_challenge(account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(WrongSignIn):
            await finish_sign_in(challenge, app.wrong_code())
    with pytest.raises(ChallengeGone):
        await finish_sign_in(challenge, app.code())


async def test_wrong_codes_lock_the_name_however_often_the_password_is_right(
    account: Account, app: Authenticator
) -> None:
    with pytest.raises(SignInThrottled):
        for _ in range(service.MAX_ATTEMPTS_PER_NAME):
            challenge = await first_step(account)
            with pytest.raises(WrongSignIn):
                await finish_sign_in(challenge, app.wrong_code())
    with pytest.raises(SignInThrottled):
        await first_step(account)
    clock.set_offset(15 * 60 + 1)
    assert await finish_sign_in(await first_step(account), app.code())


async def test_wrong_codes_in_the_own_account_are_counted_too_and_no_password_forgives_them(
    world: World, account: Account, app: Authenticator
) -> None:
    context = own_context(world, account)
    token = (await finish_sign_in(await first_step(account), app.code())).token
    password = Secret(PASSWORD)
    with pytest.raises(SignInThrottled):
        for number in range(second_factor.MAX_WRONG_CODES + 1):
            with pytest.raises(WrongSignIn):
                await second_factor.turn_off(context, password, app.wrong_code())
            other = Secret(f"pass phrase number {number}")
            await service.change_password(account.user_id, password, other, keep_token=token)
            password = other


async def test_a_right_code_forgives_the_wrong_ones_before(account: Account, app: Authenticator) -> None:
    for times in range(3):
        challenge = await first_step(account)
        for _ in range(MAX_ATTEMPTS - 1):
            with pytest.raises(WrongSignIn):
                await finish_sign_in(challenge, app.wrong_code())
        assert await finish_sign_in(challenge, app.code())
        clock.set_offset(60 * (times + 1))


async def test_a_challenge_ends_after_five_minutes(account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    clock.set_offset(5 * 60 + 1)
    with pytest.raises(ChallengeGone):
        await finish_sign_in(challenge, app.code())


async def test_a_challenge_is_used_once(account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    await finish_sign_in(challenge, app.code())
    with pytest.raises(ChallengeGone):
        await finish_sign_in(challenge, Secret(app.recovery_codes[0]))


async def test_a_new_password_ends_the_challenge_of_the_old_one(
    world: World, account: Account, app: Authenticator
) -> None:
    challenge = await first_step(account)
    async with transaction(world.context) as ctx:
        await service.set_password(ctx, account.user_id, NEW)
    with pytest.raises(ChallengeGone):
        await finish_sign_in(challenge, app.code())


async def test_a_made_up_challenge_is_told_like_an_old_one() -> None:
    for guess in ("", "nonsense", "x" * 5_000):
        with pytest.raises(ChallengeGone):
            await finish_sign_in(Secret(guess), Secret("123456"))


async def test_a_recovery_code_opens_once_and_is_written_down(
    world: World, account: Account, app: Authenticator
) -> None:
    first = app.recovery_codes[0]
    assert await finish_sign_in(await first_step(account), Secret(first.lower().replace("-", " ")))

    with pytest.raises(WrongSignIn):
        await finish_sign_in(await first_step(account), Secret(first))

    assert (await second_factor.state_of(account.user_id)).recovery_codes_left == 9
    (entry,) = await told(world, "access.recovery_code_used")
    assert '"recovery_codes_left": 9' in entry
    assert first not in entry


async def test_a_recovery_code_for_two_at_once_lets_one_in(account: Account, app: Authenticator) -> None:
    challenges = [await first_step(account) for _ in range(3)]
    code = Secret(app.recovery_codes[3])
    done = await asyncio.gather(*(finish_sign_in(one, code) for one in challenges), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert all(isinstance(one, WrongSignIn) for one in done if isinstance(one, BaseException))


async def test_a_recovery_code_is_nobody_elses(world: World, account: Account, app: Authenticator) -> None:
    other = await make_account(world)
    others = await turn_on(world, other)
    with pytest.raises(WrongSignIn):
        await finish_sign_in(await first_step(account), Secret(others.recovery_codes[0]))


async def test_ten_codes_that_nobody_misreads(app: Authenticator) -> None:
    assert len(set(app.recovery_codes)) == 10
    for code in app.recovery_codes:
        assert len(code.replace("-", "")) == 10
        assert not set(code) & set("01IO")


async def test_new_recovery_codes_end_the_old_ones(world: World, account: Account, app: Authenticator) -> None:
    context = own_context(world, account)
    fresh = await second_factor.renew_recovery_codes(context, Secret(PASSWORD), app.code())
    with pytest.raises(WrongSignIn):
        await finish_sign_in(await first_step(account), Secret(app.recovery_codes[0]))
    assert await finish_sign_in(await first_step(account), Secret(fresh[0]))
    assert len(await told(world, "access.recovery_codes_renewed")) == 1


async def test_turning_it_off_takes_password_and_code(world: World, account: Account, app: Authenticator) -> None:
    context = own_context(world, account)
    for password, code, field in (
        (WRONG, app.code(), "password"),
        (Secret(PASSWORD), app.wrong_code(), "code"),
    ):
        with pytest.raises(WrongSignIn) as wrong:
            await second_factor.turn_off(context, password, code)
        assert wrong.value.field == field

    await second_factor.turn_off(context, Secret(PASSWORD), Secret(app.recovery_codes[0]))

    assert not isinstance(await service.sign_in(account.sign_in_name, Secret(PASSWORD)), Challenge)
    with pytest.raises(SecondFactorOff):
        await second_factor.turn_off(context, Secret(PASSWORD), app.code())
    assert [len(await told(world, f"access.second_step_{what}")) for what in ("on", "off")] == [1, 1]


async def test_a_link_for_a_new_password_does_not_pass_by_the_code(
    world: World, account: Account, app: Authenticator
) -> None:
    async with transaction(world.context) as ctx:
        link = await links.make_link(ctx, account.user_id, "reset")
    challenge = await links.use_link(link.token, NEW)
    assert isinstance(challenge, Challenge)
    opened = await finish_sign_in(challenge.token, app.code())
    assert (await resolve_session(opened.token)).user_id == account.user_id


async def test_a_suspended_tenant_lets_nobody_finish(world: World, account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    async with platform_transaction() as session:
        await session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": world.tenant_id})
    with pytest.raises(TenantSuspended):
        await finish_sign_in(challenge, app.code())


async def test_who_is_no_member_any_more_does_not_finish(world: World, account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    async with transaction(world.context) as ctx:
        await service.end_membership(ctx, account.user_id)
    with pytest.raises(NoTenant):
        await finish_sign_in(challenge, app.code())


async def test_another_merchant_takes_nothing_from_who_works_here_too(
    world: World, account: Account, app: Authenticator
) -> None:
    other = await make_world()
    async with transaction(other.context) as ctx:
        await service.add_membership(ctx, account.user_id)
    for merchant in (world, other):
        with pytest.raises(WorksElsewhere):
            async with transaction(merchant.context) as ctx:
                await second_factor.remove_for(ctx, account.user_id)
    assert await first_step(account)


async def test_removing_it_ends_codes_and_open_challenges(world: World, account: Account, app: Authenticator) -> None:
    challenge = await first_step(account)
    async with transaction(world.context) as ctx:
        assert await second_factor.remove_for(ctx, account.user_id)
    for code in (app.code(), Secret(app.recovery_codes[0])):
        with pytest.raises(ChallengeGone):
            await finish_sign_in(challenge, code)
    assert not isinstance(await service.sign_in(account.sign_in_name, Secret(PASSWORD)), Challenge)
    async with platform_transaction() as session:
        left = await session.scalar(
            text("SELECT count(*) FROM recovery_codes WHERE user_id = :id"), {"id": account.user_id}
        )
    assert left == 0


async def test_who_runs_the_installation_removes_it_by_name(world: World, account: Account, app: Authenticator) -> None:
    assert await second_factor.remove_by_name(f" {account.sign_in_name.upper()} ")
    assert not await second_factor.remove_by_name(account.sign_in_name)
    with pytest.raises(NotFound):
        await second_factor.remove_by_name(f"nobody-{new_id()}")
    (entry,) = await told(world, "access.second_step_removed")
    assert '"actor_kind": "platform_operator"' in entry


async def test_the_database_holds_neither_secret_nor_code_nor_challenge(
    world: World, account: Account, app: Authenticator
) -> None:
    challenge = await first_step(account)
    async with platform_transaction() as session:
        rows = [
            repr(
                (
                    await session.execute(text(f"SELECT * FROM {table} WHERE user_id = :id"), {"id": account.user_id})
                ).all()
            )
            for table in ("second_factors", "recovery_codes", "sign_in_challenges")
        ]
    logged = await told(world, "access.second_step_on")
    for known in (app.secret.reveal(), *app.recovery_codes, challenge.reveal()):
        assert all(known not in row and known.replace("-", "") not in row for row in (*rows, *logged))


async def test_a_secret_survives_the_rotation_of_keys(account: Account, app: Authenticator) -> None:
    ring = keys.get_key_ring().with_new_first()
    await reseal_everything(ring)
    async with platform_transaction() as session:
        sealed = await session.scalar(
            text("SELECT secret_sealed FROM second_factors WHERE user_id = :id"), {"id": account.user_id}
        )
    assert sealed.startswith(f"v1.{ring.first_kid}.")
    place = keys.place(None, "second_factors", "secret_sealed", account.user_id)
    assert ring.without_old().unseal(place, sealed) == app.secret
    # Back to the process's own ring, which the other tests of this worker use.
    await reseal_everything(keys.KeyRing((ring.kids[1], ring.kids[0]), (ring._keys[1], ring._keys[0])))
    assert await finish_sign_in(await first_step(account), app.code())

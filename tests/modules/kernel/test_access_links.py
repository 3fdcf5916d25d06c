"""Links with which a person sets a password, and the list of where a person is signed in."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.access import Granted, links, resolve_session, service, sessions, signed_in, use_resolver
from huitouke.kernel.access.links import LinkGone
from huitouke.kernel.access.passwords import WeakPassword
from huitouke.kernel.access.service import SignInThrottled, WorksElsewhere, WrongSignIn
from huitouke.kernel.context import Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import NotFound, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from tests.support.http import PASSWORD, Account, make_account
from tests.support.world import World, make_world

NEW = Secret("quite another pass phrase")


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
async def invited(world: World) -> Account:
    """A person without a password."""
    name = f"new-{new_id().hex}"
    async with transaction(world.context) as ctx:
        user_id = await service.create_user(ctx.session, sign_in_name=name, password=None, display_name="小雨")
        await service.add_membership(ctx, user_id)
    return Account(user_id, name)


async def link_for(world: World, account: Account, kind: links.LinkKind = "reset") -> Secret:
    async with transaction(world.context) as ctx:
        return (await links.make_link(ctx, account.user_id, kind)).token


async def test_an_invited_person_sets_a_password_and_is_in(world: World, invited: Account) -> None:
    token = await link_for(world, invited, "invitation")

    shown = await links.look_at_link(token, address=None)
    opened = await links.use_link(token, NEW)

    assert (shown.kind, shown.sign_in_name, shown.display_name) == ("invitation", invited.sign_in_name, "小雨")
    assert (await resolve_session(opened.token)).tenant_id == world.tenant_id
    assert await service.sign_in(invited.sign_in_name, NEW)


@pytest.mark.parametrize("guess", ["", "the password of nobody", PASSWORD])
async def test_without_a_password_no_password_fits(invited: Account, guess: str) -> None:
    with pytest.raises(WrongSignIn):
        await service.sign_in(invited.sign_in_name, Secret(guess))


async def test_a_link_works_once_also_for_two_at_once(world: World, account: Account) -> None:
    token = await link_for(world, account)

    done = await asyncio.gather(*(links.use_link(token, NEW) for _ in range(4)), return_exceptions=True)

    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert all(isinstance(one, LinkGone) for one in done if isinstance(one, BaseException))


async def test_looking_does_not_use_it_up_and_a_weak_password_neither(world: World, account: Account) -> None:
    token = await link_for(world, account)
    await links.look_at_link(token, address=None)
    with pytest.raises(WeakPassword):
        await links.use_link(token, Secret("12345678"))
    assert await links.use_link(token, NEW)


async def test_a_newer_link_ends_the_older_one(world: World, account: Account) -> None:
    older, newer = await link_for(world, account), await link_for(world, account)
    with pytest.raises(LinkGone):
        await links.use_link(older, NEW)
    assert await links.use_link(newer, NEW)


@pytest.mark.parametrize(("kind", "days"), [("invitation", 7), ("reset", 1)])
async def test_a_link_ends_by_itself(world: World, account: Account, kind: links.LinkKind, days: int) -> None:
    token = await link_for(world, account, kind)
    clock.set_offset(days * 86_400 + 1)
    with pytest.raises(LinkGone):
        await links.use_link(token, NEW)


async def test_using_a_link_signs_the_person_out_everywhere_else(world: World, account: Account) -> None:
    elsewhere = (await service.sign_in(account.sign_in_name, Secret(PASSWORD))).token
    await resolve_session(elsewhere)

    await links.use_link(await link_for(world, account), NEW)

    with pytest.raises(Unauthenticated):
        await resolve_session(elsewhere)


async def test_a_person_who_left_can_do_nothing_with_a_link(world: World, account: Account) -> None:
    token = await link_for(world, account)
    async with transaction(world.context) as ctx:
        await service.end_membership(ctx, account.user_id)
    with pytest.raises(LinkGone):
        await links.use_link(token, NEW)


async def test_nobody_opens_the_door_of_another_merchant(world: World, account: Account) -> None:
    other = await make_world()
    async with transaction(other.context) as ctx:
        await service.add_membership(ctx, account.user_id)
    for merchant in (world, other):
        with pytest.raises(WorksElsewhere):
            await link_for(merchant, account)
        with pytest.raises(WorksElsewhere):
            async with transaction(merchant.context) as ctx:
                await service.set_password(ctx, account.user_id, NEW)


async def test_the_database_holds_no_link(world: World, account: Account) -> None:
    token = await link_for(world, account)
    async with platform_transaction() as session:
        row = (
            await session.execute(text("SELECT * FROM access_links WHERE user_id = :id"), {"id": account.user_id})
        ).one()
    assert token.reveal() not in repr(row)


async def test_guessing_links_is_slowed_down(database: object) -> None:
    address = f"2001:db8::{new_id().hex[-4:]}:{new_id().hex[-4:]}"
    for _ in range(links.MAX_OPENED_PER_ADDRESS):
        with pytest.raises(LinkGone):
            await links.look_at_link(Secret("a guess"), address=address)
    with pytest.raises(SignInThrottled):
        await links.look_at_link(Secret("a guess"), address=address)


async def test_a_person_sees_where_they_are_signed_in_and_ends_it(account: Account) -> None:
    here = (await service.sign_in(account.sign_in_name, Secret(PASSWORD), user_agent="Firefox")).token
    there = (await service.sign_in(account.sign_in_name, Secret(PASSWORD), user_agent="WeChat", address="::1")).token
    await resolve_session(there)

    found = await sessions.open_sessions(account.user_id, here)
    assert [(one.current, one.user_agent) for one in found] == [(True, "Firefox"), (False, "WeChat")]
    await sessions.end_session(account.user_id, found[1].id)

    assert await resolve_session(here)
    with pytest.raises(Unauthenticated):
        await resolve_session(there)


async def test_nobody_ends_another_persons_session(world: World, account: Account) -> None:
    token = (await service.sign_in(account.sign_in_name, Secret(PASSWORD))).token
    (mine,) = await sessions.open_sessions(account.user_id, token)
    stranger = await make_account(world)
    with pytest.raises(NotFound):
        await sessions.end_session(stranger.user_id, mine.id)
    assert await resolve_session(token)


async def test_all_others_end_at_once(account: Account) -> None:
    here, there = [(await service.sign_in(account.sign_in_name, Secret(PASSWORD))).token for _ in range(2)]
    await resolve_session(there)

    assert await sessions.end_other_sessions(account.user_id, here) == 1

    assert await resolve_session(here)
    with pytest.raises(Unauthenticated):
        await resolve_session(there)


async def test_last_use_is_known_to_within_a_quarter_of_an_hour(account: Account) -> None:
    token = (await service.sign_in(account.sign_in_name, Secret(PASSWORD))).token
    await resolve_session(token)
    clock.set_offset(3600)
    signed_in.forget(user_ids=[account.user_id])
    await resolve_session(token)
    (one,) = await sessions.open_sessions(account.user_id, token)
    assert (one.last_seen_at - one.created_at).total_seconds() > 3500

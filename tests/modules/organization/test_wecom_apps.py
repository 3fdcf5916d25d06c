"""WeCom apps: sealed secrets, one token for all processes, callbacks opened, connections checked."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from huitouke.kernel import clock
from huitouke.kernel.callbacks import BadCallback
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.database import transaction
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.callbacks import WecomCallbacks
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.service import NewWecomApp, WecomAppChange, problems
from huitouke.modules.organization.service.tokens import DatabaseTokenStore, credential_key
from huitouke.wechat.crypto import CallbackCrypto, signature
from huitouke.wechat.tokens import Credential, FetchedToken, TokenCentre
from huitouke.wechat.xml import build_xml
from tests.support.time import later, today
from tests.support.world import World

SECRET = "a-secret-of-the-app-0123456789"


@pytest.fixture
async def app(world: World) -> WecomApp:
    async with transaction(world.context) as ctx:
        return await organization.create_wecom_app(
            ctx, NewWecomApp("客服", "ww1234567890abcdef", "1000002", Secret(SECRET))
        )


def credential(world: World, app: WecomApp) -> Credential:
    return Credential(app.corp_id, SECRET, credential_key(world.tenant_id, app.id))


async def test_the_secret_is_nowhere_in_the_database(world: World, app: WecomApp) -> None:
    async with transaction(world.context) as ctx:
        rows = await ctx.session.execute(text("SELECT row_to_json(a)::text FROM wecom_apps AS a"))
        assert SECRET not in "".join(rows.scalars())


@pytest.mark.parametrize(
    ("field", "value"),
    [("corp_id", "not a corp"), ("agent_id", "abc"), ("secret", ""), ("secret", "带中文"), ("name", " ")],
)
async def test_what_can_not_be_right_is_refused_at_its_field(world: World, field: str, value: str) -> None:
    fields = {"name": "客服", "corp_id": "ww1234567890abcdef", "agent_id": "1000002", "secret": SECRET, field: value}

    with pytest.raises(problems.WrongShape) as refused:
        async with transaction(world.context) as ctx:
            new = NewWecomApp(fields["name"], fields["corp_id"], fields["agent_id"], Secret(fields["secret"]))
            await organization.create_wecom_app(ctx, new)
    assert refused.value.field == field


async def test_an_app_is_entered_once(world: World, app: WecomApp) -> None:
    with pytest.raises(problems.WecomAppExists):
        async with transaction(world.context) as ctx:
            await organization.create_wecom_app(ctx, NewWecomApp("又一次", app.corp_id, app.agent_id, Secret(SECRET)))


async def test_one_of_many_callers_fetches_the_token(world: World, app: WecomApp) -> None:
    fetched = 0

    async def fetch(_: Credential) -> FetchedToken:
        nonlocal fetched
        fetched += 1
        await asyncio.sleep(0.1)
        return FetchedToken(f"token-{fetched}", 7200)

    centres = [TokenCentre(DatabaseTokenStore(), fetch, clock.now) for _ in range(5)]  # as in five processes

    tokens = await asyncio.gather(*(centre.token(credential(world, app)) for centre in centres))

    assert (set(tokens), fetched) == ({"token-1"}, 1)


async def test_the_reservation_of_a_process_that_died_runs_out(world: World, app: WecomApp) -> None:
    store = DatabaseTokenStore()
    assert await store.begin_refresh(credential(world, app), clock.now() + timedelta(seconds=10))
    assert not await store.begin_refresh(credential(world, app), clock.now() + timedelta(seconds=10))

    await later(11)
    try:
        assert await store.begin_refresh(credential(world, app), clock.now() + timedelta(seconds=10))
    finally:
        await today()


async def test_only_the_refused_token_is_dropped(world: World, app: WecomApp) -> None:
    store, key = DatabaseTokenStore(), credential(world, app)
    await store.begin_refresh(key, clock.now() + timedelta(seconds=10))
    await store.save(key, "new", clock.now() + timedelta(hours=2))

    assert not await store.drop(key, "old")
    assert await store.drop(key, "new")
    assert await store.read(key) is None


async def test_a_new_secret_forgets_the_token_and_one_that_is_on_its_way(world: World, app: WecomApp) -> None:
    store, key = DatabaseTokenStore(), credential(world, app)
    await store.begin_refresh(key, clock.now() + timedelta(seconds=10))
    await store.save(key, "old", clock.now() + timedelta(hours=2))
    await store.begin_refresh(key, clock.now() + timedelta(seconds=10))
    async with transaction(world.context) as ctx:
        await organization.update_wecom_app(ctx, app.id, WecomAppChange(secret=Secret("another-secret-0123")))

    await store.save(key, "fetched with the old secret", clock.now() + timedelta(hours=2))

    assert await store.read(key) is None


async def test_a_mistyped_corp_id_is_corrected_and_its_callbacks_are_taken(world: World, app: WecomApp) -> None:
    async with transaction(world.context) as ctx:
        await organization.update_wecom_app(ctx, app.id, WecomAppChange(corp_id=" ww00000000corrected "))

    async with transaction(world.context) as ctx:
        corrected = await organization.wecom_app(ctx, app.id)
        endpoint = await callbacks.endpoint_of(ctx, app.id)
    assert (corrected.corp_id, corrected.state, endpoint.receive_id) == (
        "ww00000000corrected",
        "new",
        "ww00000000corrected",
    )


async def test_the_corp_id_stays_once_wecom_has_called(
    world: World, app: WecomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def called(*_: object) -> object:
        return clock.now()

    monkeypatch.setattr(callbacks, "last_accepted_at", called)

    with pytest.raises(problems.CorpIdSettled):
        async with transaction(world.context) as ctx:
            await organization.update_wecom_app(ctx, app.id, WecomAppChange(corp_id="ww00000000another0"))


def pushed(token: str, aes_key: str, receive_id: str, fields: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """A callback as WeCom sends it."""
    encrypted = CallbackCrypto(token, aes_key, receive_id).encrypt(build_xml(fields))
    query = {"timestamp": "1700000000", "nonce": "123"}
    query["msg_signature"] = signature(token, query["timestamp"], query["nonce"], encrypted)
    return query, build_xml({"ToUserName": receive_id, "Encrypt": encrypted})


async def test_a_callback_names_its_event_and_wakes_its_account(world: World, app: WecomApp) -> None:
    async with transaction(world.context) as ctx:
        endpoint = await callbacks.endpoint_of(ctx, app.id)
    token, aes_key = endpoint.token.reveal(), endpoint.aes_key.reveal()
    kind = WecomCallbacks()

    fields = {"Event": "kf_msg_or_event", "Token": "ENC", "OpenKfId": "wk1"}
    opened = kind.open(endpoint, *pushed(token, aes_key, app.corp_id, fields))
    assert (opened.account, opened.wake, opened.event) == ("wk1", ("kf.sync", "wk1"), "kf_msg_or_event")
    assert organization.callback_fields(opened.body)["Token"] == "ENC"

    card = {"Event": "template_card_event", "TaskId": f"handover-{UUID(int=5)}", "EventKey": "take"}
    opened = kind.open(endpoint, *pushed(token, aes_key, app.corp_id, card))
    assert opened.wake == ("conversations.card", str(UUID(int=5)))

    foreign = {"Event": "template_card_event", "TaskId": "somebody-elses"}
    opened = kind.open(endpoint, *pushed(token, aes_key, app.corp_id, foreign))
    assert (opened.wake, opened.event) == (None, "template_card_event")

    unknown = kind.open(endpoint, *pushed(token, aes_key, app.corp_id, {"MsgType": "text", "Content": "hi"}))
    assert (unknown.wake, unknown.event) == (None, "text")


async def test_callbacks_of_others_are_refused_with_a_reason(world: World, app: WecomApp) -> None:
    async with transaction(world.context) as ctx:
        endpoint = await callbacks.endpoint_of(ctx, app.id)
    token, aes_key = endpoint.token.reveal(), endpoint.aes_key.reveal()
    query, body = pushed(token, aes_key, app.corp_id, {"Event": "x"})
    foreign_query, foreign_body = pushed(token, aes_key, "wwANOTHERCORP", {"Event": "x"})

    for reason, given_query, given_body in (
        ("bad_signature", {**query, "msg_signature": "0" * 40}, body),
        ("bad_receive_id", foreign_query, foreign_body),
        ("bad_xml", query, body[:-10]),
        ("bad_xml", query, b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>'),
        ("body_too_large", query, b"<xml>" + b"x" * 70_000 + b"</xml>"),
    ):
        with pytest.raises(BadCallback) as refused:
            WecomCallbacks().open(endpoint, given_query, given_body)
        assert refused.value.reason == reason


async def test_changing_an_app_asks_for_a_new_check(world: World, app: WecomApp) -> None:
    async with transaction(world.context) as ctx:
        await organization.update_wecom_app(ctx, app.id, WecomAppChange(agent_id="1000003"))
        row = await ctx.session.scalar(select(WecomApp))
    assert row is not None
    assert (row.agent_id, row.state) == ("1000003", "new")

"""The walk over all mistakes: set up wrong in just this way, just this one is named; mended, the check is green.

The sandbox plays WeCom's side (its admin pages and its faults); what stands before our own server is in `front`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huitouke.kernel import clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.modules.conversations.models import HandoverNotice
from huitouke.modules.conversations.service.account_checks import check_account
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.diagnosis.address import look_at
from huitouke.modules.organization.diagnosis.mistakes import MISTAKES, mistake
from huitouke.modules.organization.service import Check, WecomAppChange, prerequisites
from tests.modules.conversations.desk import Desk
from tests.modules.organization.front import Authority, front
from tests.modules.wechat_sandbox.shop import AES_KEY, Sandbox, open_shop
from tests.support.time import today

SOMEBODY_ELSES = "203.0.113.7"
OURS_NOW = "203.0.113.8"
PUBLIC_WECOM = "https://qyapi.weixin.qq.com"


@dataclass
class Stage:
    """A connected merchant, and what is put right again at the end."""

    desk: Desk
    sandbox: Sandbox
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    stack: AsyncExitStack

    @property
    def app(self) -> str:
        return f"apps/{self.desk.shop.agentid}"

    async def patch_app(self, **change: Any) -> None:
        await self.sandbox.patch(self.app, change, corp_id=self.desk.shop.corp_id)

    async def change(self, **change: Any) -> None:
        async with transaction(self.desk.context) as ctx:
            await organization.update_wecom_app(ctx, self.desk.app_id, WecomAppChange(**change))

    async def checks(self) -> list[Check]:
        return await organization.check_wecom_app(self.desk.context, self.desk.app_id)

    async def account_checks(self) -> list[Check]:
        return await check_account(self.desk.context, self.desk.account.id)

    async def called_with(self, token: str | None = None, aes_key: str | None = None) -> bool:
        """What WeCom does when an administrator presses save, with what was typed there."""
        async with transaction(self.desk.context) as ctx:
            endpoint = await callbacks.endpoint_of(ctx, self.desk.app_id)
        config = {
            "url": self.callback_url(endpoint.callback_id),
            "token": token or endpoint.token.reveal(),
            "encoding_aes_key": aes_key or endpoint.aes_key.reveal(),
        }
        saved = await self.sandbox.put(f"{self.app}/callback", config, corp_id=self.desk.shop.corp_id)
        return bool(saved["ok"])

    def callback_url(self, callback_id: str) -> str:
        return f"{self.address}/callbacks/wecom/{callback_id}"

    address: str = ""

    def public_url(self, url: str) -> None:
        self.monkeypatch.setenv("HUITOUKE_PUBLIC_URL", url)
        get_settings.cache_clear()


@pytest.fixture
async def stage(
    desk: Desk, running: tuple[Sandbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    sandbox, address = running
    async with AsyncExitStack() as stack:
        one = Stage(desk, sandbox, tmp_path, monkeypatch, stack, address=address)
        one.public_url(address)
        yield one
        await today()
    monkeypatch.undo()
    get_settings.cache_clear()


Do = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """`wrong` makes the mistake and `cure` mends it; `of`: whose check names it."""

    wrong: Do
    cure: Do
    of: str = "app"


def trusting(*ips: str) -> Do:
    return lambda stage: stage.patch_app(trusted_ips=list(ips))


def faults(**switches: Any) -> Do:
    return lambda stage: stage.sandbox.faults(**switches)


def app(**change: Any) -> Do:
    return lambda stage: stage.patch_app(**change)


def own(**change: Any) -> Do:
    return lambda stage: stage.change(**change)


async def own_secret(stage: Stage) -> None:
    await stage.change(secret=Secret(stage.desk.shop.secret), agent_id=str(stage.desk.shop.agentid))


async def nothing(stage: Stage) -> None:
    """What was wrong passes by itself."""


async def another_corps_secret(stage: Stage) -> None:
    other = await open_shop(stage.sandbox, f"邻居{new_id().hex[-8:]}")
    await stage.change(secret=Secret(other.secret))


async def another_apps_secret(stage: Stage) -> None:
    made = await stage.sandbox.post("apps", {"name": "考勤"}, corp_id=stage.desk.shop.corp_id)
    await stage.change(secret=Secret(made["secret"]))


async def contacts_secret(stage: Stage) -> None:
    made = await stage.sandbox.post(
        "apps", {"name": "通讯录同步", "contact_sync": True}, corp_id=stage.desk.shop.corp_id
    )
    await stage.change(secret=Secret(made["secret"]))


async def another_clock(stage: Stage) -> None:
    await stage.sandbox.post("clock", {"offset_seconds": 600})


async def right_clock(stage: Stage) -> None:
    await stage.sandbox.post("clock", {"offset_seconds": 0})


async def no_way_out(stage: Stage) -> None:
    stage.monkeypatch.setenv("HUITOUKE_WECOM_BASE_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()


async def way_out(stage: Stage) -> None:
    stage.monkeypatch.setenv("HUITOUKE_WECOM_BASE_URL", stage.sandbox.address)
    get_settings.cache_clear()


async def moved_house(stage: Stage) -> None:
    """Our address was refused, entered, trusted; and then it is another one."""
    await stage.sandbox.faults(caller_address=SOMEBODY_ELSES)
    await stage.patch_app(trusted_ips=["198.51.100.1"])
    await stage.checks()
    await stage.patch_app(trusted_ips=[SOMEBODY_ELSES])
    await stage.checks()
    await stage.sandbox.faults(caller_address=OURS_NOW)


async def door_and_another_domain(stage: Stage) -> None:
    async with transaction(stage.desk.context) as ctx:
        await organization.open_door(ctx, stage.desk.app_id)
    await stage.patch_app(trusted_domain="old.example.com")


async def right_domain(stage: Stage) -> None:
    await stage.patch_app(trusted_domain=stage.address.removeprefix("http://"))


async def card_to_nobody(stage: Stage) -> None:
    await _card(stage, "failed", "81013")


async def card_arrived(stage: Stage) -> None:
    await _card(stage, "sent", None)


async def _card(stage: Stage, state: str, code: str | None) -> None:
    conversation = await stage.desk.customer_writes()
    async with transaction(stage.desk.context) as ctx:
        ctx.session.add(
            HandoverNotice(
                handover_id=new_id(),
                conversation_id=conversation.id,
                wecom_app_id=stage.desk.app_id,
                recipients=["lin"],
                state=state,
                error_code=code,
                created_at=clock.now(),
            )
        )


async def noted(stage: Stage, *, refused_last: bool) -> None:
    """What came in is noted beside the answer."""

    async def there() -> bool:
        async with transaction(stage.desk.context) as ctx:
            return (await callbacks.heard(ctx, stage.desk.app_id)).refused_last is refused_last

    await stage.desk.eventually(there)


async def wrong_token(stage: Stage) -> None:
    assert not await stage.called_with(token="SomebodyMistypedIt")
    await noted(stage, refused_last=True)


async def wrong_aes_key(stage: Stage) -> None:
    assert not await stage.called_with(aes_key=AES_KEY)
    await noted(stage, refused_last=True)


async def saved_rightly(stage: Stage) -> None:
    assert await stage.called_with()
    await noted(stage, refused_last=False)


async def another_corp_calls(stage: Stage) -> None:
    other = await open_shop(stage.sandbox, f"邻居{new_id().hex[-8:]}")
    async with transaction(stage.desk.context) as ctx:
        endpoint = await callbacks.endpoint_of(ctx, stage.desk.app_id)
    config = {
        "url": stage.callback_url(endpoint.callback_id),
        "token": endpoint.token.reveal(),
        "encoding_aes_key": endpoint.aes_key.reveal(),
    }
    saved = await stage.sandbox.put(f"apps/{other.agentid}/callback", config, corp_id=other.corp_id)
    assert not saved["ok"]
    await noted(stage, refused_last=True)


def refused(reason: str) -> Do:
    """Such a request was refused: what a proxy made of it is in test_callbacks."""

    async def happened(stage: Stage) -> None:
        async with transaction(stage.desk.context) as ctx:
            endpoint = await callbacks.endpoint_of(ctx, stage.desk.app_id)
            await callbacks.record_refusal(ctx, endpoint.id, new_id(), reason, clock.now())

    return happened


def before_us(status: str, *headers: str) -> Do:
    async def stands(stage: Stage) -> None:
        stage.public_url(await stage.stack.enter_async_context(front(status, *headers)))

    return stands


async def ours_again(stage: Stage) -> None:
    stage.public_url(stage.address)


def certified(lifetime: timedelta, ip: str = "127.0.0.1", *, trusted: bool = True) -> Do:
    async def stands(stage: Stage) -> None:
        authority = Authority(stage.folder)
        if trusted:
            stage.monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        server = authority.server(lifetime, ip)
        stage.public_url(await stage.stack.enter_async_context(front(tls=server)))

    return stands


async def nobody_listens(stage: Stage) -> None:
    """And WeCom has never called: else it is only we who can't reach ourselves."""
    async with transaction(stage.desk.context) as ctx:
        await callbacks.rotate(ctx, (await callbacks.endpoint_of(ctx, stage.desk.app_id)).id)
    stage.public_url("http://127.0.0.1:9")


async def unknown_name(stage: Stage) -> None:
    await nobody_listens(stage)
    stage.public_url("http://shop.invalid")


async def deleted_account(stage: Stage) -> None:
    answer = await stage.desk.shop.call("kf/account/del", open_kfid=stage.desk.shop.open_kfid)
    assert answer["errcode"] == 0


async def not_managed(stage: Stage) -> None:
    await stage.sandbox.patch(f"kf-accounts/{stage.desk.shop.open_kfid}", {"managed_by": []})


async def managed(stage: Stage) -> None:
    await stage.sandbox.patch(f"kf-accounts/{stage.desk.shop.open_kfid}", {"managed_by": [stage.desk.shop.agentid]})


async def serves(stage: Stage) -> None:
    await stage.desk.shop.serves("lin")


def receiving(wanted: bool) -> Do:
    async def done(stage: Stage) -> None:
        await stage.sandbox.put("employees/lin/status", {"receiving": wanted}, corp_id=stage.desk.shop.corp_id)

    return done


def member(**change: Any) -> Do:
    async def changed(stage: Stage) -> None:
        await stage.sandbox.patch("address-book/employees/lin", change, corp_id=stage.desk.shop.corp_id)

    return changed


async def out_of_range(stage: Stage) -> None:
    await stage.patch_app(visible_departments=[], visible_users=["wang"])


async def in_range(stage: Stage) -> None:
    await stage.patch_app(visible_departments=[1], visible_users=[])


async def has_left(stage: Stage) -> None:
    """WeCom's own list of servicers may still name who has left."""
    await stage.sandbox.faults(api_errcode=60111, api_paths=["user/get"])


CASES: dict[str, Case] = {
    "wrong_corp_id": Case(own(corp_id="ww0000000000000000"), nothing),
    "wrong_secret": Case(own(secret=Secret("a-secret-that-was-reset")), own_secret),
    "secret_of_another_corp": Case(another_corps_secret, own_secret),
    "secret_of_another_app": Case(another_apps_secret, own_secret),
    "secret_of_contacts": Case(contacts_secret, own_secret),
    "app_disabled": Case(app(enabled=False), app(enabled=True)),
    "clock_wrong": Case(another_clock, right_clock),
    "wecom_unreachable": Case(no_way_out, way_out),
    "answer_not_wecoms": Case(faults(api_garbled_probability=1), faults()),
    "wecom_down": Case(faults(api_5xx_probability=1), faults()),
    "too_many_calls": Case(faults(api_rate_limit_probability=1), faults()),
    "ip_not_trusted": Case(trusting(SOMEBODY_ELSES), trusting()),
    "ip_changed": Case(moved_house, trusting(SOMEBODY_ELSES, OURS_NOW)),
    "range_empty": Case(app(visible_departments=[], visible_users=[]), app(visible_departments=[1])),
    "app_not_callable": Case(app(kf_permission=False), app(kf_permission=True), of="account"),
    "trusted_domain_other": Case(door_and_another_domain, right_domain),
    "cards_out_of_range": Case(card_to_nobody, card_arrived, of="account"),
    "callback_wrong_token": Case(wrong_token, saved_rightly),
    "callback_wrong_aes_key": Case(wrong_aes_key, saved_rightly),
    "callback_wrong_corp": Case(another_corp_calls, saved_rightly),
    "callback_altered": Case(refused("bad_xml"), saved_rightly),
    "callback_cut_off": Case(refused("disconnected"), saved_rightly),
    "address_unknown": Case(unknown_name, ours_again),
    "address_unreachable": Case(nobody_listens, ours_again),
    "address_redirects": Case(before_us("301 Moved", "Location: https://www.example.com/"), ours_again),
    "address_guarded": Case(before_us("401 Unauthorized"), ours_again),
    "address_elsewhere": Case(before_us("200 OK"), ours_again),
    "gateway_failing": Case(before_us("502 Bad Gateway"), ours_again),
    "domain_not_filed": Case(
        before_us("302 Found", "Location: https://dnspod.qcloud.com/static/webblock.html?d=shop"), ours_again
    ),
    "certificate_invalid": Case(certified(timedelta(days=90), trusted=False), certified(timedelta(days=90))),
    "certificate_of_another": Case(certified(timedelta(days=90), "127.0.0.2"), certified(timedelta(days=90))),
    "certificate_expired": Case(certified(timedelta(days=-1)), certified(timedelta(days=90))),
    "certificate_expiring": Case(certified(timedelta(days=3)), certified(timedelta(days=90))),
    "account_missing": Case(deleted_account, nothing, of="account"),
    "account_not_managed": Case(not_managed, managed, of="account"),
    "account_in_another_mode": Case(faults(api_errcode=95012, api_paths=["kf/account"]), faults(), of="account"),
    "company_not_verified": Case(faults(api_errcode=95003, api_paths=["kf/account"]), faults(), of="account"),
    "servicers_none": Case(nothing, serves, of="account"),
    "servicers_stopped": Case(receiving(False), receiving(True), of="account"),
    "servicer_out_of_range": Case(out_of_range, in_range, of="account"),
    "servicer_not_activated": Case(member(status=4), member(status=1), of="account"),
    "servicer_disabled": Case(member(status=2), member(status=1), of="account"),
    "servicer_left": Case(has_left, faults(), of="account"),
}

FROM_OUTSIDE = {"address_private", "address_insecure"}
"""Named only where WeCom is the real one: below, without a call."""

OF_THE_COMPANY = {"entity_brackets", "entity_differs"}
"""Comparisons of names: test_ledger."""


def test_every_mistake_is_walked_through() -> None:
    assert {*CASES, *FROM_OUTSIDE, *OF_THE_COMPANY} == {one.key for one in MISTAKES}


@pytest.mark.parametrize("key", CASES)
async def test_a_mistake_is_named_with_its_cure_and_the_check_is_green_once_it_is_mended(
    stage: Stage, key: str
) -> None:
    case = CASES[key]
    check = stage.checks if case.of == "app" else stage.account_checks

    if case.of == "account" and key != "servicers_none":
        await serves(stage)
    await case.wrong(stage)
    found = await check()

    (named,) = [one for one in found if one.mistake]
    assert (named.mistake, bool(named.fix)) == (key, True), found
    assert "{" not in named.message + named.fix, "a placeholder that nobody filled"

    await case.cure(stage)
    if case.cure is nothing:
        return
    assert [one for one in await check() if one.mistake] == []


async def test_a_wrong_corp_id_is_corrected_in_the_form(stage: Stage) -> None:
    await stage.change(corp_id="ww0000000000000000")
    await stage.checks()
    await stage.change(corp_id=stage.desk.shop.corp_id)
    assert [one.mistake for one in await stage.checks() if one.mistake] == []


async def test_only_where_wecom_is_the_real_one_an_address_of_our_own_network_is_wrong(stage: Stage) -> None:
    for url in (
        "http://127.0.0.1:8000/callbacks/wecom/1",
        "http://10.1.2.3/x",
        "http://[::1]/x",
        "https://192.168.1.9",
    ):
        assert (await look_at(url, inside=False)).found == "private"
    assert (await look_at("http://169.254.169.254/latest", inside=True)).found == "private", "never called"
    assert (await look_at(f"{stage.address}/callbacks/wecom/{'0' * 32}", inside=True)).found == "elsewhere"


async def test_an_address_without_encryption_is_pointed_out_and_holds_nothing_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huitouke.modules.organization.diagnosis import address

    async def found(*_: object, **__: object) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(address, "resolve", found)  # the name of a shop on the internet, which this machine plays
    async with front() as url:
        port = url.rsplit(":", 1)[1]
        assert (await look_at(f"http://shop.example.com:{port}/x", inside=False)).found == "insecure"
    assert mistake("insecure").weight == "optional"


async def test_the_way_of_our_own_is_not_looked_at_twice_when_wecom_has_come_by_it(stage: Stage) -> None:
    assert await stage.called_with()

    async def verified() -> bool:
        async with transaction(stage.desk.context) as ctx:
            return (await callbacks.heard(ctx, stage.desk.app_id)).verified_at is not None

    await stage.desk.eventually(verified)
    stage.public_url("http://127.0.0.1:9")
    (address,) = [one for one in await stage.checks() if one.name == "address"]
    assert address.state == "ok"


async def test_what_is_found_is_kept_without_the_secrets_of_the_callback(stage: Stage) -> None:
    await wrong_token(stage)
    await stage.checks()
    async with transaction(stage.desk.context) as ctx:
        kept = (await organization.wecom_app(ctx, stage.desk.app_id)).last_check
        endpoint = await callbacks.endpoint_of(ctx, stage.desk.app_id)
    (named,) = [one for one in kept or [] if one["mistake"]]
    assert named["values"] == [{"name": "callback_token", "value": None}, {"name": "callback_url", "value": None}]
    assert endpoint.token.reveal() not in str(kept)


async def test_an_address_that_changed_is_told_from_one_that_was_never_entered(stage: Stage) -> None:
    await moved_house(stage)
    (named,) = [one for one in await stage.checks() if one.mistake]
    assert {one.name: one.value for one in named.values} == {"ip": OURS_NOW, "old_ip": SOMEBODY_ELSES}


async def test_the_ledger_looks_at_our_own_address_too(stage: Stage) -> None:
    found = await prerequisites.check_prerequisite(stage.desk.context, "server")
    assert found is not None
    assert (found.state, found.mistake) == ("ok", "")
    await before_us("200 OK")(stage)
    found = await prerequisites.check_prerequisite(stage.desk.context, "server")
    assert found is not None
    assert (found.state, found.mistake) == ("failed", "address_elsewhere")

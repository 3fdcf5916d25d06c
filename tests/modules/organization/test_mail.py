"""E-mail: addresses proven by a code, notices, links, and the way back in for who forgot the password."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import select, text

from huitouke import mail
from huitouke.kernel.access import links
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, OutsideFailed, RateLimited
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.notice_models import AddressCode, NoticeDelivery
from huitouke.modules.organization.service import mailing, people, problems
from huitouke.modules.organization.service.notifying import People, addresses, choosing, tell
from huitouke.modules.organization.service.notifying.kinds import EMAIL, PLAN_ENDING
from tests.modules.conversations.desk import Desk
from tests.support.http import PASSWORD, application, client, forget_guesses
from wechat_sandbox.mail import MailReceived, MailServer

FROM = "回头客 <no-reply@example.cn>"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    """The sandbox's mail server, and an installation that hands its mail in there."""
    running = MailServer()
    await running.start()
    monkeypatch.setenv("HUITOUKE_SMTP_URL", running.url)
    monkeypatch.setenv("HUITOUKE_MAIL_FROM", FROM)
    get_settings.cache_clear()
    yield running
    monkeypatch.undo()
    get_settings.cache_clear()
    running.stop()
    await forget_guesses()


def newest(server: MailServer) -> MailReceived:
    return server.mails[-1]


def code_in(received: MailReceived) -> str:
    found = re.search(r"\b\d{6}\b", received.text)
    assert found
    return found[0]


def token_in(received: MailReceived) -> Secret:
    found = re.search(r"/join#(\S+)", received.text)
    assert found
    return Secret(found[1])


async def prove(desk: Desk, server: MailServer, address: str) -> None:
    await addresses.send_code(desk.owner.context, address)
    await addresses.confirm(desk.owner.context, code_in(newest(server)))


async def test_an_address_is_used_once_it_was_proven(desk: Desk, server: MailServer) -> None:
    await addresses.send_code(desk.owner.context, "owner@example.cn")
    received = newest(server)
    assert (received.to, received.sender, received.subject) == ("owner@example.cn", "no-reply@example.cn", "邮箱验证码")
    async with transaction(desk.owner.context) as ctx:
        assert await choosing.settings_of(ctx) is None
        kept = await ctx.session.scalar(text("SELECT row_to_json(c)::text FROM address_codes AS c"))
        assert code_in(received) not in kept

    await addresses.confirm(desk.owner.context, code_in(received))
    async with transaction(desk.owner.context) as ctx:
        settings = await choosing.settings_of(ctx)
        assert settings is not None
        assert settings.email == "owner@example.cn"
        assert await ctx.session.scalar(select(AddressCode.address)) is None


async def test_codes_are_asked_for_once_a_minute_and_guessed_five_times(desk: Desk, server: MailServer) -> None:
    await addresses.send_code(desk.owner.context, "owner@example.cn")
    with pytest.raises(RateLimited):
        await addresses.send_code(desk.owner.context, "owner@example.cn")
    right = code_in(newest(server))
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        with pytest.raises(InvalidInput):
            await addresses.confirm(desk.owner.context, wrong)
    with pytest.raises(problems.CodeGone):
        await addresses.confirm(desk.owner.context, right)


async def test_a_code_ends_after_a_quarter_of_an_hour(desk: Desk, server: MailServer) -> None:
    await addresses.send_code(desk.owner.context, "owner@example.cn")
    async with desk.later(15 * 60 + 1):
        with pytest.raises(problems.CodeGone):
            await addresses.confirm(desk.owner.context, code_in(newest(server)))


@pytest.mark.parametrize("address", ["", "no at", "a@b", "a@b.cn\r\nBcc: x@y.cn", "a b@example.cn", "@example.cn"])
async def test_what_is_no_address_is_refused(desk: Desk, server: MailServer, address: str) -> None:
    with pytest.raises(InvalidInput):
        await addresses.send_code(desk.owner.context, address)
    assert not server.mails


async def test_an_address_that_does_not_exist_is_said_to_be_one(desk: Desk, server: MailServer) -> None:
    with pytest.raises(OutsideFailed) as refused:
        await addresses.send_code(desk.owner.context, "nobody@example.cn")
    assert "邮箱地址不存在" in refused.value.params["reason"]


async def tell_owner(desk: Desk) -> None:
    async with transaction(desk.context) as ctx:
        args = {"days": 7, "day": "2026-12-01"}
        await tell(
            ctx, PLAN_ENDING, People((desk.owner.id,)), dedupe_key=new_id().hex, args=args, link="/settings/plan"
        )
    await desk.work()


async def states(desk: Desk) -> list[tuple[str, str | None]]:
    async with transaction(desk.context) as ctx:
        rows = await ctx.session.scalars(select(NoticeDelivery).where(NoticeDelivery.channel == EMAIL))
        return [(row.state, row.error_code) for row in rows]


async def test_a_notice_comes_by_mail(desk: Desk, server: MailServer) -> None:
    await prove(desk, server, "owner@example.cn")
    await tell_owner(desk)
    received = newest(server)
    assert received.subject == "套餐还有 7 天到期"
    assert received.text.rstrip().endswith("/settings/plan")
    assert await states(desk) == [("sent", None)]


async def test_a_server_that_is_busy_is_asked_again_and_a_cut_line_is_not(desk: Desk, server: MailServer) -> None:
    await prove(desk, server, "owner@example.cn")
    for address, expected in (("busy@example.cn", ("queued", "busy")), ("vanish@example.cn", ("unknown", "broken"))):
        async with transaction(desk.owner.context) as ctx:
            await choosing.keep(ctx, email=address)
            await ctx.session.execute(text("DELETE FROM notices WHERE tenant_id = :t"), {"t": ctx.tenant_id})
        before = len(server.mails)
        await tell_owner(desk)
        async with desk.later(31):
            await desk.work()
        assert await states(desk) == [expected]
        assert len(server.mails) - before == (1 if expected[0] == "unknown" else 0)


async def test_an_invitation_is_mailed_and_opens_the_door(desk: Desk, server: MailServer) -> None:
    async with transaction(desk.context) as ctx:
        new = organization.NewStaff("小满", f"xiaoman-{new_id().hex}", None, "agent")
        staff = await organization.add_staff(ctx, new)
    link = await mailing.mail_link(desk.context, staff.id, "xiaoman@example.cn")
    assert link.kind == "invitation"
    received = newest(server)
    assert received.to == "xiaoman@example.cn"
    assert "邀请你加入" in received.subject
    await links.use_link(token_in(received), Secret(PASSWORD))


async def test_without_a_mail_server_links_are_copied(desk: Desk) -> None:
    with pytest.raises(problems.NoMail):
        await mailing.mail_link(desk.context, desk.xiaoyu.id, "x@example.cn")
    async with client(application()) as stranger:
        assert (await stranger.get("/api/forgotten-password")).json() == {"open": False}
        asked = await stranger.post("/api/forgotten-password", json={"sign_in_name": desk.owner.sign_in_name})
        assert asked.status_code == 409


async def test_who_forgot_the_password_gets_a_link_and_nobody_learns_who_exists(desk: Desk, server: MailServer) -> None:
    await prove(desk, server, "owner@example.cn")

    async def ask(stranger: httpx2.AsyncClient, name: str) -> tuple[int, str]:
        answer = await stranger.post("/api/forgotten-password", json={"sign_in_name": name})
        return answer.status_code, answer.text

    async with client(application()) as stranger:
        known = await ask(stranger, desk.owner.sign_in_name.upper())
        unproven = await ask(stranger, desk.xiaoyu.sign_in_name)
        unknown = await ask(stranger, f"nobody-{new_id().hex}")
        assert known == unproven == unknown
        before = len(server.mails)
        await desk.work()
        assert len(server.mails) == before + 1
        await links.use_link(token_in(newest(server)), Secret("another long pass phrase"))
        answers = [(await ask(stranger, "the-same-name"))[0] for _ in range(4)]
    assert answers == [202, 202, 202, 429]


async def test_the_password_of_the_mail_server_stands_in_no_error() -> None:
    server = mail.server_of("smtp://us%40er:hush%2Fhush@127.0.0.1:1")
    assert (server.user, server.password, server.tls) == ("us@er", "hush/hush", "none")
    assert "hush" not in repr(server)
    with pytest.raises(mail.MailError) as failed:
        await mail.send(server, mail.Mail(FROM, "x@example.cn", "s", "t"))
    assert (failed.value.reason, failed.value.failure) == ("connect", "retry")
    assert "hush" not in f"{failed.value!r} {failed.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtps://m.example.cn", "direct", 465),
        ("smtp://m.example.cn", "starttls", 587),
        ("smtp://localhost:25", "none", 25),
    ],
)
def test_only_this_machine_is_talked_to_without_encryption(url: str, tls: str, port: int) -> None:
    server = mail.server_of(url)
    assert (server.tls, server.port) == (tls, port)


async def test_of_who_has_left_no_address_is_kept(desk: Desk, server: MailServer) -> None:
    async with transaction(desk.xiaoyu.context) as ctx:
        await choosing.keep(ctx, email="xiaoyu@example.cn")
        await choosing.choose(ctx, "conversations.send_failed", EMAIL, True)
    async with transaction(desk.context) as ctx:
        await people.resign(ctx, desk.xiaoyu.id)
    async with transaction(desk.xiaoyu.context) as ctx:
        assert await choosing.settings_of(ctx) is None
        assert await choosing.choices(ctx) == {}

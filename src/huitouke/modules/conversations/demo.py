"""The demo's 客服账号 and some days of past conversations, written set by set."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, cast
from uuid import UUID

from sqlalchemy import select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.demo import DemoWorld
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import wake
from huitouke.modules.conversations.avatar import default_avatar
from huitouke.modules.conversations.channels import channel
from huitouke.modules.conversations.models import (
    ChannelAccount,
    Conversation,
    Message,
    MessageReceipt,
    OutboundMessage,
)
from huitouke.modules.conversations.service import DEFAULT_AI_LABEL, accounts, open_hosted_page
from huitouke.modules.conversations.service.account_checks import MANAGED
from huitouke.modules.conversations.service.sending import preview
from huitouke.modules.customers import service as customers
from huitouke.modules.organization import service as organization
from huitouke.wechat.kf_content import Text

ACCOUNT_NAME: Final = "拾光衣橱客服"
GREETING: Final = "欢迎来到拾光衣橱，我是 AI 助手小客。尺码、面料、发货、退换都可以问我，需要同事就说「人工」。"
WITHOUT_SANDBOX: Final = "wkDEMO0000000000000000000000000"
SERVICER: Final = "ANing"
REPLY_SECONDS: Final = 3
PERSON_SECONDS: Final = 40
CUSTOMER_SECONDS: Final = 50
FAILED_CODE: Final = "send_fail.10"

PAGE_NAME: Final = "拾光衣橱"
PAGE_GREETING: Final = "您好，我是拾光衣橱的 AI 助手小客。想问什么直接说，需要同事请说「人工」。"
PAGE_QUESTIONS: Final = ("有没有大码？", "怎么选尺码？", "什么时候发货？")
PAGE_LINES: Final = (
    ("C", "有大一点的吗"),
    (
        "A",
        "有的。我们大部分款式从 S 做到 3XL，3XL 适合 145 到 165 斤。想看某一款有没有大码，把款式名字发给我就行。",
    ),
)
PAGE_HOURS_AGO: Final = 30.4
"""Between two of the other conversations."""
PHONES: Final = ("13800138000", "13900139000", "13700137000")
PHONE_OF_NOBODY: Final = "13600136000"
"""Numbers of the pattern that examples use."""

_SCRIPTS = Path(__file__).parent / "demo_conversations.txt"
Gender = Literal["unknown", "male", "female"]


@dataclass(frozen=True)
class Script:
    """One conversation of the file: its heading and its lines (mark, text)."""

    name: str
    gender: Gender
    hours_ago: float
    state: str
    handler: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """An external_userid that is the same in every demo."""
        return "wmDEMO" + hashlib.sha256(self.name.encode()).hexdigest()[:26]


@dataclass
class _Rows:
    conversations: list[Conversation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    deliveries: list[OutboundMessage] = field(default_factory=list)
    answers: list[tuple[UUID, UUID, str]] = field(default_factory=list)
    """(conversation, message, question) of what the assistant answered, for its traces."""
    followers: list[tuple[UUID, UUID]] = field(default_factory=list)
    """(customer, member of staff) of who took or answered."""
    live: list[tuple[str, Message]] = field(default_factory=list)
    """(address, message) of what the sandbox is to know as well, so that one can go on from there."""


async def load(context: Context, world: DemoWorld) -> None:
    """Connects the account and adds the past; `facts` gets `channel_account_id`, `kf_link` and `assistant_answers`."""
    async with transaction(context) as ctx:
        if await ctx.session.scalar(select(ChannelAccount.id).limit(1)) is not None:
            return
    scripts = list(read_scripts())
    account = await _account(context, world, scripts)
    world.facts["channel_account_id"] = account.id
    rows = _Rows()
    staff_ids: list[UUID] = world.facts["staff_ids"]
    async with transaction(context) as ctx:
        people = await customers.find_or_create_many(
            ctx, "external_userid", world.facts["corp_id"], [script.address for script in scripts]
        )
        await customers.update_profiles(
            ctx,
            world.facts["corp_id"],
            [customers.ProfileUpdate(people[one.address], one.name, None, one.gender) for one in scripts],
        )
    for script in scripts:
        _Past(rows, account, people[script.address], staff_ids, script).play()
    if world.sandbox_url is not None:
        await _play_live(context, world, account, rows.live)
    async with transaction(context) as ctx:
        ctx.session.add_all(rows.conversations)
        await ctx.session.flush()
        ctx.session.add_all([*rows.messages, *rows.deliveries])
        ctx.session.add_all(
            MessageReceipt(channel_account_id=account.id, external_msgid=message.external_msgid, message_id=message.id)
            for message in rows.messages
            if message.external_msgid is not None
        )
        await customers.note_seen(
            ctx, {row.customer_id: cast(datetime, row.last_customer_message_at) for row in rows.conversations}
        )
        for customer_id, staff_id in dict.fromkeys(rows.followers):
            await customers.follow(ctx, customer_id, staff_id)
        await _what_cards_say(ctx, [people[script.address] for script in scripts])
        await ctx.session.execute(update(ChannelAccount).where(ChannelAccount.id == account.id).values(state="active"))
        await wake(ctx, accounts.SYNC_RUNNER, account.external_id)
    await _page(context, world, rows)
    world.facts["assistant_answers"] = rows.answers
    if world.sandbox_url is not None:
        await organization.check_wecom_app(context, world.facts["wecom_app_id"])
        await organization.check_prerequisite(context, MANAGED)


async def _what_cards_say(ctx: Context, people: Sequence[UUID]) -> None:
    """Some left their number; one wants no offers and said so, of another a colleague entered it."""
    for customer_id, phone in zip(people, PHONES, strict=False):
        await customers.set_phone(ctx, customer_id, phone)
    refusals = [
        customers.Refusal("customer_words", people[0]),
        customers.Refusal("import", phone=f"+86{PHONE_OF_NOBODY}", note="原来的短信退订名单"),
    ]
    await customers.refuse_marketing(ctx, refusals)
    await customers.refuse_for(ctx, people[1], "到店说不想收短信")


def read_scripts() -> Iterator[Script]:
    """The conversations of the file, in its order."""
    script: Script | None = None
    for line in _SCRIPTS.read_text(encoding="utf-8").splitlines():
        mark, _, text = line.strip().partition(" ")
        if mark in ("", "#"):
            continue
        if mark == "=":
            if script is not None:
                yield script
            name, gender, hours_ago, state, handler = (part.strip() for part in text.split("|"))
            script = Script(name, cast(Gender, gender), float(hours_ago), state, handler)
        elif script is not None:
            script.lines.append((mark, text))
    if script is not None:
        yield script


async def _page(context: Context, world: DemoWorld, rows: _Rows) -> None:
    """The shop's chat page, and somebody who asked there yesterday. `facts` gets `page_path`."""
    visitor = hashlib.sha256(PAGE_NAME.encode()).hexdigest()[:32]
    async with transaction(context) as ctx:
        page = await open_hosted_page(ctx, name=PAGE_NAME, greeting=PAGE_GREETING, questions=PAGE_QUESTIONS)
        account = await accounts.channel_account(ctx, page.account_id)
        people = await customers.find_or_create_many(ctx, "visitor", str(account.id), [visitor])
        name = f"访客 {visitor[:4].upper()}"
        await customers.update_profiles(
            ctx, str(account.id), [customers.ProfileUpdate(people[visitor], name, None, "unknown")]
        )
    script = Script(name, "unknown", PAGE_HOURS_AGO, "open", "assistant", list(PAGE_LINES))
    past = _Rows(answers=rows.answers)
    _Past(past, account, people[visitor], world.facts["staff_ids"], script).play()
    (conversation,) = past.conversations
    conversation.customer_address, conversation.session_state = visitor, 0
    async with transaction(context) as ctx:
        ctx.session.add(conversation)
        await ctx.session.flush()
        ctx.session.add_all([*past.messages, *past.deliveries])
        ctx.session.add_all(
            MessageReceipt(channel_account_id=account.id, external_msgid=message.external_msgid, message_id=message.id)
            for message in past.messages
        )
        await customers.note_seen(
            ctx, {conversation.customer_id: cast(datetime, conversation.last_customer_message_at)}
        )
    world.facts["page_path"] = page.path


async def _account(context: Context, world: DemoWorld, scripts: list[Script]) -> ChannelAccount:
    app_id: UUID = world.facts["wecom_app_id"]
    if world.sandbox_url is None:
        async with transaction(context) as ctx:
            account = await accounts.connect(ctx, app_id, WITHOUT_SANDBOX, ACCOUNT_NAME, None)
            account.greeting = GREETING
            return account
    people = [
        {
            "nickname": script.name,
            "gender": {"male": 1, "female": 2}.get(script.gender, 0),
            "external_userid": script.address,
        }
        for script in scripts
    ]
    wanted: dict[str, Any] = {
        "corp_id": world.facts["corp_id"],
        "corp_name": world.facts["corp_name"],
        "customers": people,
    }
    await world.sandbox("POST", "setup", wanted)
    existing = next((one for one in await accounts.corp_accounts(context, app_id) if one.name == ACCOUNT_NAME), None)
    if existing is not None:  # left by a demo that was broken off
        account = await accounts.adopt_account(context, app_id, existing.open_kfid)
    else:
        account = await accounts.create_account(context, app_id, ACCOUNT_NAME, await default_avatar(ACCOUNT_NAME))
    await accounts.change_servicers(context, account.id, world.facts["servicer_userids"], add=True)
    world.facts["kf_link"] = await accounts.make_link(context, account.id)
    return await accounts.update_account(context, account.id, accounts.AccountChange(greeting=GREETING))


async def _play_live(
    context: Context, world: DemoWorld, account: ChannelAccount, live: list[tuple[str, Message]]
) -> None:
    """The last words of open conversations are said in the sandbox too, at their time: one can answer in the session.

    The account pulls nothing meanwhile; then what WeCom tells of them is known by the ids that it gave them here.
    """
    async with transaction(context) as ctx:
        await ctx.session.execute(
            update(ChannelAccount).where(ChannelAccount.id == account.id).values(state="disconnected")
        )
    kf = await accounts.kf_client(context, account)
    try:
        for address, message in sorted(live, key=lambda one: one[1].sent_at):
            await _sandbox_clock(world, (message.sent_at - clock.now()).total_seconds())
            if message.direction == "out":
                text = Text(content=f"{DEFAULT_AI_LABEL if message.ai else ''}{message.text}")
                await kf.send_msg(account.external_id, address, text, msgid=message.external_msgid)
            else:
                path = f"customers/{address}/chats/{account.external_id}/messages"
                sent = await world.sandbox("POST", path, {"msgtype": "text", "text": {"content": message.text}})
                message.external_msgid = sent["msgid"]
    finally:
        await _sandbox_clock(world, 0.0)


async def _sandbox_clock(world: DemoWorld, offset_seconds: float) -> None:
    await world.sandbox("POST", "clock", {"offset_seconds": offset_seconds})


class _Past:
    """Plays one script into rows, as if it had happened."""

    def __init__(
        self,
        rows: _Rows,
        account: ChannelAccount,
        customer_id: UUID,
        staff_ids: list[UUID],
        script: Script,
    ) -> None:
        self._rows = rows
        self._live = False
        self._staff_ids = staff_ids
        self._script = script
        self._rules = channel(account.kind).rules
        self._now = clock.now()
        self._at = self._now - timedelta(hours=script.hours_ago)
        self._question = ""
        self._row = Conversation(
            id=new_id(self._at),
            channel_account_id=account.id,
            customer_id=customer_id,
            customer_address=script.address,
            state="open",
            handler="assistant",
            session_state=1,
            seq=0,
            state_seq=0,
            last_message_at=self._at,
            last_preview="",
            last_msgtype="text",
            last_sender="customer",
            last_customer_seq=0,
            unread=0,
            window_left=0,
            changed_at=self._at,
            created_at=self._at,
        )

    def play(self) -> None:
        """All lines; the heading's state and handler are where it ends."""
        for mark, text in self._script.lines:
            self._line(mark, text)
        row = self._row
        row.seq += 1
        row.state_seq, row.changed_at = row.seq, self._at
        self._rows.conversations.append(row)

    def _line(self, mark: str, text: str) -> None:
        match mark:
            case "+":
                self._at += timedelta(minutes=float(text))
            case "C":
                self._customer(text)
            case "L":
                self._live = True
                self._customer(text)
            case "A":
                self._assistant(text)
            case "W":
                self._servicer(text)
            case "0" | "1" | "2":
                self._staff(int(mark), text, failed=False)
            case "!":
                who, _, said = text.partition(" ")
                self._staff(int(who), said, failed=True)
            case "H":
                self._handed_over(text)
            case "T":
                self._row.staff_id, self._row.waiting_since = self._staff_ids[int(text)], None
                self._rows.followers.append((self._row.customer_id, self._row.staff_id))
                self._event("taken", {}, self._row.staff_id)
            case "X":
                self._row.state, self._row.session_state, self._row.closed_at = "closed", 4, self._at
                self._row.unread = 0
                self._event("closed", {}, self._row.staff_id)
            case _:
                raise ValueError(f"demo_conversations.txt: {mark!r}")

    def _customer(self, text: str) -> None:
        self._pass(CUSTOMER_SECONDS)
        message = self._message("in", "customer", text, "received")
        message.external_msgid = message.id.hex
        row = self._row
        row.last_customer_seq, row.last_customer_message_at = message.seq, self._at
        row.window_left, row.window_expires_at = self._rules.window_messages, self._at + self._rules.window
        row.unread += 1
        self._question = text

    def _assistant(self, text: str) -> None:
        self._pass(REPLY_SECONDS)
        message = self._ours("assistant", text, ai=True)
        self._rows.answers.append((self._row.id, message.id, self._question))

    def _staff(self, index: int, text: str, *, failed: bool) -> None:
        self._pass(PERSON_SECONDS)
        message = self._ours("agent", text, failed=failed)
        message.sender_id = self._staff_ids[index]
        self._rows.followers.append((self._row.customer_id, self._staff_ids[index]))

    def _servicer(self, text: str) -> None:
        self._pass(PERSON_SECONDS)
        message = self._message("out", "servicer", text, "sent")
        message.sender_userid, message.external_msgid = SERVICER, message.id.hex
        self._row.handler, self._row.servicer_userid, self._row.session_state = "servicer", SERVICER, 3
        self._row.waiting_since, self._row.unread = None, 0

    def _handed_over(self, text: str) -> None:
        reason, _, summary = text.partition(": ")
        self._pass(1)
        row = self._row
        row.handler, row.waiting_since, row.handover_id = "agent", self._at, new_id(self._at)
        row.handover_to, row.handover_reason, row.handover_summary = "console", reason, summary
        self._event("handed_over", {"to": "console", "reason": reason}, None)

    def _ours(self, sender_kind: str, text: str, *, ai: bool = False, failed: bool = False) -> Message:
        message = self._message("out", sender_kind, text, "failed" if failed else "sent", ai=ai)
        message.external_msgid = message.id.hex
        message.failure_code = FAILED_CODE if failed else None
        self._row.window_left = max(0, self._row.window_left - 1)
        self._row.unread = 0
        self._rows.deliveries.append(
            OutboundMessage(
                id=message.id,
                conversation_id=self._row.id,
                channel_account_id=self._row.channel_account_id,
                seq=message.seq,
                state=message.state,
                msgid=message.id.hex,
                attempts=1,
                next_attempt_at=self._at,
                ai_label=DEFAULT_AI_LABEL if ai else None,
                counted=True,
                purpose="service",
                accepted_at=self._at,
                error_code=message.failure_code,
            )
        )
        return message

    def _event(self, event_type: str, content: dict[str, Any], staff_id: UUID | None) -> None:
        message = self._message("in", "system", None, "received", {"event_type": event_type, **content})
        message.sender_id = staff_id

    def _message(
        self,
        direction: str,
        sender_kind: str,
        text: str | None,
        state: str,
        content: dict[str, Any] | None = None,
        *,
        ai: bool = False,
    ) -> Message:
        row = self._row
        row.seq += 1
        message = Message(
            id=new_id(self._at),
            conversation_id=row.id,
            seq=row.seq,
            changed_seq=row.seq,
            direction=direction,
            sender_kind=sender_kind,
            msgtype="event" if text is None else "text",
            text=text,
            content=content or {},
            ai=ai,
            state=state,
            sent_at=self._at,
            created_at=self._at,
        )
        self._rows.messages.append(message)
        if self._live and text is not None:
            self._rows.live.append((self._script.address, message))
        if text is not None:
            row.last_message_at, row.last_preview, row.last_sender = self._at, preview(text), sender_kind
        return message

    def _pass(self, seconds: int) -> None:
        """Time goes on, but never beyond now."""
        self._at = min(self._at + timedelta(seconds=seconds), self._now)

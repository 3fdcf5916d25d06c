"""`make smoke`: the product's main story, in a demo of its own, a real browser and the sandbox's phone.

Prints each step with its time; ends with 0, or with the step that failed.
"""

import asyncio
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright, expect

from tests.e2e.composers.files import excel
from tests.e2e.pages.browser import launch
from tests.e2e.pages.console import Console
from tests.e2e.pages.line import Line
from tests.e2e.pages.phone import Phone
from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import console_words, phone_words
from tests.install.people import Customer, Staff
from tests.install.running_demo import RunningDemo

SIGN_IN_NAME, PASSWORD = "demo", "huitouke-demo"
ANSWER_SECONDS = 3
BROWSER_MILLISECONDS = 30_000
CUSTOMER = "童话里"
KNOWN_QUESTION = "有大一点的吗"
UNKNOWN_QUESTION = "你们老板养的猫叫什么名字"
WANTS_A_PERSON = "我要投诉，找人工"
AGENT_WRITES = "您好，我是小林，我来帮您处理。"
OWN_QUESTION, OWN_ANSWER = "周年庆哪天开始", "周年庆从 12 月 1 日开始，为期三天。"


class StoryFailed(Exception):
    """A step of the story did not go as it must."""


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        raise StoryFailed(f"✗ {name}: {error}") from error
    print(f"✓ {name} ({time.monotonic() - started:.1f} s)", flush=True)


@dataclass
class Pages:
    """The two windows of the story: the shop's console and the customer's phone."""

    console: Console
    phone: Phone

    @property
    def problems(self) -> list[str]:
        return self.console.watch.problems + self.phone.watch.problems


@contextlib.asynccontextmanager
async def windows(demo: RunningDemo) -> AsyncIterator[Pages]:
    """Both in one real browser."""
    expect.set_options(timeout=BROWSER_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(BROWSER_MILLISECONDS)
        shop, own = await context.new_page(), await context.new_page()
        console = Console(shop, Watch(shop), console_words(), demo.addresses.console, Line(shop))
        yield Pages(console, Phone(own, Watch(own), phone_words()))
        await browser.close()


async def play(data: Path, folder: Path) -> None:
    """The whole story on that data; raises StoryFailed at the first step that fails. `folder` is for its own files."""
    demo = RunningDemo(data)
    try:
        with step("the demo starts on free ports"):
            demo.start()
        async with windows(demo) as pages:
            with step("staff sign in at the console"):
                await pages.console.go("/")
                await pages.console.sign_in(SIGN_IN_NAME, PASSWORD)
                await expect(pages.console.inbox.list).to_be_visible()
            staff = Staff(demo.addresses.console, SIGN_IN_NAME, PASSWORD)
            customer = Customer(demo.addresses.phone, CUSTOMER)
            conversation = await answered_from_knowledge(customer, staff, pages)
            await handed_to_a_person(customer, staff, pages, conversation, demo.addresses.phone)
            await taught_by_a_file(customer, pages, folder)
            await answered_by_a_model(customer, staff, pages, demo.addresses.phone)
            with step("no page saw an error"):
                assert not pages.problems, "; ".join(pages.problems)
        with step("Ctrl-C ends the demo"):
            demo.stop()
        with step("it starts again"):
            demo.start()
        with step("everything is still there"):
            still_there(Staff(demo.addresses.console, SIGN_IN_NAME, PASSWORD), conversation)
        with step("Ctrl-C ends it again"):
            demo.stop()
    finally:
        with contextlib.suppress(AssertionError):  # it is not running any more
            demo.kill()


async def answered_from_knowledge(customer: Customer, staff: Staff, pages: Pages) -> str:
    """Gives the conversation's id."""
    inbox = pages.console.inbox
    with step(f"「{KNOWN_QUESTION}」 is answered within {ANSWER_SECONDS} s"):
        started = time.monotonic()
        answer = customer.asks(KNOWN_QUESTION)
        assert time.monotonic() - started <= ANSWER_SECONDS, f"it took {time.monotonic() - started:.1f} s"
    with step("the answer says that an AI wrote it"):
        assert "AI" in answer or "人工智能" in answer, answer
    with step("the open console shows question and answer without a reload"):
        conversation = str(staff.conversation_of(CUSTOMER)["id"])
        await inbox.open(CUSTOMER)
        await inbox.sees(KNOWN_QUESTION)
        await inbox.sees(essence(answer))
    with step("the trace names the entries that it came from"):
        drawer = await inbox.open_trace(essence(answer))
        await expect(drawer.get_by_text(pages.console.words("assistant.trace.used")).first).to_be_visible()
        await pages.console.page.keyboard.press("Escape")
        await expect(drawer).to_be_hidden()
    with step("what the shop never wrote down is not invented, and stands live in the console"):
        reply = customer.asks(UNKNOWN_QUESTION)
        trace = staff.get("/api/assistant/traces", conversation_id=conversation)["items"][0]
        assert trace["decision"] in ("asked_colleague", "handed_over"), trace
        await inbox.sees(UNKNOWN_QUESTION)
        await inbox.sees(essence(reply))
    return conversation


async def handed_to_a_person(customer: Customer, staff: Staff, pages: Pages, conversation: str, sandbox: str) -> None:
    inbox = pages.console.inbox
    with step(f"「{WANTS_A_PERSON}」 written on the phone goes to a person, with a summary"):
        await pages.phone.page.goto(f"{sandbox}/?{customer.place}")
        await pages.phone.write(WANTS_A_PERSON)
        await inbox.sees(WANTS_A_PERSON)
        await inbox.status_is("conversations.status.waiting")
        assert staff.get(f"/api/conversations/{conversation}")["handover_summary"]
    with step("the agent takes it, answers, and the phone shows it"):
        await inbox.take()
        await inbox.reply(AGENT_WRITES)
        await pages.phone.sees(AGENT_WRITES)
        await inbox.is_sent(AGENT_WRITES)
    with step("the agent hands it back, and the assistant serves again"):
        await inbox.hand_back()
        assert customer.asks(KNOWN_QUESTION)
        assert handled_by(staff, conversation, "assistant")


async def taught_by_a_file(customer: Customer, pages: Pages, folder: Path) -> None:
    with step("an FAQ from an Excel file is imported, and the next question is answered from it"):
        await pages.console.go("/assistant/import")
        file = excel(folder / "faq.xlsx", [["问题", "回答"], [OWN_QUESTION, OWN_ANSWER]])
        await pages.console.knowledge.choose_file(file)
        await pages.console.knowledge.apply(1)
        answer = customer.asks(OWN_QUESTION)
        assert essence(OWN_ANSWER) in answer, answer


async def answered_by_a_model(customer: Customer, staff: Staff, pages: Pages, sandbox: str) -> None:
    knowledge = pages.console.knowledge
    with step("a model's address and key pass the test"):
        await pages.console.go("/assistant/model")
        await knowledge.fill_model(f"{sandbox}/v1", "sandbox", "sandbox-key")
        result = await knowledge.test_model()
        await expect(result.filter(has_text=pages.console.words("assistant.model.works"))).to_be_visible()
    with step("answers are now written by it, from the same evidence"):
        await knowledge.save()
        assert customer.asks(KNOWN_QUESTION)
        conversation = staff.conversation_of(CUSTOMER)["id"]
        trace = staff.get("/api/assistant/traces", conversation_id=conversation)["items"][0]
        assert trace["model"], trace
        assert trace["evidence"], trace


def still_there(staff: Staff, conversation: str) -> None:
    messages = staff.get(f"/api/conversations/{conversation}/messages", limit=50)["items"]
    texts = " ".join(message["text"] or "" for message in messages)
    for said in (KNOWN_QUESTION, WANTS_A_PERSON, AGENT_WRITES, OWN_QUESTION):
        assert said in texts, f"「{said}」 is gone"


def handled_by(staff: Staff, conversation: str, handler: str) -> dict[str, Any] | None:
    found: dict[str, Any] = staff.get(f"/api/conversations/{conversation}")
    return found if found["handler"] == handler else None


def essence(answer: str) -> str:
    """The beginning of the longest line without the AI mark, which the console shows in its own way."""
    return re.sub(r"【[^】]*】", "", max(answer.splitlines(), key=len)).strip()[:12]


def main(data: str | None = None) -> int:
    """Plays it in a folder that is gone afterwards, or in the one given, which stays."""
    with tempfile.TemporaryDirectory(prefix="huitouke-smoke-") as folder:
        demo = Path(data or folder + "/demo")
        started = time.monotonic()
        try:
            asyncio.run(play(demo, Path(folder)))
        except StoryFailed as failed:
            print(failed, flush=True)
            for log in sorted((demo / "logs").glob("*.log")):
                print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
            return 1
        print(f"The whole story: {time.monotonic() - started:.0f} s")
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

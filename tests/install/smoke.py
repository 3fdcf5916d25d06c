"""`make smoke`: the product's main story, in a demo of its own, a real browser and the sandbox's phone.

Prints each step with its time; ends with 0, or with the step that failed.
"""

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.install.people import Customer, Staff, eventually
from tests.install.running_demo import RunningDemo

SIGN_IN_NAME, PASSWORD = "demo", "huitouke-demo"
ANSWER_SECONDS = 3
LIVE_SECONDS = 3
CUSTOMER = "小满"
KNOWN_QUESTION = "有大一点的吗"
UNKNOWN_QUESTION = "你们老板养的猫叫什么名字"
WANTS_A_PERSON = "我要投诉，找人工"
AGENT_WRITES = "您好，我是小林，我来帮您处理。"
OWN_QUESTION, OWN_ANSWER = "周年庆哪天开始", "周年庆从 12 月 1 日开始，为期三天。"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Root has no user namespace to put Chromium's sandbox into.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=os.environ.get("HUITOUKE_BROWSER"), args=options)
        yield started
        started.close()


def sign_in(page: Page, console: str) -> None:
    page.goto(console)
    page.locator('input[name="username"]').fill(SIGN_IN_NAME)
    page.locator('input[name="password"]').fill(PASSWORD)
    page.locator('button[type="submit"]').click()
    expect(page.locator('input[name="password"]')).to_have_count(0)


def sees(page: Page, text: str) -> None:
    """The text appears in the conversation's history without a reload."""
    expect(page.get_by_role("main").get_by_text(text, exact=False).last).to_be_visible(timeout=LIVE_SECONDS * 1000)


def play(folder: Path) -> None:
    """The whole story; raises StoryFailed at the first step that fails."""
    demo = RunningDemo(folder)
    try:
        with browser() as chromium:
            with step("the demo starts on free ports"):
                demo.start()
            page = chromium.new_page(locale="zh-CN", viewport={"width": 1440, "height": 900})
            with step("staff sign in at the console"):
                sign_in(page, demo.addresses.console)
            staff = Staff(demo.addresses.console, SIGN_IN_NAME, PASSWORD)
            customer = Customer(demo.addresses.phone, CUSTOMER)
            conversation = answered_from_knowledge(customer, staff, page, demo.addresses.console)
            handed_to_a_person(customer, staff, page, conversation)
            taught_by_a_file(customer, staff)
            answered_by_a_model(customer, staff, demo.addresses.phone)
            page.close()
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


def answered_from_knowledge(customer: Customer, staff: Staff, page: Page, console: str) -> str:
    """Gives the conversation's id."""
    with step(f"「{KNOWN_QUESTION}」 is answered within {ANSWER_SECONDS} s"):
        started = time.monotonic()
        answer = customer.asks(KNOWN_QUESTION)
        assert time.monotonic() - started <= ANSWER_SECONDS, f"it took {time.monotonic() - started:.1f} s"
    with step("the answer says that an AI wrote it"):
        assert "AI" in answer or "人工智能" in answer, answer
    with step("the conversation shows question and answer in the console"):
        conversation = str(staff.conversation_of(CUSTOMER)["id"])
        page.goto(f"{console}/conversations/{conversation}")
        sees(page, KNOWN_QUESTION)
        sees(page, essence(answer))
    with step("the trace names the entries that it came from"):
        trace = staff.get("/api/assistant/traces", conversation_id=conversation)["items"][0]
        assert trace["decision"] == "answered", trace
        assert any(evidence["used"] for evidence in trace["evidence"]), trace
    with step("what the shop never wrote down is not invented, and stands live in the console"):
        reply = customer.asks(UNKNOWN_QUESTION)
        trace = staff.get("/api/assistant/traces", conversation_id=conversation)["items"][0]
        assert trace["decision"] in ("asked_colleague", "handed_over"), trace
        sees(page, UNKNOWN_QUESTION)
        sees(page, essence(reply))
    return conversation


def handed_to_a_person(customer: Customer, staff: Staff, page: Page, conversation: str) -> None:
    address = f"/api/conversations/{conversation}"
    with step(f"「{WANTS_A_PERSON}」 goes to a person, with a summary"):
        customer.asks(WANTS_A_PERSON)
        waiting = eventually(
            lambda: handled_by(staff, conversation, "agent"), "the hand-over of the conversation", within_seconds=10
        )
        assert waiting["handover_summary"], waiting
        sees(page, WANTS_A_PERSON)
    with step("the agent takes it, answers, and the phone shows it"):
        staff.post(f"{address}/take")
        staff.post(f"{address}/messages", {"text": AGENT_WRITES}, Idempotency_Key="smoke-agent-1")
        customer.sees(AGENT_WRITES)
        sees(page, AGENT_WRITES)
    with step("the agent hands it back, and the assistant serves again"):
        staff.post(f"{address}/hand-back")
        assert customer.asks(KNOWN_QUESTION)
        assert handled_by(staff, conversation, "assistant")


def taught_by_a_file(customer: Customer, staff: Staff) -> None:
    with step("an FAQ from an Excel file is imported, and the next question is answered from it"):
        file = staff.upload("knowledge_import", "faq.xlsx", excel_file(), XLSX)
        preview = staff.post("/api/knowledge/imports", {"file_id": file})
        assert preview["rows_ok"] == 1, preview
        staff.post(f"/api/knowledge/imports/{preview['id']}/apply", {"mode": "add"})
        eventually(
            lambda: staff.get(f"/api/knowledge/imports/{preview['id']}")["state"] == "done",
            "the import",
            within_seconds=20,
        )
        answer = customer.asks(OWN_QUESTION)
        assert essence(OWN_ANSWER) in answer, answer


def answered_by_a_model(customer: Customer, staff: Staff, sandbox: str) -> None:
    model = {"base_url": f"{sandbox}/v1", "model": "sandbox", "api_key": "sandbox-key", "timeout_seconds": 20}
    with step("a model's address and key pass the test"):
        tested = staff.post("/api/assistant/model/test", model)
        assert tested["ok"], tested
    with step("answers are now written by it, from the same evidence"):
        staff.put("/api/assistant/model", {**model, "enabled": True})
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


def excel_file() -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["问题", "回答"])
        sheet.write_row(1, 0, [OWN_QUESTION, OWN_ANSWER])
    return buffer.getvalue()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="huitouke-smoke-") as folder:
        started = time.monotonic()
        try:
            play(Path(folder) / "demo")
        except StoryFailed as failed:
            print(failed, flush=True)
            for log in sorted((Path(folder) / "demo" / "logs").glob("*.log")):
                print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
            return 1
        print(f"The whole story: {time.monotonic() - started:.0f} s")
        return 0


if __name__ == "__main__":
    sys.exit(main())

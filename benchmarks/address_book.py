"""A large address book: 50,000 people in 3,000 departments from the sandbox, all processes on one core.

subject  the first full sync through the app and 通讯录同步, from the secret that is entered to the page that says it is
         done: departments, ids, names one department at a time (path/90201), comparing, storing, durable commits
limit    reading the same pages from the same sandbox, six at once, and storing nothing

`second_s` is a sync that finds nothing to change; `…_ms` are looks at the page of departments and people after it, the
slowest of five each. `growth_mib`: by how much server and worker (one process) are larger at their peak than before the
first sync. `killed_at_percent`: where a sync of another merchant's book, as large, was ended with SIGKILL;
`resumed_percent` the first that the next process says; `lost` and `doubled`: people then missing or there twice.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import asyncpg
import httpx2

from benchmarks.support import data, postgres
from benchmarks.support.memory import Sampler, pss_kib, tree
from benchmarks.support.options import CACHE, Options, read_options
from benchmarks.support.processes import Installation, Running
from benchmarks.support.report import Report, say
from huitouke.kernel.database import DatabaseUrls

PEOPLE: Final = 50_000
DEPARTMENTS: Final = 3_000
PASSWORD: Final = "a long enough pass phrase"
HEADERS: Final = {"X-Requested-With": "huitouke"}
POLL_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 600.0
KILL_AT_PERCENT: Final = 40
AT_ONCE: Final = 6
CHUNK: Final = 60
ROUNDS: Final = 3


@dataclass
class Merchant:
    """A merchant with an app entered, its corp with a full address book, and the owner's client."""

    console: httpx2.AsyncClient
    sandbox: httpx2.AsyncClient
    corp_id: str
    secret: str
    contacts_secret: str
    app_id: str

    async def ask(self, method: str, path: str, json: Any = None) -> Any:
        answer = await self.console.request(method, path, json=json)
        assert answer.status_code < 400, answer.text
        return answer.json()

    async def begin(self) -> None:
        """Connected with both credentials; the sync begins."""
        await self.ask("PUT", "/api/address-book", {"wecom_app_id": self.app_id})
        await self.ask("PUT", "/api/address-book/contacts", {"secret": self.contacts_secret})

    async def book(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("GET", "/api/address-book"))["book"]
        return found

    async def reached(self, percent: int) -> int:
        """How far the sync is, once it is that far."""
        deadline = monotonic() + PATIENCE_SECONDS
        while monotonic() < deadline:
            if (at := int((await self.book())["percent"])) >= percent:
                return at
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"the sync did not come to {percent} %")

    async def done(self) -> dict[str, int]:
        """The figures, once the sync has ended."""
        deadline = monotonic() + PATIENCE_SECONDS
        while (book := await self.book())["state"] == "running":
            assert monotonic() < deadline, book
            await asyncio.sleep(POLL_SECONDS)
        assert book["state"] == "idle", book
        last: dict[str, int] = book["last"]
        return last


@asynccontextmanager
async def merchant(serving: Running, sandbox: Running, owner: str, people: int) -> AsyncIterator[Merchant]:
    """Signed in as the owner; the sandbox's corp is filled."""
    async with (
        httpx2.AsyncClient(base_url=serving.url, headers=HEADERS, trust_env=False, timeout=60) as console,
        httpx2.AsyncClient(base_url=sandbox.url, trust_env=False, timeout=120) as control,
    ):
        apps = [{"name": "回头客"}, {"name": "通讯录同步", "contact_sync": True}]
        made = (await control.post("/sandbox/setup", json={"corp_name": owner, "apps": apps})).json()
        app, contacts = made["corp"]["apps"]
        size = {"departments": DEPARTMENTS - 1, "employees": people}
        await control.post("/sandbox/address-book/fill", json=size, params={"corp_id": app["corp_id"]})
        signed_in = await console.post("/api/session", json={"sign_in_name": owner, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        one = Merchant(console, control, app["corp_id"], app["secret"], contacts["secret"], "")
        new = {"name": "回头客", "corp_id": app["corp_id"], "agent_id": str(app["agentid"]), "secret": app["secret"]}
        one.app_id = (await one.ask("POST", "/api/wecom-apps", new))["id"]
        yield one


async def bare_reading(one: Merchant) -> float:
    """Seconds for the same pages, read and parsed, nothing else."""
    began = monotonic()
    app, contacts = await _token(one, one.secret), await _token(one, one.contacts_secret)
    await _get(one, "department/list", app)
    listed = await _get(one, "department/simplelist", contacts)
    cursor = ""
    while True:
        body = {"limit": 10_000, **({"cursor": cursor} if cursor else {})}
        url = f"/cgi-bin/user/list_id?access_token={contacts}"
        page = (await one.sandbox.post(url, json=body)).json()
        cursor = page["next_cursor"]
        if not cursor:
            break
    numbers = [department["id"] for department in listed["department_id"]]
    for start in range(0, len(numbers), CHUNK):
        await _members(one, app, numbers[start : start + CHUNK])
    return monotonic() - began


async def _members(one: Merchant, token: str, numbers: Sequence[int]) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def read(number: int) -> None:
        async with room:
            await _get(one, "user/list", token, department_id=str(number))

    async with asyncio.TaskGroup() as tasks:
        for number in numbers:
            tasks.create_task(read(number))


async def _token(one: Merchant, secret: str) -> str:
    answer = await one.sandbox.get("/cgi-bin/gettoken", params={"corpid": one.corp_id, "corpsecret": secret})
    return str(answer.json()["access_token"])


async def _get(one: Merchant, path: str, token: str, **query: str) -> Any:
    answer = (await one.sandbox.get(f"/cgi-bin/{path}", params={"access_token": token, **query})).json()
    assert answer["errcode"] == 0, answer
    return answer


async def measure(urls: DatabaseUrls, owner_url: str, folder: Path, options: Options, report: Report) -> None:
    with Installation(folder, urls) as installation:
        sandbox = await installation.sandbox()
        for owner in ("first", "second"):
            await installation.run("tenant", "create", "--name", owner, "--owner", owner, "--password", PASSWORD)
        serving = await installation.serve("work,realtime")
        async with merchant(serving, sandbox, "first", PEOPLE) as one:
            await _first_and_second(one, serving, report)
            say("reading the same pages without storing them")
            limits = [await bare_reading(one) for _ in range(1 if options.quick else ROUNDS)]
        report.judge_noise(limits)
        report.ratio("limit", "bare reading of the same pages", min(limits) / (report.value or 1.0))
        report.figure("limit_s", min(limits))
        await _killed(installation, serving, sandbox, owner_url, report)


async def _first_and_second(one: Merchant, serving: Running, report: Report) -> None:
    await asyncio.sleep(2)  # what starting up allocates has settled
    before = pss_kib(tree([serving.pid]))
    async with Sampler(lambda: tree([serving.pid])) as memory:
        say(f"the first sync of {PEOPLE} people")
        began = monotonic()
        await one.begin()
        first = await one.done()
        report.value = monotonic() - began
    assert first["people"] == first["added"] == PEOPLE, first
    assert first["departments"] == DEPARTMENTS, first
    report.at_most("first_s", report.value, 120)
    report.at_most("growth_mib", memory.peak_mib - before / 1024, 64)
    report.figure("peak_mib", memory.peak_mib)
    say("a second one")
    began = monotonic()
    await one.ask("POST", "/api/address-book/sync")
    second = await one.done()
    report.at_most("second_s", monotonic() - began, 30)
    assert (second["added"], second["changed"], second["left"]) == (0, 0, 0), second
    await _looked_at(one, report)


async def _looked_at(one: Merchant, report: Report) -> None:
    """Milliseconds until a page of the console has what it shows, the slowest of five looks at each."""
    (root,) = (await one.ask("GET", "/api/departments"))["items"]
    looks = {
        "tree_ms": "/api/departments",
        "branches_ms": f"/api/departments?parent_id={root['id']}",
        "people_ms": f"/api/people?department_id={root['id']}",
        "search_ms": "/api/people?q=Member04999",
        "nobody_ms": "/api/people?q=nobody-at-all",
    }
    for name, path in looks.items():
        times = []
        for _ in range(5):
            began = monotonic()
            await one.ask("GET", path)
            times.append((monotonic() - began) * 1000)
        report.figure(name, max(times))


async def _killed(
    installation: Installation, serving: Running, sandbox: Running, owner_url: str, report: Report
) -> None:
    say("one that is killed in the middle")
    async with merchant(serving, sandbox, "second", PEOPLE) as one:
        await one.begin()
        at = await one.reached(KILL_AT_PERCENT)
        for pid in reversed(tree([serving.pid])):
            os.kill(pid, signal.SIGKILL)
        again = await installation.serve("work,realtime")
        async with httpx2.AsyncClient(
            base_url=again.url, headers=HEADERS, trust_env=False, timeout=60, cookies=one.console.cookies
        ) as console:
            one.console = console
            await one.ask("POST", "/api/session", {"sign_in_name": "second", "password": PASSWORD})
            resumed = (await one.book())["percent"]
            last = await one.done()
    report.figure("killed_at_percent", at)
    report.figure("resumed_percent", resumed)
    database = await asyncpg.connect(owner_url)
    try:
        people, once = await database.fetchrow(
            "SELECT count(*), count(DISTINCT wecom_key) FROM staff WHERE source = 'wecom' AND tenant_id ="
            " (SELECT id FROM tenants WHERE name = 'second')"
        )
    finally:
        await database.close()
    assert last["people"] == people, last
    report.at_most("lost", PEOPLE - once, 0)
    report.at_most("doubled", people - once, 0)
    report.at_least("resumed_share", resumed / at, 1.0)


async def main() -> None:
    options = read_options()
    report = Report("address_book", "s", options)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # all that is started from here on stays on this core
    with postgres.durable_server("address_book") as server:
        kept = await data.template(server, "address_book")
        if options.data_only:
            return
        async with data.clone(kept, "address_book_run") as urls:
            name = urls.application.rpartition("/")[2].partition("?")[0]
            owner_url = postgres.address(server).format(database=name)
            await measure(urls, owner_url, CACHE / "address_book" / "installation", options, report)
    report.print()


if __name__ == "__main__":
    asyncio.run(main())

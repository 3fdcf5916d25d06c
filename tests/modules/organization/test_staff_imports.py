"""People from a file: looked at first, then taken in; again changes nothing; killed goes on."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from huitouke.kernel.context import Context, job_context
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.work import testing as work
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import staff_imports
from tests.support.http import PASSWORD, application, signed_in

HEADER = ("姓名", "企业微信账号", "部门")


def sheet(*rows: Sequence[str]) -> bytes:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    for row in rows:
        book.active.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@dataclass
class Shop:
    """A shop and its owner's client."""

    owner: httpx2.AsyncClient
    context: Context

    async def preview(self, *rows: Sequence[str]) -> Any:
        return await self.read(sheet(*rows))

    async def read(self, content: bytes) -> Any:
        files = {"file": ("员工.xlsx", content)}
        stored = await self.owner.post("/api/files", params={"purpose": "staff_import"}, files=files)
        assert stored.status_code == 201, stored.text
        found = await self.owner.post("/api/people/imports", json={"file_id": stored.json()["id"]})
        assert found.status_code == 201, found.text
        return found.json()

    async def take(self, *rows: Sequence[str]) -> Any:
        found = await self.preview(*rows)
        applied = await self.owner.post(f"/api/people/imports/{found['id']}/apply")
        assert applied.status_code == 200, applied.text
        await work.drain()
        return (await self.owner.get(f"/api/people/imports/{found['id']}")).json()

    async def people(self) -> dict[str, tuple[str | None, list[str]]]:
        found = (await self.owner.get("/api/people", params={"state": "listed"})).json()["items"]
        return {one["name"]: (one["wecom_userid"], sorted(p["name"] for p in one["departments"])) for one in found}


@pytest.fixture
async def shop(database: object) -> AsyncIterator[Shop]:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD), owner_name="林店长")
    async with signed_in(application(), name) as owner:
        yield Shop(owner, job_context(founded.tenant_id))


async def test_people_and_their_departments_come_in(shop: Shop) -> None:
    done = await shop.take(HEADER, ("小梅", "MeiLin", "门店/一店"), ("阿波", "", "门店/二店；仓库"), ("小陈", "", ""))

    assert (done["state"], done["added"], done["rows_failed"]) == ("done", 3, 0)
    assert await shop.people() == {"小梅": ("MeiLin", ["一店"]), "阿波": (None, ["二店", "仓库"]), "小陈": (None, [])}
    (shops, store) = (await shop.owner.get("/api/departments")).json()["items"]
    assert {(one["name"], one["branches"]) for one in (shops, store)} == {("门店", True), ("仓库", False)}


async def test_the_same_file_again_changes_nothing(shop: Shop) -> None:
    rows = (HEADER, ("小梅", "MeiLin", "门店/一店"), ("阿波", "", "仓库"))
    await shop.take(*rows)

    again = await shop.take(*rows)

    assert (again["added"], again["changed"], again["skipped"]) == (0, 0, 2)
    assert len((await shop.owner.get("/api/departments")).json()["items"]) == 2


async def test_who_is_known_gets_the_files_departments_and_name(shop: Shop) -> None:
    await shop.take(HEADER, ("小梅", "MeiLin", "一店"))

    again = await shop.take(HEADER, ("小美", "meilin", "二店"))

    assert (again["added"], again["changed"]) == (0, 1)
    assert await shop.people() == {"小美": ("MeiLin", ["二店"])}


async def test_bad_rows_are_said_by_their_number_and_the_others_shown(shop: Shop) -> None:
    found = await shop.preview(
        HEADER, ("小梅", "m1", "一店"), ("", "m2", ""), ("阿波", "M1", ""), ("字" * 41, "", ""), ("小陈", "", "店" * 33)
    )

    assert [(one["row"], one["column"]) for one in found["errors"]] == [
        (3, "name"), (4, "wecom_userid"), (5, "name"), (6, "departments"),
    ]  # fmt: skip
    assert found["errors"][1]["message"] == "和第 2 行是同一个企业微信账号"
    assert found["sample"] == [{"row": 2, "name": "小梅", "wecom_userid": "m1", "departments": ["一店"]}]
    assert await shop.people() == {}


async def test_a_file_without_names_says_what_to_do(shop: Shop) -> None:
    found = await shop.preview(("电话", "地址"), ("1", "2"))

    assert found["state"] == "failed"
    assert "姓名" in found["failure"]
    refused = await shop.owner.post(f"/api/people/imports/{found['id']}/apply")
    assert refused.json()["type"].endswith("import_not_previewed")


async def test_the_template_can_be_imported_as_it_is(shop: Shop) -> None:
    template = await shop.owner.get("/api/people/template")

    found = await shop.read(template.content)

    assert (found["state"], found["rows_total"], found["errors"]) == ("previewed", 2, [])


async def test_killed_between_two_chunks_it_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_imports, "CHUNK_PEOPLE", 2)
    found = await shop.preview(HEADER, *((f"员工{number}", "", "门店") for number in range(5)))
    await shop.owner.post(f"/api/people/imports/{found['id']}/apply")
    take, taken = staff_imports._take, 0

    async def killed(*arguments: Any) -> None:
        nonlocal taken
        if taken == 1:
            raise ConnectionError("killed")
        taken += 1
        await take(*arguments)

    monkeypatch.setattr(staff_imports, "_take", killed)
    with pytest.raises(ConnectionError):
        await staff_imports.run(shop.context, found["id"])
    monkeypatch.setattr(staff_imports, "_take", take)
    await work.drain()

    done = (await shop.owner.get(f"/api/people/imports/{found['id']}")).json()
    assert (done["state"], done["added"], done["rows_done"]) == ("done", 5, 5)
    assert len(await shop.people()) == 5

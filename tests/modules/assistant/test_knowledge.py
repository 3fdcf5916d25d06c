"""The knowledge over the console's API: entries with versions, import, export, and who may do it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest

from huitouke.kernel.database import transaction
from huitouke.kernel.work import testing as work
from huitouke.modules.assistant import queries
from huitouke.modules.assistant.knowledge.writing import as_xlsx
from huitouke.modules.assistant.service import imports
from tests.support.http import signed_in_client
from tests.support.world import World

DRAFT = {"question": "多久发货？", "variants": ["几天发出"], "answer": "当天发出。", "group": "物流"}


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in_client(world, role="administrator") as client:
        yield client


async def add(client: httpx2.AsyncClient, **change: object) -> dict[str, object]:
    answer = await client.post("/api/knowledge/entries", json={**DRAFT, **change})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def answered(client: httpx2.AsyncClient, question: str) -> str | None:
    answer = await client.post("/api/knowledge/try", json={"question": question})
    assert answer.status_code == 200, answer.text
    trace = answer.json()
    return trace["answer"] if trace["decision"] == "answered" else None


async def upload(client: httpx2.AsyncClient, name: str, data: bytes) -> dict[str, object]:
    stored = await client.post("/api/files", params={"purpose": "knowledge_import"}, files={"file": (name, data)})
    assert stored.status_code in (200, 201), stored.text
    answer = await client.post("/api/knowledge/imports", json={"file_id": stored.json()["id"]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def apply(client: httpx2.AsyncClient, import_id: object, **wish: object) -> dict[str, object]:
    answer = await client.post(f"/api/knowledge/imports/{import_id}/apply", json=wish)
    assert answer.status_code == 200, answer.text
    for _ in range(50):
        await work.drain()
        shown = dict((await client.get(f"/api/knowledge/imports/{import_id}")).json())
        if shown["state"] != "applying":
            return shown
        await asyncio.sleep(0.05)
    raise AssertionError("the import did not end")


async def test_a_new_entry_answers_the_next_question_and_an_edited_one_at_once(owner: httpx2.AsyncClient) -> None:
    entry = await add(owner)
    assert await answered(owner, "几天发出") == "当天发出。"

    changed = await owner.patch(f"/api/knowledge/entries/{entry['id']}", json={"answer": "第二天发出。", "version": 1})

    assert changed.json()["version"] == 2
    assert await answered(owner, "几天发出") == "第二天发出。"
    (before,) = (await owner.get(f"/api/knowledge/entries/{entry['id']}/versions")).json()
    assert (before["version"], before["answer"]) == (1, "当天发出。")


async def test_an_entry_that_is_off_or_removed_answers_nothing_until_it_is_back(owner: httpx2.AsyncClient) -> None:
    path = f"/api/knowledge/entries/{(await add(owner))['id']}"

    await owner.patch(path, json={"state": "off"})
    assert await answered(owner, "多久发货") is None
    await owner.patch(path, json={"state": "on"})
    assert await answered(owner, "多久发货") == "当天发出。"
    assert (await owner.delete(path)).status_code == 204
    assert await answered(owner, "多久发货") is None
    assert (await owner.get("/api/knowledge/entries")).json()["items"] == []
    assert len((await owner.get("/api/knowledge/entries?removed=true")).json()["items"]) == 1
    assert (await owner.post(f"{path}/restore")).status_code == 200
    assert await answered(owner, "多久发货") == "当天发出。"


async def test_two_people_who_edit_the_same_version_do_not_overwrite_each_other(owner: httpx2.AsyncClient) -> None:
    path = f"/api/knowledge/entries/{(await add(owner))['id']}"
    await owner.patch(path, json={"answer": "甲", "version": 1})

    late = await owner.patch(path, json={"answer": "乙", "version": 1})

    assert late.status_code == 409
    assert late.json()["type"] == "/problems/assistant.entry_changed"
    assert "第 2 版" in late.json()["detail"]


async def test_the_same_question_is_not_added_twice(owner: httpx2.AsyncClient) -> None:
    await add(owner)

    again = await owner.post("/api/knowledge/entries", json={**DRAFT, "question": "多久 发货"})

    assert again.status_code == 409
    assert again.json()["type"] == "/problems/assistant.same_question"


@pytest.mark.parametrize(
    "change",
    [
        {"question": ""},
        {"question": "  "},
        {"question": "长" * 501},
        {"answer": ""},
        {"answer": "长" * 700},
        {"answer": "坏\x00字"},
        {"variants": ["x"] * 51},
        {"state": "maybe"},
        {"unknown": 1},
    ],
)
async def test_a_bad_entry_is_refused(owner: httpx2.AsyncClient, change: dict[str, object]) -> None:
    assert (await owner.post("/api/knowledge/entries", json={**DRAFT, **change})).status_code == 422


async def test_lists_are_searched_filtered_and_paged(owner: httpx2.AsyncClient) -> None:
    for number in range(5):
        await add(owner, question=f"问题 {number} 号", variants=[f"100%_{number}"], group="甲" if number % 2 else "乙")

    async def questions(**query: str) -> list[str]:
        page = (await owner.get("/api/knowledge/entries", params=query)).json()
        return [item["question"] for item in page["items"]]

    assert await questions(q="问题 3") == ["问题 3 号"]
    assert await questions(q="100%_2") == ["问题 2 号"]
    assert await questions(q="100%_") != []
    assert await questions(q="%4_") == []
    assert await questions(group="甲") == ["问题 3 号", "问题 1 号"]
    first = (await owner.get("/api/knowledge/entries?limit=2")).json()
    second = (await owner.get(f"/api/knowledge/entries?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["question"][3] for item in first["items"] + second["items"]] == ["4", "3", "2", "1"]
    groups = (await owner.get("/api/knowledge/groups")).json()
    assert groups == [{"name": "乙", "entries": 3}, {"name": "甲", "entries": 2}]


async def test_an_agent_may_look_but_not_change(world: World) -> None:
    async with signed_in_client(world, role="agent") as agent:
        assert (await agent.get("/api/knowledge/entries")).status_code == 200
        assert (await agent.post("/api/knowledge/entries", json=DRAFT)).status_code == 403
        assert (await agent.get("/api/assistant/model")).status_code == 403


async def test_an_excel_file_becomes_knowledge_that_answers(owner: httpx2.AsyncClient) -> None:
    data = as_xlsx(
        [("包邮吗？", "要邮费吗\n运费谁出", "满 99 元包邮。", "物流", "是"), ("", "", "没有问题", "", "是")], "zh-CN"
    )
    shown = await upload(owner, "知识.xlsx", data)

    assert (shown["state"], shown["rows_total"], shown["rows_ok"], shown["rows_failed"]) == ("previewed", 2, 1, 1)
    assert shown["errors"] == [{"row": 3, "column": "question", "message": "没有写问题"}]
    assert shown["mapping"] == {"question": 0, "variants": 1, "answer": 2, "group": 3, "state": 4}
    assert await answered(owner, "包邮吗") is None

    done = await apply(owner, shown["id"], mode="add")

    assert (done["state"], done["added"], done["rows_done"]) == ("done", 1, 2)
    assert await answered(owner, "要邮费吗") == "满 99 元包邮。"


async def test_columns_can_be_chosen_by_hand(owner: httpx2.AsyncClient) -> None:
    shown = await upload(owner, "表.csv", "甲,乙\n满 99 包邮,包邮吗\n".encode("gb18030"))
    assert (shown["state"], shown["mapping"], shown["columns"]) == ("previewed", {}, ["甲", "乙"])

    lacking = await owner.post(f"/api/knowledge/imports/{shown['id']}/apply", json={"mapping": {"question": 1}})
    assert lacking.status_code == 422
    done = await apply(owner, shown["id"], mapping={"question": 1, "answer": 0})

    assert (done["added"], await answered(owner, "包邮吗")) == (1, "满 99 包邮")


@pytest.mark.parametrize(("mode", "expected"), [("add", "当天发出。"), ("replace_same_question", "第三天。")])
async def test_questions_that_are_there_already_stay_or_are_replaced(
    owner: httpx2.AsyncClient, mode: str, expected: str
) -> None:
    await add(owner)
    shown = await upload(owner, "a.csv", "问题,答案\n多久发货,第三天。\n新问题,新答案\n".encode())

    done = await apply(owner, shown["id"], mode=mode)

    assert (done["added"], done["replaced"], done["skipped"]) == ((1, 0, 1) if mode == "add" else (1, 1, 0))
    assert await answered(owner, "多久发货") == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "有密码"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧版 Excel"),
        ("没有逗号的一行话\n又一行".encode(), "没有找到「问题」和「答案」"),
    ],
)
async def test_a_file_that_cannot_be_used_has_a_plain_sentence(
    owner: httpx2.AsyncClient, data: bytes, sentence: str
) -> None:
    shown = await upload(owner, "坏.xlsx", data)

    assert shown["state"] == "failed"
    assert sentence in str(shown["failure"])
    assert (await owner.post(f"/api/knowledge/imports/{shown['id']}/apply", json={})).status_code == 409


async def test_a_killed_import_goes_on_where_it_was(
    world: World, owner: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ENTRIES", 4)
    lines = "".join(f"问题{number}号,答案{number}\n" for number in range(10))
    shown = await upload(owner, "a.csv", f"问题,答案\n{lines}".encode())
    import_id = UUID(str(shown["id"]))
    whole, calls = imports._apply_chunk, []

    async def killed(*args: object, **more: object) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("killed")
        await whole(*args, **more)  # type: ignore[arg-type]  # passed through

    await owner.post(f"/api/knowledge/imports/{import_id}/apply", json={})
    monkeypatch.setattr(imports, "_apply_chunk", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await imports.run(world.context, import_id)
    for _ in range(2):
        await imports.run(world.context, import_id)

    async with transaction(world.context) as ctx:
        row = await queries.import_of(ctx, import_id)
        assert (row.state, row.added, row.rows_done) == ("done", 10, 10)
        assert len([entry async for entry in queries.all_entries(ctx)]) == 10


async def test_what_is_exported_is_what_was_written(owner: httpx2.AsyncClient) -> None:
    await add(owner, answer="=1+1")

    for kind in ("xlsx", "csv"):
        answer = await owner.get("/api/knowledge/export", params={"format": kind})
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        assert len(answer.content) > 50
    assert (await owner.get("/api/knowledge/template")).status_code == 200


async def test_the_sign_of_an_ai_can_be_worded_otherwise_but_never_be_empty(owner: httpx2.AsyncClient) -> None:
    assert (await owner.get("/api/assistant/settings")).json()["ai_label"] == "【AI 助手】"

    assert (await owner.put("/api/assistant/settings", json={"ai_label": "  "})).status_code == 422
    changed = await owner.put("/api/assistant/settings", json={"ai_label": "[智能回复]"})

    assert changed.json()["ai_label"] == "[智能回复]"
    assert changed.json()["name"] == "小客"


async def test_the_model_is_saved_over_the_api_without_giving_its_key_back(owner: httpx2.AsyncClient) -> None:
    assert (await owner.get("/api/assistant/model")).json() is None
    body = {"base_url": "https://api.example.com/v1/chat/completions", "model": "m", "api_key": "secret-1"}

    saved = await owner.put("/api/assistant/model", json=body)

    assert saved.json() == {
        "base_url": "https://api.example.com/v1",
        "model": "m",
        "has_key": True,
        "timeout_seconds": 8.0,
        "enabled": True,
    }
    assert "secret-1" not in (await owner.get("/api/assistant/model")).text

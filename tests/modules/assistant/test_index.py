"""The index in PostgreSQL ranks as the slow reference does, and stays right through every change."""

import random
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.ids import new_id
from huitouke.modules.assistant.retrieval.check import terms_to_weigh
from huitouke.modules.assistant.retrieval.index import Indexed, reindex, search
from huitouke.modules.assistant.retrieval.ranking import Index
from huitouke.modules.assistant.retrieval.terms import postings, query_terms
from huitouke.modules.assistant.schemas import EntryDraft
from huitouke.modules.assistant.service.entries import add_entries, indexed
from tests.support.world import World

CHARACTERS = "大小码尺衣裙裤退换货运费多少钱几天发开门关店在哪洗吗有没的"


async def ranked(context: Context, question: str, before: tuple[str, ...] = ()) -> dict[UUID, float]:
    weights = query_terms(question, before)
    async with transaction(context) as ctx:
        raw = await connection(ctx)
        rows = await raw.fetch("SELECT * FROM search_knowledge($1, $2, 50)", list(weights), list(weights.values()))
    assert all(
        row["score"] == pytest.approx(row["words"] + row["bigrams"] + row["concepts"] + row["answers"]) for row in rows
    )
    return {row["entry_id"]: row["score"] for row in rows}


def sentence(source: random.Random) -> str:
    return "".join(source.choice(CHARACTERS) for _ in range(source.randint(2, 12)))


def entries(source: random.Random, count: int) -> dict[UUID, Indexed]:
    made = [
        Indexed(
            new_id(), sentence(source), [sentence(source) for _ in range(source.randint(0, 3))], sentence(source) * 2
        )
        for _ in range(count)
    ]
    return {entry.entry_id: entry for entry in made}


def reference(held: dict[UUID, Indexed]) -> Index[UUID]:
    return Index({key: postings(entry.question, entry.variants, entry.answer) for key, entry in held.items()})


@pytest.mark.parametrize("seed", range(5))
async def test_it_ranks_as_the_reference_does(world: World, seed: int) -> None:
    source = random.Random(seed)
    held = entries(source, 40)
    async with transaction(world.context) as ctx:
        await reindex(ctx, [], list(held.values()))

    for _ in range(20):
        question, before = sentence(source), (sentence(source), sentence(source))
        assert await ranked(world.context, question, before) == pytest.approx(
            reference(held).scores(query_terms(question, before))
        )


async def test_it_is_the_same_after_changes_as_if_it_had_been_built_anew(world: World) -> None:
    source = random.Random(7)
    held = entries(source, 30)
    async with transaction(world.context) as ctx:
        await reindex(ctx, [], list(held.values()))
    for _ in range(10):
        gone = source.sample(sorted(held), 3)
        changed = [
            Indexed(key, sentence(source), [], sentence(source))
            for key in source.sample(sorted(set(held) - set(gone)), 3)
        ]
        new = list(entries(source, 2).values())
        async with transaction(world.context) as ctx:
            await reindex(ctx, [*gone, *(entry.entry_id for entry in changed)], [*changed, *new])
        for key in gone:
            del held[key]
        held.update({entry.entry_id: entry for entry in [*changed, *new]})

    question = sentence(source)
    assert await ranked(world.context, question) == pytest.approx(reference(held).scores(query_terms(question)))
    async with transaction(world.context) as ctx:
        raw = await connection(ctx)
        counted = await raw.fetch(
            "SELECT term, entries FROM knowledge_terms WHERE tenant_id = $1 EXCEPT"
            " SELECT term, count(*) FROM knowledge_postings WHERE tenant_id = $1 GROUP BY term",
            world.tenant_id,
        )
        amount = await raw.fetchval(
            "SELECT amount FROM knowledge_statistics WHERE tenant_id = $1 AND kind = '*'", world.tenant_id
        )
    assert counted == []
    assert amount == len(held)


async def test_two_merchants_know_nothing_of_each_other(
    world: World, another_world: Callable[[], Awaitable[World]]
) -> None:
    other = await another_world()
    mine, theirs = Indexed(new_id(), "门店在哪里", [], "杭州"), Indexed(new_id(), "门店在哪里", [], "北京")
    for owner, entry in ((world, mine), (other, theirs)):
        async with transaction(owner.context) as ctx:
            await reindex(ctx, [], [entry])

    assert set(await ranked(world.context, "门店在哪里")) == {mine.entry_id}
    assert set(await ranked(other.context, "门店在哪里")) == {theirs.entry_id}


@pytest.mark.parametrize("known_before", [False, True])
async def test_it_tells_how_much_each_word_of_question_and_entries_tells(world: World, known_before: bool) -> None:
    """Also of entries that a release before put into the index, which did not note what the check weighs."""
    asked = "大码的裙子有没有，运费多少钱"
    drafts = [
        EntryDraft(question=one.question, variants=list(one.variants), answer=one.answer)
        for one in entries(random.Random(5), 200).values()
    ]
    async with transaction(world.context) as ctx:
        held = {entry.id: indexed(entry) for entry in await add_entries(ctx, drafts, source="import")}
        if known_before:
            raw = await connection(ctx)
            await raw.execute("DELETE FROM knowledge_told WHERE tenant_id = $1", world.tenant_id)
        found = await search(ctx, asked)

    index = reference(held)
    assert len(found.candidates) == 8
    assert found.rarity.entries == 200
    wordings = [wording for candidate in found.candidates for wording in candidate.wordings]
    terms = terms_to_weigh([asked, *wordings])
    assert {term: found.rarity.count(term) for term in terms} == {term: index.count(term) for term in terms}


async def test_an_empty_knowledge_finds_nothing(world: World) -> None:
    assert await ranked(world.context, "有大一点的吗") == {}


async def test_what_is_rolled_back_is_not_found(world: World) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        async with transaction(world.context) as ctx:
            await reindex(ctx, [], [Indexed(new_id(), "包邮吗", [], "包")])
            raise RuntimeError("stop")

    assert await ranked(world.context, "包邮吗") == {}


async def test_it_reads_the_postings_of_asked_terms_by_index_and_nothing_else(world: World) -> None:
    source = random.Random(3)
    async with transaction(world.context) as ctx:
        await reindex(ctx, [], list(entries(source, 400).values()))
        raw = await connection(ctx)
        weights = query_terms("大码的裙子有没有，运费多少钱")
        counters = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'knowledge_postings'"
        before = await raw.fetchrow(counters)
        # Six times: from the sixth on PL/pgSQL may use a plan made without the values.
        for _ in range(6):
            await raw.fetch("SELECT * FROM search_knowledge($1, $2, 30)", list(weights), list(weights.values()))
        after = await raw.fetchrow(counters)

    assert after["seq_scan"] == before["seq_scan"]
    assert after["idx_scan"] > before["idx_scan"]


async def test_the_plan_of_both_steps_is_by_index_for_the_function_owner(world: World) -> None:
    async with transaction(world.context) as ctx:
        await reindex(ctx, [], list(entries(random.Random(4), 200).values()))
        raw = await connection(ctx)
        for condition in ("term = 'b大码'", "entry_id = gen_random_uuid() AND term = ANY('{b大码,b裙子}')"):
            plan = await raw.fetch(
                "EXPLAIN SELECT entry_id, frequency, length FROM knowledge_postings"
                f" WHERE tenant_id = '{world.tenant_id}' AND {condition}"
            )
            assert any("Index" in row[0] for row in plan), plan

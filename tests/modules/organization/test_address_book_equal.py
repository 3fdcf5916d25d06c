"""Whatever was changed in WeCom, and in whichever order, a sync makes what stands here equal to it."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.modules.organization.book import Book, open_book
from tests.modules.wechat_sandbox.shop import Sandbox

CHANGES = ("hire", "leave", "move", "rename", "lead", "rename_account", "found", "regroup", "retitle", "close")


async def change(book: Book, kind: str, chance: random.Random, number: int) -> None:
    """One change, where it is possible."""
    tree = await book.theirs()
    departments, people = sorted(tree.departments), sorted(tree.people)
    some = [one for one in departments if one != 1]
    match kind:
        case "hire":
            places = chance.sample(departments, min(len(departments), chance.randint(1, 3)))
            await book.add(people=[{"userid": f"u{number}", "name": f"员工{number}", "departments": places}])
        case "found":
            await book.add({"name": f"部门{number}", "parentid": chance.choice(departments), "order": number})
        case "leave" if people:
            await book.remove(chance.choice(people))
        case "move" if people:
            places = chance.sample(departments, min(len(departments), chance.randint(1, 3)))
            await book.change(chance.choice(people), departments=places)
        case "rename" if people:
            await book.change(chance.choice(people), name=f"新名{number}")
        case "lead" if people:
            one = chance.choice(people)
            await book.change(one, leads=sorted(tree.people[one][1])[:1])
        case "rename_account" if people:
            await book.change(chance.choice(people), userid=f"V{number}")
        case "retitle" if some:
            await book.change_department(chance.choice(some), name=f"改{number}", order=chance.randint(0, 99))
        case "regroup" if some:
            await book.sandbox.http.patch(
                f"/sandbox/address-book/departments/{chance.choice(some)}",
                json={"parentid": chance.choice(departments)},
                params={"corp_id": book.corp_id},
            )  # refused where it would stand below itself
        case "close" if some:
            await book.sandbox.http.delete(
                f"/sandbox/address-book/departments/{chance.choice(some)}", params={"corp_id": book.corp_id}
            )  # refused where somebody is in it


@settings(max_examples=12, deadline=None)
@given(
    rounds=st.lists(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=12), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
    with_contacts=st.booleans(),
    by_callbacks=st.booleans(),
)
async def test_after_any_changes_a_sync_makes_both_trees_equal(
    running: tuple[Sandbox, str],
    rounds: list[list[str]],
    seed: int,
    with_contacts: bool,
    by_callbacks: bool,
) -> None:
    chance, number = random.Random(seed), 0
    book = await open_book(*running)
    await book.connect()
    if with_contacts:
        await book.give_secret()
    for changes in rounds:
        for kind in changes:
            number += 1
            await change(book, kind, chance, number)
        if by_callbacks and with_contacts:
            await book.told()
        await book.sync()
        assert await book.ours() == await book.theirs()
        written = await book.written()
        await book.sync()
        assert await book.written() == written

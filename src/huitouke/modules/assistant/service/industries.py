"""What an industry brings into the knowledge: entries in customers' words, with what the shop tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import select

from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.locales import translate
from huitouke.modules.assistant.models import IndustryEntry, KnowledgeEntry
from huitouke.modules.assistant.schemas import EntryDraft, EntryState
from huitouke.modules.assistant.service.blanks import facts_in, filled, has_blank
from huitouke.modules.assistant.service.entries import add_entries, announce, question_key, rewrite, same_questions
from huitouke.modules.organization.service import INDUSTRY_KEYS, Shop

FOLDER: Final = Path(__file__).parents[1] / "industries"
SOURCE: Final = "import"


@dataclass(frozen=True, slots=True)
class Template:
    """An entry of an industry. `{fact}` in the answer is filled in; what else the shop must add is a blank."""

    key: str
    group: str
    question: str
    variants: tuple[str, ...]
    answer: str

    def draft(self, shop: Shop) -> EntryDraft:
        """As it stands in the knowledge of that shop: off while something is missing."""
        labels = {fact: translate(DEFAULT_LOCALE, f"facts.{fact}") for fact in facts_in(self.answer)}
        answer = filled(self.answer, shop.facts, labels)
        state: EntryState = "off" if has_blank(answer) else "on"
        variants = list(self.variants)
        return EntryDraft(question=self.question, variants=variants, answer=answer, group=self.group, state=state)


@lru_cache(maxsize=8)
def templates(industry: str) -> tuple[Template, ...]:
    """The industry's entries; none where there is no file of it. Customers write Chinese, hence so are they."""
    file = FOLDER / f"{industry}.json"
    if not file.is_file():
        return ()
    return tuple(Template(**{**row, "variants": tuple(row["variants"])}) for row in orjson.loads(file.read_bytes()))


@lru_cache(maxsize=1)
def own_words_needed() -> list[tuple[str, str]]:
    """(industry, key) of the entries whose answer no fact completes: the shop has to say it in its own words."""
    return [(key, each.key) for key in INDUSTRY_KEYS for each in templates(key) if has_blank(each.answer)]


async def prepare_shop(ctx: Context, shop: Shop) -> None:
    """Adds the industry's entries that are not there yet, and fills changed facts into those that nobody has touched.

    An entry that a person edited or removed stays as they left it; a question that the shop has already isn't added.
    Its caller holds the shop's row locked, so that two never add the same.
    """
    wanted = templates(shop.industry)
    if not wanted:
        return
    rows = await ctx.session.scalars(select(IndustryEntry).where(IndustryEntry.industry == shop.industry))
    written = {row.key: row for row in rows}
    await _fill_anew(ctx, shop, [(each, written[each.key]) for each in wanted if each.key in written])
    await _add(ctx, shop, [each for each in wanted if each.key not in written])


async def _fill_anew(ctx: Context, shop: Shop, pairs: Sequence[tuple[Template, IndustryEntry]]) -> None:
    ids = [row.entry_id for _, row in pairs]
    found = await ctx.session.scalars(
        select(KnowledgeEntry).where(KnowledgeEntry.id.in_(ids)).order_by(KnowledgeEntry.id).with_for_update()
    )
    entries = {entry.id: entry for entry in found}
    changes: list[tuple[KnowledgeEntry, dict[str, Any]]] = []
    for template, row in pairs:
        entry = entries[row.entry_id]
        if entry.deleted_at is not None or entry.version != row.version:
            continue
        draft = template.draft(shop)
        if draft.answer == entry.answer:
            continue
        changes.append((entry, {"answer": draft.answer, "state": draft.state}))
        row.version = entry.version + 1
    if changes:
        await rewrite(ctx, changes)
        await announce(ctx, "changed", [entry for entry, _ in changes])


async def _add(ctx: Context, shop: Shop, new: Sequence[Template]) -> None:
    taken = await same_questions(ctx, [question_key(each.question) for each in new])
    free = [each for each in new if question_key(each.question) not in taken]
    if not free:
        return
    entries = await add_entries(ctx, [each.draft(shop) for each in free], source=SOURCE)
    ctx.session.add_all(
        IndustryEntry(industry=shop.industry, key=each.key, entry_id=entry.id, version=entry.version)
        for each, entry in zip(free, entries, strict=True)
    )
    await ctx.session.flush()

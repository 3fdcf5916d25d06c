"""How far people see: which tables hold rows that belong to somebody, and what narrows them to a scope.

A module names such tables in `Module.scoped`. The session adds their conditions to every ORM statement of a context
whose scope is not everything (`kernel/database/transactions.py`), so that a query that forgot about it is narrowed as
well. Hand-written SQL is not: it belongs to jobs, or asks first whether the row is visible.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.orm import LoaderCriteriaOption, with_loader_criteria
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.sql.visitors import anon_map

from huitouke.kernel.context import AllData, Context, DataScope, Scope

if TYPE_CHECKING:
    from sqlalchemy.sql.base import ExecutableOption

    from huitouke.kernel.database.models import Base

SCOPES_REMEMBERED: Final = 1_000
"""Scopes whose conditions are kept ready, per process."""

OF_A_FOUND_ROW: Final = {"huitouke_of_a_found_row": True}
"""Execution options of a statement that reads, by its id, what hangs on a row which the same transaction has just found
in scope: that is not asked once more. Each file that uses it is listed in `tests/isolation/test_scope.py`."""

Condition: TypeAlias = Callable[[UUID, DataScope], ColumnElement[bool]]
"""`(tenant, scope)` → the condition on a row of the table. Sub-selects in it bind the tenant themselves, and stand on
tables under names of their own: what they read is not narrowed again."""


@dataclass(frozen=True, slots=True)
class Owners:
    """To whom a row belongs: to these people, who are in these departments. What belongs to nobody, all see."""

    staff_ids: frozenset[UUID] = frozenset()
    department_ids: frozenset[UUID] = frozenset()

    def seen_within(self, scope: Scope) -> bool:
        """Whether somebody with that scope sees the row: the rule of which every `Condition` is the SQL."""
        if isinstance(scope, AllData) or not self.staff_ids:
            return True
        return not (self.staff_ids.isdisjoint(scope.staff_ids) and self.department_ids.isdisjoint(scope.department_ids))


NOBODYS: Final = Owners()
"""Of what belongs to nobody (yet)."""

OwnersOf: TypeAlias = Callable[[Context, Sequence[UUID]], Awaitable[Mapping[UUID, Owners]]]
"""To whom each of those rows belongs, in a fixed number of queries; rows that are missing belong to nobody."""


@dataclass(frozen=True, slots=True)
class Scoped:
    """A table whose rows belong to somebody.

    `hint` is the kind of the hints (`realtime.hint`) that name its rows, and `owners` says to whom they belong: such a
    hint reaches only people who see the row.
    """

    model: type[Base]
    condition: Condition
    hint: str | None = None
    owners: OwnersOf | None = None


_rules: dict[type[Base], Scoped] = {}


def use_scoped(rules: Iterable[Scoped]) -> None:
    """Adds tables to those that are narrowed in this process. None is ever taken away."""
    found = {rule.model: rule for rule in rules}
    if any(_rules.get(model) is not rule for model, rule in found.items()):
        _rules.update(found)
        criteria.cache_clear()


def scoped_tables() -> tuple[Scoped, ...]:
    """The tables that are narrowed in this process: those of the installed modules, and what was added."""
    _use_installed()
    return tuple(_rules.values())


@lru_cache(maxsize=1)
def _use_installed() -> None:
    from huitouke.kernel.modules import load_modules  # modules stand on this one

    use_scoped(rule for module in load_modules() for rule in module.scoped)


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """A long key whose hash is made once: tuples hash all they hold each time they are looked up."""

    parts: tuple[object, ...]
    hashed: int

    def __hash__(self) -> int:
        return self.hashed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.parts == other.parts


class Narrowing(CriteriaOption):
    """The conditions of all tables under one scope, as one option of a statement.

    Its part of the statement's cache key is made once: made for each statement, a dozen conditions took longer than
    reading a row. Bound values come in the same order each time, so that a cached statement finds its own.
    """

    __slots__ = ("_conditions", "_key", "_parameters")

    propagate_to_loaders = True

    def __init__(self, conditions: Sequence[LoaderCriteriaOption]) -> None:
        self._conditions = tuple(conditions)
        self._parameters: list[BindParameter[Any]] = []
        parts = tuple(one._gen_cache_key(anon_map(), self._parameters) for one in self._conditions)
        self._key = (Narrowing, _Key(parts, hash(parts)))

    def _gen_cache_key(self, _anon_map: object, bindparams: list[BindParameter[Any]]) -> tuple[object, ...]:
        bindparams.extend(self._parameters)
        return self._key

    def process_compile_state(self, compile_state: Any) -> None:
        """Called when a statement is compiled."""
        self.get_global_criteria(compile_state.global_attributes)

    def process_compile_state_replaced_entities(self, compile_state: Any, mapper_entities: object) -> None:
        """The same for statements whose columns were replaced."""
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        """Adds the conditions to those that hold wherever a model stands in the statement."""
        for one in self._conditions:
            one.get_global_criteria(attributes)


@lru_cache(maxsize=SCOPES_REMEMBERED)
def criteria(tenant_id: UUID, scope: DataScope) -> tuple[ExecutableOption, ...]:
    """What narrows an ORM statement to that scope."""
    conditions = (
        with_loader_criteria(rule.model, rule.condition(tenant_id, scope), include_aliases=True)
        for rule in scoped_tables()
    )
    return (Narrowing(list(conditions)),)

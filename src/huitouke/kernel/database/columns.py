"""Many rows in one hand-written statement: they travel as one array per column, which is named once, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from huitouke.kernel.database.models import Base

JSON: Final = "jsonb"


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a table with their types, for statements that take many rows at once."""

    table: str
    types: tuple[tuple[str, str], ...]

    def insert(self, on_conflict: str = "") -> str:
        """INSERT of any number of rows; `$2 …` are arrays in the order of the columns."""
        names = ", ".join(name for name, _ in self.types)
        values = ", ".join(f"r.{name}::jsonb" if kind == JSON else f"r.{name}" for name, kind in self.types)
        return (
            f"INSERT INTO {self.table} (tenant_id, {names}) SELECT $1, {values}"  # noqa: S608 - names from this module
            f" FROM unnest({self._arrays()}) AS r ({names}) {on_conflict}"
        )

    def update(self) -> str:
        """UPDATE of any number of rows by their first column, the id; `$2 …` are arrays."""
        names = ", ".join(name for name, _ in self.types)
        changes = ", ".join(f"{name} = r.{name}" for name, _ in self.types[1:])
        key = self.types[0][0]
        return (
            f"UPDATE {self.table} AS t SET {changes} FROM unnest({self._arrays()}) AS r ({names})"  # noqa: S608 - names from this module
            f" WHERE t.tenant_id = $1 AND t.{key} = r.{key}"
        )

    def arguments(self, rows: Sequence[Any]) -> list[list[Any]]:
        """The arrays: one per column, out of rows that have an attribute per column. JSON is an object or its text."""
        return [[_value(getattr(row, name), kind) for row in rows] for name, kind in self.types]

    def _arrays(self) -> str:
        return ", ".join(
            f"${number}::{'text' if kind == JSON else kind}[]" for number, (_, kind) in enumerate(self.types, start=2)
        )


def columns_of(model: type[Base]) -> str:
    """The model's columns, by name, for a hand-written SELECT: with `*` a column that the next release adds would come
    along, and break processes of this one while they are replaced."""
    return ", ".join(model.__table__.columns.keys())


def _value(value: Any, kind: str) -> Any:
    return orjson.dumps(value).decode() if kind == JSON and not isinstance(value, str) else value

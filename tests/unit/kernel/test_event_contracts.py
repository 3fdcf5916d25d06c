"""Handlers are held against the events they read, although they import nothing of the module that emits."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.events import Event, Received, on
from huitouke.kernel.events.contracts import check_contracts
from huitouke.kernel.modules import Module, load_modules


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Painted(Event):
    event_type = "paint.painted"
    wall_id: UUID
    colour: Colour
    litres: int
    painter_id: UUID | None = None
    reason: Literal["new", "again"] = "new"


def module_with(payload: type[BaseModel], event_type: str = "paint.painted") -> list[Module]:
    async def handle(ctx: Context, events: Sequence[Received[Any]]) -> None: ...

    handle.__annotations__["events"] = Sequence[Received[payload]]  # type: ignore[valid-type]  # made per test
    return [Module("paint", events=(Painted,)), Module("reader", handlers=(on(event_type)(handle),))]


def model(**fields: Any) -> type[BaseModel]:
    from pydantic import create_model

    made: type[BaseModel] = create_model("Read", **fields)
    return made


@pytest.mark.parametrize(
    "fields",
    [
        {"wall_id": (UUID, ...)},
        {"colour": (Colour, ...), "litres": (int, ...)},
        {"colour": (str, ...)},
        {"litres": (float, ...)},
        {"painter_id": (UUID | None, None)},
        {"reason": (str, ...)},
        {"reason": (Literal["new", "again", "never"], ...)},
        {"later": (str | None, None)},
        {"litres": (Any, ...)},
    ],
    ids=str,
)
def test_a_model_that_takes_all_the_event_may_say_is_kept(fields: dict[str, Any]) -> None:
    assert check_contracts(module_with(model(**fields))) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"wall": (UUID, ...)}, "is not emitted"),
        ({"litres": (str, ...)}, "may be integer"),
        ({"painter_id": (UUID, ...)}, "may be null"),
        ({"reason": (Literal["new"], ...)}, "may be one of again, new"),
        ({"colour": (UUID, ...)}, "may be one of blue, red"),
        ({"customer_id": (UUID, ...)}, "stands in the envelope"),
        ({"wall_id": (int, ...)}, "may be uuid"),
    ],
    ids=str,
)
def test_a_model_that_does_not_is_named_with_its_field(fields: dict[str, Any], says: str) -> None:
    (problem,) = check_contracts(module_with(model(**fields)))
    assert says in problem


def test_an_event_that_nobody_emits_is_named() -> None:
    assert "no module emits paint.dried" in check_contracts(module_with(model(), "paint.dried"))[0]


def test_an_event_declared_twice_is_named() -> None:
    modules = [Module("paint", events=(Painted,)), Module("copy", events=(Painted,))]
    assert check_contracts(modules) == ["copy: the event paint.painted is declared twice"]


def test_a_handler_says_its_payload_in_its_annotation() -> None:
    async def bare(ctx: Context, events: Sequence[Any]) -> None: ...

    with pytest.raises(TypeError, match="Received"):
        on("paint.painted")(bare)


def test_all_loaded_modules_keep_their_contracts() -> None:
    assert check_contracts(load_modules()) == []

"""Subscribing to events."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter

from huitouke.kernel.context import Context
from huitouke.kernel.events.event import Received

T = TypeVar("T", bound=BaseModel)
HandlerFunction = Callable[[Context, Sequence[Received[T]]], Awaitable[None]]


@dataclass(frozen=True)
class Handler:
    """A function that gets events of one type, in order, in batches, inside a transaction of their tenant.

    It may call services, wake, enqueue and emit, nothing else; what it writes commits together with the mark that it
    did, so it needs no key against doing it twice. One that raises is undone and tried again event by event.
    """

    event_type: str
    name: str
    """Where the function stands; the key under which its failed events wait, so renaming it orphans them."""
    function: HandlerFunction[Any]
    payload: type[BaseModel]

    @cached_property
    def payloads(self) -> TypeAdapter[list[Any]]:
        """Reads the payloads of a batch at once, in a third of the time that it takes one by one."""
        model = self.payload
        return TypeAdapter(list[model])  # type: ignore[valid-type]  # the model is known when the handler is

    async def __call__(self, context: Context, events: Sequence[Received[Any]]) -> None:
        await self.function(context, events)


def on(event_type: str) -> Callable[[HandlerFunction[T]], Handler]:
    """Makes `async def f(ctx, events: Sequence[Received[Payload]]) -> None` a handler of that type of event.

    `Payload` is a small model with the fields that the handler reads. List the handler in the manifest's `handlers`.
    """

    def declare(function: HandlerFunction[T]) -> Handler:
        name = f"{function.__module__}.{function.__qualname__}"
        return Handler(event_type, name, function, _payload_model(function, name))

    return declare


def _payload_model(function: Callable[..., Any], name: str) -> type[BaseModel]:
    for hint in get_type_hints(function).values():
        for inner in get_args(hint):
            if get_origin(inner) is Received:
                (model,) = get_args(inner)
                if isinstance(model, type) and issubclass(model, BaseModel):
                    return model
    raise TypeError(f"{name}: annotate the second parameter with Sequence[Received[YourModel]]")

"""What this process can do: runners, jobs, schedules and handlers of all modules, by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from huitouke.kernel.events.handlers import Handler
from huitouke.kernel.modules import Module, ModuleError
from huitouke.kernel.work.kinds import Job, Runner, Schedule

SCHEDULE_PREFIX: Final = "schedule:"
"""Due schedules are wake-ups of this kind, so that leases, retries and "one at a time" are the same machinery."""

Work: TypeAlias = Runner | Job | Schedule


@dataclass(frozen=True)
class Registry:
    """All kinds of work of this process and the handlers of each type of event, in module order."""

    work: Mapping[str, Work]
    handlers: Mapping[str, tuple[Handler, ...]]

    @classmethod
    def of(cls, modules: Iterable[Module], *, kernel: Iterable[Work] = ()) -> "Registry":
        """Collects what the modules declare, and the kernel's own kinds.

        Raises:
            ModuleError: two declare the same kind, or two handlers bear the same name.
        """
        loaded = list(modules)
        work: dict[str, Work] = {}
        handlers: dict[str, tuple[Handler, ...]] = {}
        names: set[tuple[str, str]] = set()
        declared: list[Work] = list(kernel)
        for module in loaded:
            declared += [*module.runners, *module.jobs, *module.schedules]
            for handler in module.handlers:
                place = (handler.event_type, handler.name)
                if place in names:
                    raise ModuleError(f"the handler {handler.name} of {handler.event_type} is declared twice")
                names.add(place)
                handlers[handler.event_type] = (*handlers.get(handler.event_type, ()), handler)
        for item in declared:
            kind = claimed_as(item)
            if kind in work:
                raise ModuleError(f"two modules declare the work {item.kind!r}")
            work[kind] = item
        return cls(work, handlers)

    def handler(self, event_type: str, name: str) -> Handler | None:
        """The handler of that name; None when no loaded module has it any more."""
        return next((handler for handler in self.handlers.get(event_type, ()) if handler.name == name), None)


def claimed_as(work: Work) -> str:
    """The kind under which its items stand in the queue."""
    return SCHEDULE_PREFIX + work.kind if isinstance(work, Schedule) else work.kind

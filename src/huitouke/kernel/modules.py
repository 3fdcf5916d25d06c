"""The manifest of a module, and the few lines that load built-in modules and installed plug-ins alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from huitouke.kernel import locales

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from fastapi import APIRouter

    from huitouke.kernel.access import AccessResolver
    from huitouke.kernel.callbacks import CallbackKind
    from huitouke.kernel.context import Context
    from huitouke.kernel.database import Base
    from huitouke.kernel.demo import DemoWorld
    from huitouke.kernel.events import Event, Handler
    from huitouke.kernel.plans import Feature, Quota
    from huitouke.kernel.realtime import Stream
    from huitouke.kernel.scoping import Scoped
    from huitouke.kernel.settings import Settings
    from huitouke.kernel.work import Job, Runner, Schedule

ENTRY_POINT_GROUP: Final = "huitouke.modules"

PROCESS_END: Final = "kernel.process_end"
"""Registry of `async def f() -> None` that close what a module keeps open per process (connections to outside)."""

EXTENSIONS: Final = "/extensions/"
"""Below this address stand the files of modules that bring pages of their own."""

BUILT_IN: Final = ("organization", "customers", "conversations", "assistant")
"""Names under `huitouke.modules`, used where the package's metadata is not installed (a source checkout)."""

Preset: TypeAlias = Literal["manager", "operator", "agent", "analyst", "cashier"]
"""The ready-made roles that a permission names. Two need no naming: owners and administrators may do everything."""

PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)

SimplePlace: TypeAlias = Literal["main", "more", "only"]
"""Where a menu entry stands in simple mode: in the menu, under "me" with all the others, or in that mode alone."""

Surface: TypeAlias = Literal["console", "operator", "member", "visitor", "open"]
DemoLoader: TypeAlias = "Callable[[Context, DemoWorld], Awaitable[None]]"


class ModuleError(RuntimeError):
    """A module can't be loaded; the message says which and why."""


class CommandError(RuntimeError):
    """The command can't do what was asked; the message says why and what to do."""


@dataclass(frozen=True)
class SurfaceRouter:
    """Routes of one surface, each of which has an OpenAPI document of its own."""

    surface: Surface
    router: APIRouter


@dataclass(frozen=True)
class Permission:
    """Something a role may allow, e.g. `conversations.reply`.

    Its label is the text `permissions.<name>`; where that alone would puzzle a shop owner, `permissions.<name>.hint`
    explains it. `presets` are the ready-made roles that have it, besides owners and administrators. `visitors`: whether
    a platform operator who was let in has it too; not what speaks in the shop's name or opens its door to others.
    """

    name: str
    presets: tuple[Preset, ...] = ()
    visitors: bool = True


@dataclass(frozen=True)
class MenuEntry:
    """A line of the console's navigation; its label is the text `menu.<name>`, smaller `order` stands higher.

    It shows for people with `permission`, with any one of them where there are several, for everybody where it is None.
    `icon` names a drawing of the console (`message`, `chart`, …; unknown names get a neutral one). `page` is for
    plug-ins: a script in the module's folder `web` that draws what stands at `path` (docs/plug-ins.md). `simple`: where
    it stands for tenants in simple mode, whose label may be another, `menu.simple.<name>`.
    """

    name: str
    path: str
    icon: str
    permission: str | tuple[str, ...] | None
    order: int
    page: str | None = None
    simple: SimplePlace = "more"

    def shows_for(self, permissions: frozenset[str]) -> bool:
        """Whether somebody with these permissions sees it."""
        if self.permission is None:
            return True
        wanted = (self.permission,) if isinstance(self.permission, str) else self.permission
        return any(one in permissions for one in wanted)


@dataclass(frozen=True)
class Command:
    """`huitouke <name>`: `run` gets the parsed options and gives the exit status, None for 0.

    An expected failure is a `CommandError`: the person gets its sentence, and status 1.
    """

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Settings], int | None]


@dataclass(frozen=True)
class Module:
    """All that a module contributes. Nothing else wires modules together."""

    name: str
    version: str = "0.1.0"
    requires: tuple[str, ...] = ()
    """Modules that must be loaded before this one."""
    routers: tuple[SurfaceRouter, ...] = ()
    permissions: tuple[Permission, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    events: tuple[type[Event], ...] = ()
    """Types of events that this module emits."""
    handlers: tuple[Handler, ...] = ()
    runners: tuple[Runner, ...] = ()
    jobs: tuple[Job, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    callback_kinds: tuple[CallbackKind, ...] = ()
    streams: tuple[Stream, ...] = ()
    access_resolver: AccessResolver | None = None
    """How (user, tenant) becomes permissions; exactly one module offers it."""
    features: tuple[Feature, ...] = ()
    """What plans can open (docs/plans.md)."""
    quotas: tuple[Quota, ...] = ()
    """What plans limit, and how it is counted."""
    extensions: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Contributions to registries that other modules own, by the registry's name (e.g. `conversations.channels`)."""
    models: tuple[type[Base], ...] = ()
    scoped: tuple[Scoped, ...] = ()
    """Tables whose rows belong to somebody: people whose role sees less than all see some of them only."""
    migrations: Path | None = None
    locales: Path | None = None
    web: Path | None = None
    """Files that browsers get under `/extensions/<module>/`: scripts and pictures of the module's own pages."""
    demo: DemoLoader | None = None
    commands: tuple[Command, ...] = ()
    """Commands of `huitouke` beside the built-in ones, whose names they can't take."""


@dataclass(frozen=True)
class Modules:
    """The loaded modules, each after those it requires."""

    ordered: tuple[Module, ...]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.ordered)

    def extensions(self, registry: str) -> list[Any]:
        """What all modules contribute to that registry, in module order."""
        return [item for module in self.ordered for item in module.extensions.get(registry, ())]

    def named(self, name: str) -> Module:
        """The module of that name.

        Raises:
            ModuleError: it is not loaded.
        """
        for module in self.ordered:
            if module.name == name:
                return module
        raise ModuleError(f"module {name!r} is not loaded")

    @cached_property
    def unheard(self) -> frozenset[str]:
        """Types of events that a module emits and none handles: they are history, and nobody waits for them."""
        emitted = {event.event_type for module in self.ordered for event in module.events}
        return frozenset(emitted - {handler.event_type for module in self.ordered for handler in module.handlers})

    def permissions_of_visitors(self) -> frozenset[str]:
        """What a platform operator may do whom the tenant has let in."""
        return frozenset(each.name for module in self.ordered for each in module.permissions if each.visitors)

    def permissions(self) -> frozenset[str]:
        """The names of all permissions."""
        return frozenset(permission.name for module in self.ordered for permission in module.permissions)


@lru_cache(maxsize=1)
def load_modules() -> Modules:
    """The modules of this installation: built-in ones and plug-ins, in an order that respects `requires`.

    Raises:
        ModuleError: a module fails to import, requires one that is missing, or two claim the same name.
    """
    return assemble(_discovered())


def assemble(modules: Iterable[Module]) -> Modules:
    """Orders modules, the kernel's own contributions first, and loads their texts.

    Raises:
        ModuleError: a required module is missing, there is a circle, or two claim the same name.
    """
    by_name: dict[str, Module] = {}
    for module in (_call("huitouke.kernel.manifest"), *modules):
        if module.name in by_name:
            raise ModuleError(f"two modules are named {module.name!r}")
        by_name[module.name] = module
    for module in by_name.values():
        missing = [name for name in module.requires if name not in by_name]
        if missing:
            raise ModuleError(f"module {module.name!r} requires {', '.join(missing)}, which is not installed")
    try:
        order = list(TopologicalSorter({name: module.requires for name, module in by_name.items()}).static_order())
    except CycleError as error:
        raise ModuleError(f"modules require each other in a circle: {error.args[1]}") from error
    for module in by_name.values():
        _check_pages(module)
        _check_presets(module)
    _check_plans(by_name.values())
    for name in order:
        folder = by_name[name].locales
        if folder is not None:
            locales.add_folder(folder)
    return Modules(tuple(by_name[name] for name in order))


def _check_pages(module: Module) -> None:
    for page in filter(None, (entry.page for entry in module.menu)):
        if module.web is None or not (module.web / page).is_file():
            raise ModuleError(f"module {module.name!r} has no file {page!r} in its folder `web`")


def _check_presets(module: Module) -> None:
    for permission in module.permissions:
        unknown = set(permission.presets).difference(PRESETS)
        if unknown:
            raise ModuleError(f"permission {permission.name!r} names unknown presets: {', '.join(sorted(unknown))}")


def _check_plans(modules: Iterable[Module]) -> None:
    """Plans know features and quotas by name, so two modules may not mean different things by one."""
    seen: dict[tuple[str, str], str] = {}
    for module in modules:
        named = [("feature", each.name) for each in module.features] + [("quota", each.name) for each in module.quotas]
        for kind, name in named:
            if (kind, name) in seen:
                raise ModuleError(f"modules {seen[kind, name]!r} and {module.name!r} both declare the {kind} {name!r}")
            seen[kind, name] = module.name


def _discovered() -> list[Module]:
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    modules = [_call(f"huitouke.modules.{name}") for name in BUILT_IN]
    for name, entry in sorted(offered.items()):
        if name not in BUILT_IN:
            modules.append(_call(entry.module, entry.attr))
    return modules


def _call(path: str, attribute: str = "module") -> Module:
    try:
        module = getattr(import_module(path), attribute)()
    except Exception as error:
        raise ModuleError(f"module {path!r} can't be loaded: {error}") from error
    if not isinstance(module, Module):
        raise ModuleError(f"{path}:{attribute} gives no Module")
    return module

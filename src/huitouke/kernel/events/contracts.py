"""Holds what handlers read against what is emitted, since a handler imports nothing of the module that emits."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from huitouke.kernel.events.event import ENVELOPE, Event
from huitouke.kernel.events.handlers import Handler
from huitouke.kernel.modules import Module

Schema = Mapping[str, Any]


def check_contracts(modules: Iterable[Module]) -> list[str]:
    """A sentence per broken contract: an event declared twice, an unknown event, a field that is missing or differs.

    A field of a handler's model must exist in the event's payload, and every value the event may have must be one that
    the handler takes (types, null, enum members).
    """
    loaded = list(modules)
    problems: list[str] = []
    emitted: dict[str, type[Event]] = {}
    for module in loaded:
        for event in module.events:
            if event.event_type in emitted:
                problems.append(f"{module.name}: the event {event.event_type} is declared twice")
            emitted[event.event_type] = event
    for module in loaded:
        for handler in module.handlers:
            event_class = emitted.get(handler.event_type)
            if event_class is None:
                problems.append(f"{handler.name}: no module emits {handler.event_type}")
            else:
                problems.extend(_differences(handler, event_class))
    return problems


def _differences(handler: Handler, event: type[Event]) -> list[str]:
    offered = event.model_json_schema(mode="serialization")
    wanted = handler.payload.model_json_schema(mode="validation")
    offered_fields: Mapping[str, Schema] = offered.get("properties", {})
    problems = []
    for name, schema in wanted.get("properties", {}).items():
        where = f"{handler.name}: {handler.event_type}.{name}"
        if name in ENVELOPE:
            problems.append(f"{where} stands in the envelope; read it from the event, not from its payload")
        elif name not in offered_fields:
            if name in wanted.get("required", ()):
                problems.append(f"{where} is not emitted")
        else:
            gives = _variants(offered_fields[name], offered)
            takes = _variants(schema, wanted)
            refused = [variant for variant in gives if not any(_covers(taken, variant) for taken in takes)]
            problems.extend(f"{where} may be {_say(variant)}, which the handler does not take" for variant in refused)
    return problems


def _variants(schema: Schema, document: Schema) -> list[Schema]:
    """The alternatives of a schema, references resolved."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return _variants(document["$defs"][name], document)
    if "anyOf" in schema:
        return [variant for option in schema["anyOf"] for variant in _variants(option, document)]
    return [schema]


def _covers(taken: Schema, given: Schema) -> bool:
    if not taken.get("type") and "enum" not in taken and "const" not in taken:
        return True  # Any
    if not _members(given):
        return _types_match(taken, given) and not _members(taken) and taken.get("format") in (None, given.get("format"))
    if _members(taken):
        return _members(given) <= _members(taken)
    return _types_match(taken, given) and "format" not in taken


def _types_match(taken: Schema, given: Schema) -> bool:
    return taken.get("type") == given.get("type") or (taken.get("type") == "number" and given.get("type") == "integer")


def _members(schema: Schema) -> set[Any]:
    if "const" in schema:
        return {schema["const"]}
    return set(schema.get("enum", ()))


def _say(schema: Schema) -> str:
    members = _members(schema)
    if members:
        return "one of " + ", ".join(sorted(map(str, members)))
    return str(schema.get("format") or schema.get("type") or "anything")


def payload_schema(event: type[Event]) -> dict[str, Any]:
    """The JSON schema of an event's payload and envelope, for the published documents."""
    model: type[BaseModel] = event
    return model.model_json_schema(mode="serialization")

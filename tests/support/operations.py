"""The console's API as its OpenAPI document tells it: operations, where values go in, smallest valid requests.

Tests that must hold for *every* endpoint walk over these, so that a new endpoint is covered on the day it is added.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from urllib.parse import quote
from uuid import UUID

import httpx2

from huitouke.app import openapi_document
from huitouke.kernel.modules import Surface, load_modules

Where = Literal["path", "query", "header", "body"]
Json: TypeAlias = dict[str, Any]

NO_SUCH_ID = UUID("01920000-0000-7000-8000-00000000dead")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Place:
    """Where one value of a request goes; `path` leads to it within the body, through objects and first elements."""

    where: Where
    name: str
    schema: Mapping[str, Any]
    required: bool
    path: tuple[str | int, ...] = ()

    def has(self, **facts: str) -> bool:
        """Whether the schema, or one of its alternatives, says that."""
        options = [self.schema, *self.schema.get("anyOf", ())]
        return any(all(option.get(name) == value for name, value in facts.items()) for option in options)

    def __str__(self) -> str:
        return f"{self.where}:{'.'.join(map(str, self.path)) or self.name}"


@dataclass
class Asked:
    """A request, before it is sent."""

    method: str
    path: str
    query: Json
    headers: dict[str, str]
    body: Any
    form: bool = False

    async def send(self, client: httpx2.AsyncClient, **headers: str) -> httpx2.Response:
        """Sends it as our own pages would."""
        kind: Json = {}
        if self.form:
            kind = {"files": {"file": ("a.txt", b"words")}}
        elif self.body is not None:
            kind = {"json": self.body}
        query = {name: value for name, value in self.query.items() if value is not None}
        return await client.request(self.method, self.path, params=query, headers={**self.headers, **headers}, **kind)


@dataclass(frozen=True)
class Operation:
    """One endpoint with one method."""

    id: str
    method: str
    path: str
    places: tuple[Place, ...]
    body: Mapping[str, Any] | None
    """The body's schema, without references."""
    form: bool

    def ask(self, ids: Mapping[str, object]) -> Asked:
        """The smallest valid request. `ids` gives the value of each id by its name; KeyError when one is missing."""
        asked = Asked(self.method, self.path, {}, {}, example(self.body, ids) if self.body else None, self.form)
        for place in self.places:
            if place.where == "body" or not place.required:
                continue
            self._put(asked, place, example(place.schema, ids, place.name))
        return asked

    def ask_with(self, ids: Mapping[str, object], place: Place, value: object) -> Asked:
        """The same with that value in that place."""
        if place.where == "path":
            return self.ask({**ids, place.name: value})
        asked = self.ask(ids)
        if place.where != "body":
            self._put(asked, place, value)
            return asked
        asked.body = deepcopy(asked.body)
        at = asked.body
        for step, following in zip(place.path, place.path[1:], strict=False):
            at = _step_into(at, step, [] if isinstance(following, int) else {})
        last = place.path[-1]
        if isinstance(last, int):
            at[:] = [value]
        else:
            at[last] = value
        return asked

    @staticmethod
    def _put(asked: Asked, place: Place, value: object) -> None:
        match place.where:
            case "path":
                asked.path = asked.path.replace("{" + place.name + "}", quote(str(value), safe=""))
            case "query":
                asked.query[place.name] = value
            case "header":
                asked.headers[place.name] = str(value)
            case "body":
                raise AssertionError("a body is filled by ask_with")


def _step_into(at: Any, step: str | int, empty: Any) -> Any:
    if isinstance(step, int):
        if not at:
            at.append(empty)
        return at[0]
    if not at.get(step):
        at[step] = empty
    return at[step]


@lru_cache
def operations(surface: Surface = "console") -> tuple[Operation, ...]:
    """All operations of the surface's document."""
    document = openapi_document(load_modules(), surface)
    return tuple(
        _operation(document, method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    )


def _operation(document: Json, method: str, path: str, described: Json) -> Operation:
    places = [
        Place(each["in"], each["name"], inlined(document, each["schema"]), each.get("required", False))
        for each in described.get("parameters", ())
    ]
    content = described.get("requestBody", {}).get("content", {})
    body = inlined(document, content["application/json"]["schema"]) if "application/json" in content else None
    if body is not None:
        places += list(_body_places(body))
    return Operation(described["operationId"], method, path, tuple(places), body, "multipart/form-data" in content)


def _body_places(schema: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Every value of the body: properties at any depth, and the elements of lists."""
    for option in [schema, *schema.get("anyOf", ())]:
        for name, inner in option.get("properties", {}).items():
            place = Place("body", name, inner, name in option.get("required", ()), (*path, name))
            yield place
            yield from _body_places(inner, place.path)
        if "items" in option:
            inner = option["items"]
            yield Place("body", str(path[-1]), inner, False, (*path, 0))
            yield from _body_places(inner, (*path, 0))


def inlined(document: Json, schema: Any) -> Any:
    """The schema with its references replaced; ours are not recursive."""
    if isinstance(schema, list):
        return [inlined(document, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return inlined(
            document, {**document["components"]["schemas"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
        )
    return {name: inlined(document, value) for name, value in schema.items()}


def example(schema: Mapping[str, Any], ids: Mapping[str, object], name: str = "") -> Any:
    """The smallest value that fits: required properties only, ids from `ids` by their name."""
    if "anyOf" in schema:
        return example(schema["anyOf"][0], ids, name)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("format") == "uuid":
        return str(ids[name])
    match schema.get("type"):
        case "object":
            inner = schema.get("properties", {})
            return {each: example(inner[each], ids, each) for each in schema.get("required", ())}
        case "array":
            return [example(schema["items"], ids, name)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return str(ids[name]) if name in ids else "words for a test"[: schema.get("maxLength", 99)]
    return None

"""Errors on the wire: RFC 9457 problem documents with a sentence in the person's language."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from huitouke.kernel import locales
from huitouke.kernel.context import DEFAULT_LOCALE
from huitouke.kernel.database.away import AWAY, cause_of, is_away
from huitouke.kernel.errors import (
    InvalidInput,
    NotFound,
    PermissionMissing,
    Problem,
    RateLimited,
    TooLarge,
    Unauthenticated,
)

MEDIA_TYPE: Final = "application/problem+json"
MAX_FIELD_ERRORS: Final = 20

_UNSTORABLE: Final = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What PostgreSQL says to U+0000 in a text, and in a jsonb."""

log = structlog.get_logger(__name__)


class MethodNotAllowed(Problem):
    """The address exists, but not for this method."""

    status = 405
    type = "method_not_allowed"


class BadRequest(Problem):
    """The request can't be read."""

    status = 400
    type = "bad_request"


class DatabaseAway(Problem):
    """The database is away or overloaded for the moment; the same request will do later."""

    status = 503
    type = "database_away"


class Internal(Problem):
    """Something unexpected; the log has it under the request id."""

    status = 500
    type = "internal"


class ProblemOut(BaseModel):
    """The body of every error."""

    type: str = Field(description="Stable name of the reason, as /problems/<name>.")
    title: str
    status: int
    detail: str = Field(description="What happened and what to do, in the person's language.")
    field: str | None = Field(default=None, description="The input at fault, e.g. `items.0.name`.")
    params: dict[str, Any] = Field(default_factory=dict, description="Figures and names that stand in the detail.")
    request_id: str | None = None


PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": ProblemOut, "description": "Refused; the document says why and what to do."},
    "5XX": {"model": ProblemOut, "description": "Failed; the document has the number under which it is logged."},
}
"""For `include_router(…, responses=…)`: every error is typed in the OpenAPI document."""


def described(openapi: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with errors under their own media type; FastAPI puts every model under application/json."""
    for methods in openapi.get("paths", {}).values():
        for operation in methods.values():
            for status in PROBLEM_RESPONSES:
                content = operation["responses"].get(status, {}).get("content", {})
                if "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    return openapi


def document(problem: Problem, *, locale: str, request_id: str | None) -> dict[str, Any]:
    """The problem document. A text `problems.<type>.<reason>` is preferred to `problems.<type>`."""
    key = f"problems.{problem.type}"
    reason = problem.params.get("reason")
    if isinstance(reason, str) and locales.has_text(f"{key}.{reason}"):
        key = f"{key}.{reason}"
    params = {"field": problem.field or "", "request_id": request_id or "", **problem.params}
    body: dict[str, Any] = {
        "type": f"/problems/{problem.type}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": locales.translate(locale, key, **params),
        "request_id": request_id,
    }
    if problem.field is not None:
        body["field"] = problem.field
    if problem.params:
        body["params"] = problem.params
    return body


def response(problem: Problem, *, locale: str = DEFAULT_LOCALE, request_id: str | None = None) -> Response:
    """The HTTP response of a problem."""
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(problem, RateLimited) and "retry_after_seconds" in problem.params:
        headers["Retry-After"] = str(problem.params["retry_after_seconds"])
    return Response(
        orjson.dumps(document(problem, locale=locale, request_id=request_id), default=str),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Registers the handlers that turn every error of the application into a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(DBAPIError, _on_database_error)
    for known in (*_UNSTORABLE, *AWAY):
        app.add_exception_handler(known, _on_database_error)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _respond(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _respond(request, invalid_input(error.errors()))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _respond(request, _of_status(error.status_code))


async def _on_database_error(request: Request, error: Exception) -> Response:
    """Texts with U+0000 can't be stored, whichever field of whichever module they were sent in; a database that is
    away comes back; the rest is a bug."""
    cause = cause_of(error)
    if isinstance(cause, _UNSTORABLE):
        return _respond(request, InvalidInput(reason="unstorable_character"))
    if is_away(error):
        log.error("http.database_away", reason=f"{type(cause).__name__}: {cause}")
        return _respond(request, DatabaseAway())
    raise error


async def _on_unexpected(request: Request, error: Exception) -> Response:
    """The frame around the application logs the error itself, with its stack; nothing of it leaves the house."""
    return _respond(request, Internal())


def _respond(request: Request, problem: Problem) -> Response:
    state = request.scope.get("state", {})
    return response(problem, locale=state.get("locale", DEFAULT_LOCALE), request_id=state.get("request_id"))


def invalid_input(errors: Sequence[Any]) -> InvalidInput:
    """Pydantic's findings as one problem: `field` and `reason` of the first, all of them (at most 20) in `errors`.

    The input's values are left out: they may be passwords or texts of people.
    """
    found = [{"field": _field_name(error["loc"]), "reason": str(error["type"])} for error in errors]
    first = found[0] if found else {"field": None, "reason": "unknown"}
    limits = {
        name: value
        for name, value in (errors[0].get("ctx", {}) if errors else {}).items()
        if isinstance(value, int | float | str) and not isinstance(value, bool)
    }
    return InvalidInput(field=first["field"], reason=first["reason"], errors=found[:MAX_FIELD_ERRORS], **limits)


def _field_name(location: Sequence[Any]) -> str:
    """`('body', 'items', 0, 'name')` → `items.0.name`: the caller's name for it."""
    parts = [str(part) for part in location]
    named = parts[1:] if parts and parts[0] in {"body", "query", "path", "header", "cookie"} else parts
    return ".".join(named or parts)


def _of_status(status: int) -> Problem:
    match status:
        case 401:
            return Unauthenticated()
        case 403:
            return PermissionMissing()
        case 404:
            return NotFound()
        case 405:
            return MethodNotAllowed()
        case 413:
            return TooLarge()
        case _ if status < 500:
            return BadRequest()
        case _:
            return Internal()

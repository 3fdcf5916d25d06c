"""The API against its own OpenAPI document: requests made from the schema, valid and broken; answers held against it.

In every run a few requests per operation; with --long at least 500.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from huitouke.app import openapi_document
from huitouke.kernel.database import Database
from huitouke.kernel.modules import Surface, load_modules
from huitouke.kernel.settings import get_settings
from tests.isolation.neighbours import Merchant, merchant
from tests.modules.wechat_sandbox.shop import running_sandbox, serving
from tests.support.http import HEADERS, ORIGIN, application, failed_outside

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
FEW, MANY = 3, 250
"""Requests per operation and kind (made as the schema says; broken on purpose)."""

CLIENTS_DOCUMENTS = Path(__file__).parents[2] / "web/packages/api/schema"
NOT_HERE = {
    "session_sign_out": "ends the session of everything after it",
    "session_change_password": "the throttle of wrong passwords would answer everything after the tenth",
    "session_sign_in": "likewise",
    "session_forgotten_open": "takes nothing, not even a cookie, so nothing of it can be broken",
    "session_sign_up_open": "takes nothing, not even a cookie, so nothing of it can be broken",
}
"""Operations with tests of their own."""

document = openapi_document(load_modules(), "console")
schema = schemathesis.openapi.from_dict(document)
schema.base_url = ORIGIN
OPERATIONS = {result.ok().definition.raw["operationId"]: result.ok() for result in schema.get_all_operations()}


@pytest.fixture(scope="module")
async def shop(database: Database) -> AsyncIterator[Merchant]:
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(application()) as address, merchant(sandbox, address) as one:
            yield one
        os.environ.pop("HUITOUKE_WECOM_BASE_URL", None)
        get_settings.cache_clear()


def cases(operation: APIOperation, mode: GenerationMode, count: int) -> list[Case]:
    """That many requests, the same ones in every run."""
    made: list[Case] = []

    @seed(20260501)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(mode))
    def collect(case: Case) -> None:
        made.append(case)

    collect()
    return made


async def send(shop: Merchant, case: Case, *, own_ids: bool) -> httpx2.Response:
    """Sends it as the owner; `own_ids` puts ids of the shop's rows into the path, so that something is there."""
    if own_ids:
        case.path_parameters = {name: shop.ids[name] for name in case.path_parameters or {}}
    case.cookies = {}  # ours is in the client
    wanted = case.as_transport_kwargs(base_url=ORIGIN)
    body = {"json": wanted["json"]} if wanted.get("json") is not None else {}
    if wanted.get("files"):
        body["files"] = [(name, str(part).encode()) for name, part in dict(wanted["files"]).items()]
    if wanted.get("data") is not None:
        body["content" if isinstance(wanted["data"], bytes | str) else "data"] = wanted["data"]
    answer = await shop.owner.request(
        wanted["method"],
        wanted["url"],
        params=wanted.get("params"),
        headers={**dict(wanted["headers"]), **HEADERS},
        **body,
    )
    await answer.request.aread()  # the checks show it
    return answer


async def conforms(shop: Merchant, name: str, count: int) -> int:
    """Sends `count` requests of each kind and holds every answer against the document; gives how many there were."""
    sent = 0
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for number, case in enumerate(await asyncio.to_thread(cases, OPERATIONS[name], mode, count)):
            answer = await send(shop, case, own_ids=number % 2 == 0)
            sent += 1
            case.validate_response(answer, checks=CHECKS)
            assert answer.status_code < 500 or failed_outside(answer), f"{case.as_curl_command()}\n{answer.text}"
    return sent


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - set(NOT_HERE)))
async def test_an_operation_answers_as_its_document_says(shop: Merchant, name: str) -> None:
    assert await conforms(shop, name, FEW) > 0


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - set(NOT_HERE)))
async def test_an_operation_answers_so_500_times(
    shop: Merchant, name: str, record_property: Callable[[str, object], None]
) -> None:
    # Operations that take nothing have fewer different requests than that.
    record_property("figure", f"{name}: {await conforms(shop, name, MANY)} requests hold")


@pytest.mark.parametrize("surface", ["console", "operator"])
def test_the_document_that_the_clients_are_made_of_is_the_present_one(surface: Surface) -> None:
    """Otherwise: huitouke openapi --surface console > web/packages/api/schema/console.json"""
    committed = json.loads((CLIENTS_DOCUMENTS / f"{surface}.json").read_text())
    assert committed == json.loads(json.dumps(openapi_document(load_modules(), surface)))

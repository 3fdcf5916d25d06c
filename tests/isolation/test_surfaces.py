"""Every surface from every other: who is signed in at one is a stranger at the others, and foreign pages at all.

By the documents of all surfaces there are. A surface that gets its first endpoint fails here until it is said how one
signs in there; from then on all its endpoints are covered, those that come later too.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import httpx2
import pytest

from huitouke.app import SURFACES
from huitouke.kernel.database import Database
from huitouke.kernel.modules import Surface
from huitouke.kernel.visitors import PAGES
from tests.isolation.neighbours import Merchant
from tests.isolation.test_http import TO_STRANGERS, Findings
from tests.isolation.test_operator import OF_THEIR_OWN, ids_of
from tests.isolation.test_visitors import ARRIVES
from tests.support.http import application, client, forget_guesses
from tests.support.operations import UNSAFE, Asked, Operation, operations
from tests.support.operators import make_operator, operator_client

TOLD_TO_STRANGERS: Mapping[str, int] = {**TO_STRANGERS, **OF_THEIR_OWN, "session_sign_in": 401, ARRIVES: 200}
"""What strangers are answered where it isn't 401 for the session."""

FOREIGN_PAGES = ({"X-Requested-With": ""}, {"Origin": "https://evil.test"}, {"Origin": "null"})


def with_endpoints() -> list[Surface]:
    return [surface for surface in SURFACES if operations(surface)]


@pytest.fixture
async def signed_in(mine: Merchant, database: Database) -> AsyncIterator[dict[Surface, httpx2.AsyncClient]]:
    """Somebody who may do everything, by surface."""
    await forget_guesses()  # of other tests: all share an address
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(operator_client(application(), await make_operator()))
        visitor = await stack.enter_async_context(client(application()))
        assert (await visitor.post(f"{PAGES}/{mine.ids['code']}/visit")).status_code == 200
        yield {"console": mine.owner, "operator": operator, "visitor": visitor}
    await forget_guesses()


def test_every_surface_with_endpoints_has_somebody_who_signs_in(
    signed_in: Mapping[Surface, httpx2.AsyncClient],
) -> None:
    assert set(with_endpoints()) == set(signed_in)


async def test_who_is_signed_in_at_one_surface_is_a_stranger_at_the_others(
    mine: Merchant,
    signed_in: Mapping[Surface, httpx2.AsyncClient],
    record_property: Callable[[str, object], None],
) -> None:
    """With the cookies as they are, and with each token under each surface's name."""
    findings = Findings(set(), record_property)
    names = {name for one in signed_in.values() for name in one.cookies}
    for surface in with_endpoints():
        for elsewhere, one in signed_in.items():
            if elsewhere == surface:
                continue
            tokens = list(dict(one.cookies).values())
            cookies = [f"{name}={token}" for name in names for token in tokens] + ["", "; ".join(names)]
            for cookie in cookies:
                async with client(application()) as browser:
                    for operation in operations(surface):
                        answer = await _ask(operation, mine).send(browser, Cookie=cookie)
                        allowed = {TOLD_TO_STRANGERS.get(operation.id, 401)}
                        findings.judge(operation, f"with the session of {elsewhere}", answer, allowed)
                await forget_guesses()
    findings.close("sessions of other surfaces")


async def test_foreign_pages_change_nothing_at_any(
    mine: Merchant,
    signed_in: Mapping[Surface, httpx2.AsyncClient],
    record_property: Callable[[str, object], None],
) -> None:
    findings = Findings(set(), record_property)
    for surface in with_endpoints():
        for operation in operations(surface):
            for headers in FOREIGN_PAGES if operation.method in UNSAFE else ():
                answer = await _ask(operation, mine).send(signed_in[surface], **headers)
                findings.judge(operation, str(headers), answer, {403})
    findings.close("foreign pages at all surfaces")


def _ask(operation: Operation, one: Merchant) -> Asked:
    """The smallest valid request. KeyError where nobody has given an id of that kind: then the route is not reached."""
    return operation.ask(ids_of(one))

"""A platform operator, and a client that is signed in as one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.types import ASGIApp

from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators.signing_in import add_operator
from tests.support.http import PASSWORD, client


async def make_operator() -> str:
    """Somebody who runs the installation; gives the sign-in name."""
    name = f"operator-{new_id().hex}"
    assert await add_operator(name, Secret(PASSWORD))
    return name


@asynccontextmanager
async def operator_client(app: ASGIApp, name: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the operator's cookie."""
    async with client(app) as opened:
        answer = await opened.post("/operator/api/session", json={"sign_in_name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield opened

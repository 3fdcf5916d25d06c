"""FastAPI dependencies of the operator's routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie

from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.operators.signing_in import OPERATOR_COOKIE, Operator, resolve_operator

_cookie = APIKeyCookie(name=OPERATOR_COOKIE, scheme_name="operator", auto_error=False)


async def signed_in_operator(request: Request, token: Annotated[str | None, Security(_cookie)]) -> Operator:
    """The operator whose cookie came with the request; a tenant's session is none.

    Raises:
        Unauthenticated: no operator is signed in.
    """
    operator = await resolve_operator(token)
    structlog.contextvars.bind_contextvars(operator_id=str(operator.user_id))
    return replace(operator, request_id=request.state.request_id, address=client_address(request))


OperatorPerson = Annotated[Operator, Depends(signed_in_operator)]
"""Who runs the installation and is signed in as such."""

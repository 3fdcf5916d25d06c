"""A suspended merchant: every endpoint is shut to its people, and what WeCom sends is kept all the same."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
from sqlalchemy import func, select, update

from huitouke.kernel.access.signed_in import forget
from huitouke.kernel.callbacks.models import Callback
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.tenancy import Tenant
from tests.isolation.neighbours import Merchant, merchant, traces_of
from tests.isolation.test_http import TO_STRANGERS, Findings
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.operations import operations

WITHOUT_A_SESSION = {**TO_STRANGERS, "session_sign_in": 401}
"""What nobody needs to be signed in for answers as always."""

DOORS = {"wecom_door", "wecom_door_way"}
"""The merchant's own are shut as well."""


@pytest.fixture(scope="module")
async def suspended(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    async with merchant(*running) as one:
        tenant_id = one.desk.context.tenant_id
        async with platform_transaction() as session:
            await session.execute(update(Tenant).where(Tenant.id == tenant_id).values(state="suspended"))
        forget(tenant_id=tenant_id)
        yield one


async def test_every_endpoint_is_shut(suspended: Merchant, record_property: Callable[[str, object], None]) -> None:
    findings = Findings(await traces_of(suspended) - set(suspended.ids.values()), record_property)
    for operation in sorted(operations(), key=lambda one: one.id == "session_sign_out"):  # after it nobody is there
        answer = await operation.ask(suspended.ids).send(suspended.owner)
        findings.judge(
            operation, "suspended", answer, {403 if operation.id in DOORS else WITHOUT_A_SESSION.get(operation.id, 403)}
        )
        if answer.status_code == 403 and operation.id not in WITHOUT_A_SESSION:
            assert answer.json()["type"] == "/problems/tenant_suspended"
    findings.close("suspended")


async def test_callbacks_are_still_stored(suspended: Merchant) -> None:
    async def stored() -> int:
        async with transaction(suspended.desk.context) as ctx:
            return await ctx.session.scalar(select(func.count(Callback.id))) or 0

    before = await stored()
    await suspended.desk.shop.writes("还开着吗")
    await suspended.desk.eventually(partial(_more_than, stored, before))


async def _more_than(stored: Callable[[], Awaitable[int]], before: int) -> bool:
    return await stored() > before

"""The database holds alone: with the session's binding to the tenant taken away, and with hand-written statements bound
to the wrong tenant, the neighbour's rows stay out of reach."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel.database import transaction, transactions
from huitouke.kernel.database.transactions import DRIVER, TENANT, TenantSession
from tests.isolation import test_http
from tests.isolation.neighbours import Merchant, merchant, traces_of
from tests.isolation.test_http import Findings
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.operations import operations

ANY_ANSWER = set(range(200, 600))
"""A statement for another tenant may fail in whatever way; what counts is what it gives and changes."""


@pytest.fixture
def unbound() -> Iterator[None]:
    """No ORM statement is bound to its tenant: the policies are all there is."""
    event.remove(TenantSession, "do_orm_execute", transactions._bind_tenant_and_scope)
    yield
    event.listen(TenantSession, "do_orm_execute", transactions._bind_tenant_and_scope)


@pytest.fixture
async def findings(theirs: Merchant, record_property: Callable[[str, object], None]) -> Findings:
    return Findings(await traces_of(theirs), record_property, {theirs.desk.shop.corp_id})


async def test_without_the_sessions_binding_a_neighbours_id_never_existed(
    mine: Merchant, theirs: Merchant, findings: Findings, unbound: None
) -> None:
    await test_http.test_a_neighbours_id_is_an_id_that_never_existed(mine, theirs, findings)


async def test_without_the_sessions_binding_lists_show_ones_own_rows_only(
    mine: Merchant, theirs: Merchant, findings: Findings, unbound: None
) -> None:
    await test_http.test_lists_searches_and_the_neighbours_cursors_show_ones_own_rows_only(mine, theirs, findings)


class BoundToTheNeighbour:
    """A driver whose hand-written statements name the neighbour, while the transaction is one's own."""

    def __init__(self, driver: Any, own: object, neighbour: object) -> None:
        self._driver, self._own, self._neighbour = driver, own, neighbour

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def _bound(self, arguments: tuple[Any, ...]) -> list[Any]:
        return [self._neighbour if str(one) == str(self._own) else one for one in arguments]

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        SWAPPED.add(statement)
        return await self._driver.fetch(statement, *self._bound(arguments))

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        SWAPPED.add(statement)
        return await self._driver.fetchrow(statement, *self._bound(arguments))

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        SWAPPED.add(statement)
        return await self._driver.fetchval(statement, *self._bound(arguments))

    async def execute(self, statement: str, *arguments: Any) -> Any:
        SWAPPED.add(statement)
        return await self._driver.execute(statement, *self._bound(arguments))


SWAPPED: set[str] = set()


@pytest.fixture
async def expendable(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    """A merchant of whom nothing needs to be left afterwards."""
    async with merchant(*running) as one:
        yield one


async def contents(one: Merchant) -> dict[str, str]:
    """What stands in each table of the merchant."""
    found = {}
    async with transaction(one.desk.context) as ctx:
        tables = await ctx.session.scalars(
            text(
                "SELECT DISTINCT c.table_name FROM information_schema.columns c JOIN pg_class p"
                " ON p.relname = c.table_name AND p.relrowsecurity WHERE c.column_name = 'tenant_id' ORDER BY 1"
            )
        )
        for table in tables.all():
            statement = text(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = str(await ctx.session.scalar(statement))
    return found


async def test_hand_written_statements_bound_to_the_neighbour_give_and_change_nothing(
    expendable: Merchant, theirs: Merchant, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, neighbour = expendable.desk.context.tenant_id, theirs.desk.context.tenant_id
    before = await contents(theirs)

    def session(*arguments: Any, info: dict[str, Any], **more: Any) -> AsyncSession:
        if info[TENANT] == own:
            info[DRIVER] = BoundToTheNeighbour(info[DRIVER], own, neighbour)
        return AsyncSession(*arguments, info=info, **more)

    SWAPPED.clear()
    monkeypatch.setattr(transactions, "AsyncSession", session)
    for operation in operations():
        if not operation.path.startswith("/api/session"):
            answer = await operation.ask(expendable.ids).send(expendable.owner)
            findings.judge(operation, "bound to the neighbour", answer, ANY_ANSWER)
    monkeypatch.undo()

    assert len(SWAPPED) >= 10, "hand-written statements were reached"
    assert await contents(theirs) == before
    findings.close(f"hand-written statements bound to the neighbour ({len(SWAPPED)} statements)")

"""The demo's knowledge, and why the assistant answered as it did in the past days."""

from huitouke.kernel.context import job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.demo import DemoWorld
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.assistant import demo, queries
from huitouke.modules.conversations import demo as conversations_demo
from huitouke.modules.organization import demo as organization_demo
from huitouke.modules.organization import service as organization
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD


async def test_the_demo_has_sixty_entries_and_true_traces(running: tuple[Sandbox, str]) -> None:
    sandbox, address = running
    founded = await organization.found_tenant("拾光衣橱", f"demo-{new_id().hex}", Secret(PASSWORD))
    context = job_context(founded.tenant_id)
    world = DemoWorld(context, address, sandbox.address, {"owner_staff_id": founded.staff_id})
    await organization_demo.load(context, world)
    await conversations_demo.load(context, world)

    await demo.load(context, world)
    await demo.load(context, world)

    async with transaction(context) as ctx:
        assert len([entry async for entry in queries.all_entries(ctx)]) == 60
        traces = (await queries.traces(ctx, None, None, 100)).items
    assert len(traces) >= 12
    assert all(trace.message_id is not None and trace.answer for trace in traces)
    assert {trace.decision for trace in traces} == {"answered"}

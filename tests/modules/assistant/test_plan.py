"""The assistant within the plan: it counts what the model costs, and is silent where the plan is over."""

from huitouke.kernel import plans
from huitouke.kernel.database import transaction
from huitouke.kernel.plans.service import quota_named, used_now
from tests.modules.assistant.conftest import Counter
from tests.support.plans import give_limits, let_expire


async def used(counter: Counter) -> int:
    async with transaction(counter.context) as ctx:
        return await used_now(ctx, quota_named("ai_tokens"))


async def test_what_the_model_read_and_wrote_is_counted(counter: Counter) -> None:
    await counter.use_model()
    await counter.asks("茶歇裙多少钱")
    assert await used(counter) > 50


async def test_without_tokens_left_the_knowledges_own_words_remain(counter: Counter) -> None:
    await counter.use_model()
    await give_limits(counter.context.tenant_id, "assistant", ai_tokens=1)
    async with transaction(counter.context) as ctx:
        await plans.spend(ctx, "ai_tokens", 5)

    assert "329" in await counter.asks("茶歇裙多少钱")
    assert await used(counter) == 5


async def test_where_the_plan_is_over_customers_are_heard_and_nobody_answers_by_itself(counter: Counter) -> None:
    await let_expire(counter.context.tenant_id)
    await counter.asks("茶歇裙多少钱")

    assert await counter.answers() == []
    assert "茶歇裙多少钱" in [message.text for message in await counter.desk.messages()]


async def test_a_plan_without_the_assistant_has_it_silent(counter: Counter) -> None:
    await give_limits(counter.context.tenant_id)
    await counter.asks("茶歇裙多少钱")
    assert await counter.answers() == []

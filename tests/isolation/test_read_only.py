"""A merchant whose plan is over: every operation that changes something is refused, save what is named here."""

from huitouke.kernel.plans.standing import forget_standing
from tests.isolation.neighbours import Merchant
from tests.support.http import signed_in_client
from tests.support.operations import UNSAFE, operations
from tests.support.plans import give_plan, let_expire
from tests.support.world import World

ALSO_EXPIRED = {
    "session_sign_in",
    "session_sign_out",
    "session_change",
    "session_change_password",
    "session_end",
    "session_end_others",
    "session_look_at_link",
    "session_use_link",
    "session_second_step",
    "session_begin_second_factor",
    "session_confirm_second_factor",
    "session_renew_recovery_codes",
    "session_turn_off_second_factor",
    "session_sign_up",
    "wecom_door_way",
    "wecom_door_sign_in",
    "organization_look_at_handed",
    "organization_answer_handed",  # nobody's link here; of a real one the answer is refused, see test_ledger
    "support_grant",
    "support_refuse",
    "support_end",
    "audit_export",
    "customers_export_refusals",
    "customers_reveal_phone",
    "conversations_read",
    "notices_read",
    "notices_read_all",
    "session_forgotten",
    "notices_forget_email",
    "notices_choose",
    "notices_set_quiet",
}
"""One's own account and its safety, who may look in, taking data out, and marking what was read."""


async def test_everything_that_changes_something_is_refused_and_everything_else_goes_on(mine: Merchant) -> None:
    tenant_id = mine.desk.context.tenant_id
    refused, let_through = set(), set()
    try:
        # Somebody else than the owner whose client other tests use: these operations end sessions.
        async with signed_in_client(World(tenant_id, mine.desk.context), role="owner") as owner:
            await let_expire(tenant_id)
            for operation in operations():
                if operation.id == "session_sign_out":
                    continue
                answer = await operation.ask(mine.ids).send(owner)
                if operation.method in UNSAFE:
                    kind = answer.json().get("type") if answer.content else None
                    (refused if kind == "/problems/tenant_read_only" else let_through).add(operation.id)
                else:
                    assert answer.status_code == 200, (operation.id, answer.text)
    finally:
        await give_plan(tenant_id, None)
        forget_standing()
    assert let_through | {"session_sign_out"} == ALSO_EXPIRED
    assert len(refused) >= 30

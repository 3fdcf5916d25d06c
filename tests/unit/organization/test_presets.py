"""What the ready-made roles may do: said by the modules, the same as ever for those that were there before."""

import pytest

from huitouke.kernel.modules import Module, ModuleError, Modules, Permission, assemble, load_modules
from huitouke.modules.organization.service.roles import OWN, PRESET_NAMES, permissions_of


def before_presets(role: str, registered: frozenset[str]) -> frozenset[str]:
    """The rule by which the three roles of the first release were read off the permissions' names."""
    if role in ("owner", "administrator"):
        return registered
    hidden = {"organization.view", "audit.view", "work.view", "plan.view"}
    return frozenset(
        name for name in registered - hidden if name.rpartition(".")[2] in ("view", "reply") or name == "customers.edit"
    )


@pytest.mark.parametrize("role", ["owner", "administrator", "agent"])
def test_the_roles_of_the_first_release_may_do_what_they_always_could(role: str) -> None:
    modules = load_modules()

    assert permissions_of(role, modules) == before_presets(role, modules.permissions())


def test_a_manager_runs_the_shop_and_leaves_the_organization_alone() -> None:
    granted = permissions_of("manager", load_modules())

    assert {"conversations.manage", "customers.edit", "assistant.manage", "audit.view", "organization.view"} <= granted
    assert not granted & {"organization.manage", "work.manage"}


def test_an_operator_works_with_knowledge_customers_and_conversations() -> None:
    granted = permissions_of("operator", load_modules())

    assert {"conversations.reply", "customers.edit", "assistant.manage"} <= granted
    assert not granted & {"conversations.manage", "organization.view", "audit.view"}


def test_an_analyst_only_looks() -> None:
    granted = permissions_of("analyst", load_modules())

    assert granted
    assert {name.rpartition(".")[2] for name in granted} == {"view"}


def test_a_cashier_knows_customers_and_nothing_else() -> None:
    assert permissions_of("cashier", load_modules()) == {"customers.view", "customers.edit"}


def test_a_permission_that_names_no_preset_is_for_owners_and_administrators() -> None:
    modules = Modules((Module("raffle", permissions=(Permission("raffle.draw"),)),))

    allowed = {role for role in PRESET_NAMES if permissions_of(role, modules)}
    assert allowed == {"owner", "administrator"}


def test_an_own_role_allows_what_its_row_names_and_a_module_still_offers() -> None:
    modules = Modules((Module("raffle", permissions=(Permission("raffle.draw"), Permission("raffle.view"))),))

    assert permissions_of(OWN, modules, ["raffle.draw", "gone.view"]) == {"raffle.draw"}
    assert permissions_of(OWN, modules) == frozenset()


def test_a_preset_that_does_not_exist_is_an_error_at_start() -> None:
    typo = Permission("raffle.draw", presets=("cashiers",))  # type: ignore[arg-type]  # the typo is the case

    with pytest.raises(ModuleError, match="cashiers"):
        assemble([Module("raffle", permissions=(typo,))])

"""`huitouke operator …` and what an operator does to merchants from the machine: `huitouke tenant list|suspend|…`."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

from sqlalchemy import select

from huitouke.installation import with_database
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import CommandError
from huitouke.kernel.operators import signing_in
from huitouke.kernel.operators.log import Doer
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.settings import Settings
from huitouke.kernel.tenancy import Tenant

MAX_LISTED: Final = 1_000

Run: TypeAlias = Callable[[argparse.Namespace, Settings], int | None]
MakeCommand: TypeAlias = Callable[[Any, str, Run, str], argparse.ArgumentParser]


def add_operator_commands(operators: Any, command: MakeCommand) -> None:
    """`huitouke operator add|remove NAME`."""
    adding = command(operators, "add", _add, "let somebody run this installation, at /operator")
    adding.add_argument("name", help="the sign-in name; a new account is made where nobody has it")
    adding.add_argument("--password", help="of a new account; asked for when missing")
    removing = command(operators, "remove", _remove, "take that right away; the account stays")
    removing.add_argument("name", help="the sign-in name")


def add_tenant_commands(tenants: Any, command: MakeCommand) -> None:
    """`huitouke tenant list|suspend|restore|close`."""
    listing = command(tenants, "list", _list, "list the merchants with state and plan")
    listing.add_argument("--state", choices=("active", "suspended", "closed"), help="only these")
    for step, text in (
        ("suspend", "lock a merchant's people out; customers are still received"),
        ("restore", "let the people of a suspended or closed merchant in again"),
        ("close", "close a merchant; its data are kept"),
    ):
        moving = command(tenants, step, _move, text)
        moving.add_argument("tenant", help="the merchant's id, as `tenant list` prints it")
        if step != "restore":
            moving.add_argument("--reason", required=True, help="what its people are told")
        if step == "close":
            moving.add_argument("--yes", action="store_true", help="don't ask")
        moving.set_defaults(step=step)


def _add(options: argparse.Namespace, settings: Settings) -> None:
    async def known() -> bool:
        return await signing_in.is_known(options.name)

    password: Secret | None = None
    if not with_database(settings, known):
        password = Secret(options.password or getpass.getpass(f"Password of the new account {options.name}: "))
    made = with_database(settings, lambda: signing_in.add_operator(options.name, password))
    account = "a new account" if made else "with the password they have"
    print(f"{options.name} runs this installation now ({account}): {settings.public_url}/operator")


def _remove(options: argparse.Namespace, settings: Settings) -> None:
    if not with_database(settings, lambda: signing_in.remove_operator(options.name)):
        raise CommandError(f"{options.name} is no operator")
    print(f"{options.name} runs this installation no more")


def _list(options: argparse.Namespace, settings: Settings) -> None:
    async def rows() -> list[tuple[Tenant, str | None]]:
        query = select(Tenant, Plan.name).outerjoin(Plan, Plan.id == Tenant.plan_id).order_by(Tenant.id)
        if options.state is not None:
            query = query.where(Tenant.state == options.state)
        async with platform_transaction() as session:
            return [(tenant, plan) for tenant, plan in await session.execute(query.limit(MAX_LISTED))]

    for tenant, plan in with_database(settings, rows):
        until = f" until {tenant.plan_expires_at:%Y-%m-%d}" if tenant.plan_expires_at is not None else ""
        print(f"{tenant.id}  {tenant.state:<9}  {plan or '-'}{until}  {tenant.name}")


def _move(options: argparse.Namespace, settings: Settings) -> None:
    # What is done to a tenant is organization's rule; the other commands do without that module.
    from huitouke.modules.organization.service import tenants

    try:
        tenant_id = UUID(options.tenant)
    except ValueError as error:
        raise CommandError(f"{options.tenant!r} is no merchant's id; see: huitouke tenant list") from error
    step = cast(tenants.Step, options.step)
    if step == "close" and not options.yes and input(f"close {tenant_id}? Type its id to go on: ") != str(tenant_id):
        raise CommandError("nothing was closed")
    reason = getattr(options, "reason", None)
    with_database(settings, lambda: tenants.move_tenant(Doer(), tenant_id, step, reason))
    print(f"{tenant_id} is {tenants.DONE[step]}")

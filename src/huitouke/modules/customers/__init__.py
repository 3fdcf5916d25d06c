"""Customers: one person across channels."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.modules import MenuEntry, Permission, SurfaceRouter
    from huitouke.kernel.plans import Quota
    from huitouke.modules.customers import console, queries
    from huitouke.modules.customers.events import CustomerChanged, CustomerCreated
    from huitouke.modules.customers.models import Customer, CustomerIdentity

    folder = Path(__file__).parent
    return Module(
        name="customers",
        requires=("organization",),
        routers=(SurfaceRouter("console", console.router),),
        permissions=(
            Permission("customers.view", presets=("manager", "operator", "agent", "analyst", "cashier")),
            Permission("customers.edit", presets=("manager", "operator", "agent", "cashier")),
        ),
        menu=(MenuEntry("customers", "/customers", "user", "customers.view", 20),),
        quotas=(Quota("contacts", count=queries.contacts),),
        events=(CustomerCreated, CustomerChanged),
        models=(Customer, CustomerIdentity),
        migrations=folder / "migrations",
        locales=folder / "locales",
    )

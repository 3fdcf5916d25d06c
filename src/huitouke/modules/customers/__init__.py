"""Customers: one person across channels."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.masking import CONTACTS
    from huitouke.kernel.modules import MenuEntry, Permission, SurfaceRouter
    from huitouke.kernel.outreach import OUTREACH_CHECKS, OUTREACH_NOTES
    from huitouke.kernel.plans import Quota
    from huitouke.kernel.scoping import Scoped
    from huitouke.modules.customers import console, models, privacy_console, queries, reactions, service, today
    from huitouke.modules.customers.events import CustomerChanged, CustomerCreated, MarketingAllowed, MarketingRefused
    from huitouke.modules.customers.models import Customer, CustomerFollower, CustomerIdentity
    from huitouke.modules.customers.service import scope
    from huitouke.modules.organization.service import TODAY

    folder = Path(__file__).parent
    return Module(
        name="customers",
        requires=("organization",),
        routers=(SurfaceRouter("console", console.router), SurfaceRouter("console", privacy_console.router)),
        permissions=(
            Permission("customers.view", presets=("manager", "operator", "agent", "analyst", "cashier")),
            Permission("customers.edit", presets=("manager", "operator", "agent", "cashier")),
            Permission(CONTACTS, presets=("manager",), visitors=False),
            Permission(privacy_console.PRIVACY, presets=("manager",), visitors=False),
        ),
        menu=(MenuEntry("customers", "/customers", "user", "customers.view", 20, simple="main"),),
        quotas=(Quota("contacts", count=queries.contacts),),
        events=(CustomerCreated, CustomerChanged, MarketingRefused, MarketingAllowed),
        handlers=reactions.HANDLERS,
        models=(
            Customer,
            CustomerIdentity,
            CustomerFollower,
            models.MarketingRefusal,
            models.MarketingMessage,
            models.PrivacySettings,
        ),
        extensions={
            OUTREACH_CHECKS: (service.unwanted,),
            OUTREACH_NOTES: (service.note_marketing,),
            TODAY: today.PARTS,
        },
        scoped=(
            Scoped(Customer, scope.customer_in_scope, hint="customer", owners=service.owners),
            Scoped(CustomerIdentity, scope.identity_in_scope),
            Scoped(CustomerFollower, scope.follower_in_scope),
            Scoped(models.MarketingRefusal, scope.refusal_in_scope),
            Scoped(models.MarketingMessage, scope.offer_in_scope),
        ),
        migrations=folder / "migrations",
        locales=folder / "locales",
    )

"""Staff, WeCom apps and what people may do."""

from huitouke.kernel.modules import Module

SETTINGS = ("organization.view", "organization.manage", "work.manage", "audit.view")
"""Any one of them opens a page of the settings."""


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.modules import PROCESS_END, MenuEntry, Permission, SurfaceRouter
    from huitouke.modules.organization import console, demo, people_console, reactions, service
    from huitouke.modules.organization.callbacks import WecomCallbacks
    from huitouke.modules.organization.models import (
        AccessToken,
        AddressBook,
        AddressBookPerson,
        Department,
        OwnRole,
        RoleDepartment,
        Staff,
        StaffDepartment,
        StaffImport,
        WecomApp,
    )

    folder = Path(__file__).parent
    return Module(
        name="organization",
        routers=(SurfaceRouter("console", console.router), SurfaceRouter("console", people_console.router)),
        permissions=(Permission("organization.view", presets=("manager",)), Permission("organization.manage")),
        menu=(MenuEntry("settings", "/settings", "settings", SETTINGS, 90),),
        callback_kinds=(WecomCallbacks(),),
        access_resolver=service.resolve_access,
        extensions={PROCESS_END: (service.close_clients,), service.EVENT_ROUTES: reactions.ROUTES},
        runners=reactions.RUNNERS,
        jobs=reactions.JOBS,
        schedules=reactions.SCHEDULES,
        models=(
            OwnRole,
            Department,
            RoleDepartment,
            Staff,
            StaffDepartment,
            WecomApp,
            AccessToken,
            AddressBook,
            AddressBookPerson,
            StaffImport,
        ),
        migrations=folder / "migrations",
        locales=folder / "locales",
        demo=demo.load,
    )

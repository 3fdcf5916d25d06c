"""Staff, WeCom apps and what people may do."""

from huitouke.kernel.modules import Module

SETTINGS = ("organization.view", "organization.manage", "work.manage", "audit.view", "plan.view", "support.manage")
"""Any one of them opens a page of the settings."""


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.access.links import LINK_USED
    from huitouke.kernel.audit import AuditEntry
    from huitouke.kernel.modules import PROCESS_END, MenuEntry, Permission, SurfaceRouter
    from huitouke.kernel.plans import Feature, Quota
    from huitouke.kernel.processors import PROCESSORS
    from huitouke.kernel.scoping import Scoped
    from huitouke.modules.organization import (
        company_console,
        console,
        demo,
        events,
        ledger_console,
        notices_console,
        operator,
        people_console,
        reactions,
        service,
        sign_in_console,
        start_console,
        support,
    )
    from huitouke.modules.organization.callbacks import WecomCallbacks
    from huitouke.modules.organization.models import (
        AccessToken,
        AddressBook,
        AddressBookPerson,
        CallFailure,
        CompanyProfile,
        Department,
        Onboarding,
        OwnRole,
        PrerequisiteState,
        RoleDepartment,
        Staff,
        StaffDepartment,
        StaffImport,
        WecomApp,
        WecomDoor,
    )
    from huitouke.modules.organization.notice_models import (
        AddressCode,
        GroupRobot,
        NoticeChoice,
        NoticeDelivery,
        NoticeSettings,
        StaffNotice,
    )
    from huitouke.modules.organization.prerequisites import PREREQUISITES
    from huitouke.modules.organization.prerequisites.built_in import BUILT_IN
    from huitouke.modules.organization.service.notifying import NOTICE_CHANNELS, NOTICE_KINDS
    from huitouke.modules.organization.service.notifying.channels import CHANNELS
    from huitouke.modules.organization.service.notifying.kinds import BUILT_IN as BUILT_IN_KINDS
    from huitouke.modules.organization.service.sms import processor
    from huitouke.modules.organization.service.sms_news import SmsCallbacks
    from huitouke.modules.organization.service.staff import tell_joined
    from huitouke.modules.organization.service.today import PARTS, TODAY
    from huitouke.modules.organization.sms_models import SmsAccount, SmsMessage, SmsReplyRow

    folder = Path(__file__).parent
    return Module(
        name="organization",
        routers=(
            SurfaceRouter("console", console.router),
            SurfaceRouter("console", people_console.router),
            SurfaceRouter("console", sign_in_console.router),
            SurfaceRouter("console", start_console.router),
            SurfaceRouter("console", support.router),
            SurfaceRouter("console", ledger_console.router),
            SurfaceRouter("console", company_console.router),
            SurfaceRouter("console", notices_console.router),
            SurfaceRouter("operator", operator.router),
        ),
        permissions=(
            Permission("organization.view", presets=("manager",)),
            Permission("organization.manage", visitors=False),
            Permission("support.manage", visitors=False),
        ),
        menu=(
            MenuEntry("today", "/today", "today", start_console.TODAY_PERMISSIONS, 5, simple="only"),
            MenuEntry("activities", "/activities", "gift", "organization.manage", 25, simple="only"),
            MenuEntry("settings", "/settings", "settings", SETTINGS, 90),
        ),
        events=(events.SmsReplied,),
        callback_kinds=(WecomCallbacks(), SmsCallbacks()),
        access_resolver=service.resolve_access,
        features=(Feature("own_roles"),),
        quotas=(Quota("seats", count=service.seats_taken),),
        extensions={
            PROCESS_END: (service.close_clients,),
            service.EVENT_ROUTES: reactions.ROUTES,
            TODAY: PARTS,
            PREREQUISITES: BUILT_IN,
            LINK_USED: (tell_joined,),
            NOTICE_CHANNELS: CHANNELS,
            NOTICE_KINDS: BUILT_IN_KINDS,
            PROCESSORS: (processor,),
        },
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
            WecomDoor,
            AccessToken,
            AddressBook,
            AddressBookPerson,
            StaffImport,
            Onboarding,
            PrerequisiteState,
            CallFailure,
            CompanyProfile,
            GroupRobot,
            StaffNotice,
            NoticeDelivery,
            NoticeChoice,
            NoticeSettings,
            AddressCode,
            SmsAccount,
            SmsMessage,
            SmsReplyRow,
        ),
        scoped=(Scoped(AuditEntry, service.audit_in_scope),),
        migrations=folder / "migrations",
        locales=folder / "locales",
        demo=demo.load,
    )

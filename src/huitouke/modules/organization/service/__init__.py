"""The rules of the organization. Other modules import from here and nowhere deeper."""

from huitouke.modules.organization.diagnosis import mistake, named_check
from huitouke.modules.organization.prerequisites import PREREQUISITES, Found, Prerequisite
from huitouke.modules.organization.prerequisites.registry import Usual
from huitouke.modules.organization.service.checks import Check, CheckState, check_wecom_app, failed_check
from huitouke.modules.organization.service.clients import close_clients, wecom_client
from huitouke.modules.organization.service.event_routes import EVENT_ROUTES, WecomEventRoute, callback_fields
from huitouke.modules.organization.service.granting import held
from huitouke.modules.organization.service.industries import CHAT_DOORS, INDUSTRY_KEYS, INDUSTRY_PARTS, ChatDoor, Shop
from huitouke.modules.organization.service.notifying import (
    NOTICE_CHANNELS,
    NOTICE_KINDS,
    Holders,
    NoticeChannel,
    NoticeKind,
    NotSent,
    People,
    Recipients,
    tell,
)
from huitouke.modules.organization.service.onboarding import chat_page
from huitouke.modules.organization.service.own_roles import RoleChange, create_role, delete_role, update_role
from huitouke.modules.organization.service.prerequisites import check_prerequisite
from huitouke.modules.organization.service.scopes import audit_in_scope, of_people_in, owners_of, people_in, sees
from huitouke.modules.organization.service.sms import SmsReply, queue_sms, sms_replies
from huitouke.modules.organization.service.staff import (
    Founded,
    NewStaff,
    StaffChange,
    StaffContact,
    active_staff_names,
    add_staff,
    found_tenant,
    names_by_wecom_userid,
    remove_second_step,
    resolve_access,
    seats_taken,
    staff_link,
    staff_names,
    staff_of_wecom_userid,
    staff_to_notify,
    update_staff,
)
from huitouke.modules.organization.service.today import TODAY, Day, TodayLine, TodayPart
from huitouke.modules.organization.service.wecom_apps import (
    NewWecomApp,
    WecomAppChange,
    create_wecom_app,
    delete_wecom_app,
    update_wecom_app,
    wecom_app,
    wecom_apps,
)
from huitouke.modules.organization.service.wecom_sign_in import close_door, door_addresses, open_door

__all__ = [
    "CHAT_DOORS",
    "EVENT_ROUTES",
    "INDUSTRY_KEYS",
    "INDUSTRY_PARTS",
    "NOTICE_CHANNELS",
    "NOTICE_KINDS",
    "PREREQUISITES",
    "TODAY",
    "ChatDoor",
    "Check",
    "CheckState",
    "Day",
    "Found",
    "Founded",
    "Holders",
    "NewStaff",
    "NewWecomApp",
    "NotSent",
    "NoticeChannel",
    "NoticeKind",
    "People",
    "Prerequisite",
    "Recipients",
    "RoleChange",
    "Shop",
    "SmsReply",
    "StaffChange",
    "StaffContact",
    "TodayLine",
    "TodayPart",
    "Usual",
    "WecomAppChange",
    "WecomEventRoute",
    "active_staff_names",
    "add_staff",
    "audit_in_scope",
    "callback_fields",
    "chat_page",
    "check_prerequisite",
    "check_wecom_app",
    "close_clients",
    "close_door",
    "create_role",
    "create_wecom_app",
    "delete_role",
    "delete_wecom_app",
    "door_addresses",
    "failed_check",
    "found_tenant",
    "held",
    "mistake",
    "named_check",
    "names_by_wecom_userid",
    "of_people_in",
    "open_door",
    "owners_of",
    "people_in",
    "queue_sms",
    "remove_second_step",
    "resolve_access",
    "seats_taken",
    "sees",
    "sms_replies",
    "staff_link",
    "staff_names",
    "staff_of_wecom_userid",
    "staff_to_notify",
    "tell",
    "update_role",
    "update_staff",
    "update_wecom_app",
    "wecom_app",
    "wecom_apps",
    "wecom_client",
]

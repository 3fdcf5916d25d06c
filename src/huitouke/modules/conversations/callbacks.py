"""Which runner wakes up for which of WeCom's callbacks; the kind of callback itself is the organization's."""

from collections.abc import Mapping
from typing import Final

from huitouke.modules.conversations.service.accounts import ACCOUNTS_RUNNER, SYNC_RUNNER
from huitouke.modules.conversations.service.handling import CARD_RUNNER
from huitouke.modules.conversations.service.notices import handover_of_task
from huitouke.modules.organization.service import WecomEventRoute


def _open_kfid(fields: Mapping[str, str]) -> str | None:
    return fields.get("OpenKfId") or None


def _handover_id(fields: Mapping[str, str]) -> str | None:
    return handover_of_task(fields.get("TaskId", ""))


ROUTES: Final = (
    WecomEventRoute("kf_msg_or_event", SYNC_RUNNER, _open_kfid),
    WecomEventRoute("template_card_event", CARD_RUNNER, _handover_id),
    WecomEventRoute("kf_account_auth_change", ACCOUNTS_RUNNER),
)

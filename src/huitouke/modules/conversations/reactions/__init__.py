"""What conversations do by themselves: runners, jobs and schedules, each outside of a transaction of its own."""

from typing import Final

from huitouke.kernel.events import Handler
from huitouke.kernel.work import Job, Runner, Schedule
from huitouke.modules.conversations.reactions.accounts import look_at_accounts, look_at_accounts_later
from huitouke.modules.conversations.reactions.delivering import send, send_later
from huitouke.modules.conversations.reactions.failures import tell_of_failures
from huitouke.modules.conversations.reactions.media import fetch_media, fetch_media_later
from huitouke.modules.conversations.reactions.notices import bring_card_up_to_date, notify_handover
from huitouke.modules.conversations.reactions.profiles import fetch_profiles
from huitouke.modules.conversations.reactions.sessions import end_session, give_to_servicer, refresh_session
from huitouke.modules.conversations.reactions.syncing import pull_all, sync, sync_later

RUNNERS: Final[tuple[Runner, ...]] = (
    sync,
    send,
    fetch_media,
    notify_handover,
    bring_card_up_to_date,
    look_at_accounts,
)
JOBS: Final[tuple[Job, ...]] = (
    sync_later,
    send_later,
    look_at_accounts_later,
    fetch_media_later,
    fetch_profiles,
    give_to_servicer,
    end_session,
    refresh_session,
)
HANDLERS: Final[tuple[Handler, ...]] = (tell_of_failures,)
SCHEDULES: Final[tuple[Schedule, ...]] = (pull_all,)

"""What people can be told of, as modules declare it."""

from dataclasses import dataclass
from typing import Final

from huitouke.kernel.modules import load_modules

NOTICE_KINDS: Final = "organization.notice_kinds"
"""Registry of `NoticeKind`."""

CONSOLE: Final = "console"
WECOM_APP: Final = "wecom_app"
GROUP_ROBOT: Final = "group_robot"
EMAIL: Final = "email"
SMS: Final = "sms"

TEXT: Final = "@"
"""An argument that begins with this names a text, which everybody reads in their own language."""


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """Something that people are told of, e.g. `organization.app_failing`.

    Texts: `notices.<name>` in the list of choices, `notices.<name>.title` and, where there is more to say,
    `notices.<name>.text`; both are filled with the notice's arguments.
    """

    name: str
    permission: str | None = None
    """Who lacks it is not told, and isn't offered the choice."""
    channels: frozenset[str] = frozenset({CONSOLE, WECOM_APP})
    """Those that are on where a person chose nothing."""
    urgent: bool = False
    """Told in quiet hours as well."""
    to_groups: bool = True
    """Whether robots may tell groups of it: not what is for one person."""
    listed: bool = True
    """Whether people choose about it."""


TEST: Final = NoticeKind("organization.notice_test", urgent=True, to_groups=True, listed=False)
APP_FAILING: Final = NoticeKind("organization.app_failing", "organization.manage", urgent=True)
APP_RESTORED: Final = NoticeKind("organization.app_restored", "organization.manage")
BOOK_ASKS: Final = NoticeKind("organization.book_asks", "organization.manage")
STAFF_INVITED: Final = NoticeKind("organization.staff_invited", "organization.manage", frozenset({CONSOLE}))
STAFF_JOINED: Final = NoticeKind("organization.staff_joined", "organization.manage", frozenset({CONSOLE}))
DEAD_LETTERS: Final = NoticeKind("organization.dead_letters", "work.manage")
PLAN_USED: Final = NoticeKind("organization.plan_used", "plan.view")
PLAN_ENDING: Final = NoticeKind("organization.plan_ending", "plan.view", frozenset({CONSOLE, WECOM_APP, EMAIL}))

BUILT_IN: Final = (
    APP_FAILING,
    APP_RESTORED,
    BOOK_ASKS,
    DEAD_LETTERS,
    PLAN_USED,
    PLAN_ENDING,
    STAFF_INVITED,
    STAFF_JOINED,
    TEST,
)


def all_kinds() -> tuple[NoticeKind, ...]:
    """What the loaded modules declare, in their order."""
    return tuple(load_modules().extensions(NOTICE_KINDS))


def kind_named(name: str) -> NoticeKind | None:
    """The kind of that name; None for one whose module is not there (any more)."""
    return next((kind for kind in all_kinds() if kind.name == name), None)

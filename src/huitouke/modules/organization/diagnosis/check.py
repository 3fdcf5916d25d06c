"""One line of a live check, and how a mistake becomes one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from huitouke.kernel.context import Context
from huitouke.kernel.locales import translate
from huitouke.modules.organization.diagnosis.mistakes import Mistake, of_error, values_of
from huitouke.wechat.errors import WecomError

CheckState = Literal["ok", "failed", "waiting", "optional"]
"""`optional`: not there, and not needed as things are set."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A value that the cure has one copy. `value` None: it stands with the app and is not repeated here."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One step: `message` says what was found, `fix` what to do about it (empty when nothing).

    `mistake` is its key in the table of mistakes and `step` the step of the guided way that cures it; both are empty
    where nothing is wrong, or where WeCom gave a code that has no row. `place`: where in WeCom's admin console.
    """

    name: str
    state: CheckState
    message: str
    fix: str = ""
    mistake: str = ""
    step: str = ""
    place: str = ""
    values: tuple[Copied, ...] = ()


def named_check(
    context: Context,
    name: str,
    found: Mistake,
    values: Mapping[str, str] | None = None,
    state: CheckState | None = None,
) -> Check:
    """The line of that mistake. `values` are known here; others of its values stand with the app."""
    known = dict(values or {})
    key = f"organization.mistakes.{found.key}"
    return Check(
        name,
        state or found.weight,
        translate(context.locale, key, **known),
        translate(context.locale, f"{key}.fix", **known),
        mistake=found.key,
        step=found.step,
        place=translate(context.locale, f"{key}.place") if found.place else "",
        values=tuple(Copied(one, known.get(one)) for one in found.values if one in known or one in APPS_OWN),
    )


APPS_OWN = frozenset({"corp_id", "agent_id", "callback_url", "callback_token", "callback_aes_key"})
"""Values that the app's own page shows: they are named here and not repeated, for what is found is kept."""


def failed_check(context: Context, name: str, error: WecomError) -> Check:
    """A step that WeCom refused: the mistake behind it, else the code's own sentence."""
    found = of_error(error)
    if found is not None:
        return named_check(context, name, found, values_of(found, error), "failed")
    return Check(
        name,
        "failed",
        translate(context.locale, "organization.checks.refused", code=error.errcode or error.reason or ""),
        error.explain(context.locale),
    )

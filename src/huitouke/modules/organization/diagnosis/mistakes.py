"""The table of mistakes. A row says how it is recognised; its sentence, cure and place stand in the locales.

    organization.mistakes.<key>        what is wrong, in one sentence
    organization.mistakes.<key>.fix    what to do about it
    organization.mistakes.<key>.place  where in WeCom's admin console; absent where it is cured elsewhere

Codes: wechat-api.md §1.1, §1.3, §1.15. A row with `calls` holds only for calls whose path begins so, and goes before
one without. `found` names what a look of our own finds: at the address, the clock, the people.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from huitouke.wechat.errors import IpNotTrusted, TransportReason, WecomError

Step = Literal["credentials", "callback", "rights", "account", "try", "company"]
"""The step of the guided way at which the mistake is cured; `company` stands in the company's profile."""

Weight = Literal["failed", "waiting", "optional"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that people get wrong. `values`: what the cure has them copy, by name."""

    key: str
    step: Step
    codes: tuple[int, ...] = ()
    calls: tuple[str, ...] = ()
    reasons: tuple[TransportReason, ...] = ()
    refusals: tuple[str, ...] = ()
    found: str = ""
    values: tuple[str, ...] = ()
    place: bool = True
    weight: Weight = "failed"


def _cured_here(key: str, step: Step, **how: object) -> Mistake:
    return Mistake(key, step, place=False, **how)  # type: ignore[arg-type]


_CREDENTIALS: Final = (
    Mistake("wrong_corp_id", "credentials", codes=(40013, 41002), values=("corp_id",)),
    Mistake("wrong_secret", "credentials", codes=(40001, 41004)),
    Mistake("secret_of_another_corp", "credentials", codes=(40091,), values=("corp_id",)),
    Mistake("secret_of_another_app", "credentials", codes=(301002, 40056), values=("agent_id",)),
    Mistake("secret_of_contacts", "credentials", codes=(48002, 48009), calls=("agent/",)),
    Mistake("app_disabled", "credentials", codes=(50003,), found="app_closed"),
    _cured_here("clock_wrong", "credentials", found="clock"),
    _cured_here(
        "wecom_unreachable",
        "credentials",
        reasons=(TransportReason.CONNECT, TransportReason.TIMEOUT, TransportReason.BROKEN),
    ),
    _cured_here("answer_not_wecoms", "credentials", reasons=(TransportReason.NOT_JSON, TransportReason.NOT_FOUND)),
    _cured_here("wecom_down", "credentials", codes=(-1,), reasons=(TransportReason.SERVER_ERROR,)),
    _cured_here("too_many_calls", "credentials", codes=(45009, 45033)),
)

_RIGHTS: Final = (
    Mistake("ip_not_trusted", "rights", codes=(60020, 301042), values=("ip",)),
    Mistake("ip_changed", "rights", found="ip_changed", values=("ip", "old_ip")),
    Mistake("range_empty", "rights", found="range_empty"),
    Mistake("app_not_callable", "rights", codes=(48002,), calls=("kf/",)),
    Mistake("trusted_domain_other", "rights", found="trusted_domain", values=("host",)),
    Mistake("cards_out_of_range", "rights", codes=(81013,), found="cards_out_of_range"),
)

_CALLBACK: Final = (
    Mistake("callback_wrong_token", "callback", refusals=("bad_signature",), values=("callback_token", "callback_url")),
    Mistake("callback_wrong_aes_key", "callback", refusals=("bad_ciphertext",), values=("callback_aes_key",)),
    Mistake("callback_wrong_corp", "callback", refusals=("bad_receive_id",), values=("corp_id",)),
    _cured_here(
        "callback_altered",
        "callback",
        refusals=("bad_xml", "body_too_large", "too_large", "unreadable", "bad_query", "query_too_long"),
    ),
    _cured_here("callback_cut_off", "callback", refusals=("disconnected", "too_slow")),
    _cured_here("address_private", "callback", found="private", values=("host",)),
    _cured_here("address_unknown", "callback", found="unknown", values=("host",)),
    _cured_here("address_unreachable", "callback", found="unreachable", values=("host",), weight="waiting"),
    _cured_here("address_insecure", "callback", found="insecure", values=("callback_url",), weight="optional"),
    _cured_here("address_redirects", "callback", found="redirects", values=("goes_to",)),
    _cured_here("address_guarded", "callback", found="guarded", values=("callback_url",)),
    _cured_here("address_elsewhere", "callback", found="elsewhere", values=("callback_url",)),
    _cured_here("gateway_failing", "callback", found="gateway", values=("callback_url",)),
    _cured_here("domain_not_filed", "callback", found="not_filed", values=("host",)),
    _cured_here("certificate_invalid", "callback", found="certificate", values=("host",)),
    _cured_here("certificate_of_another", "callback", found="certificate_name", values=("host",)),
    _cured_here("certificate_expired", "callback", found="certificate_expired", values=("host",)),
    _cured_here("certificate_expiring", "callback", found="certificate_expiring", weight="optional"),
)

_ACCOUNT: Final = (
    Mistake("account_missing", "account", codes=(95000, 95004), found="account_missing"),
    Mistake("account_not_managed", "account", codes=(48007,), found="account_not_managed"),
    Mistake("account_in_another_mode", "account", codes=(95011, 95012, 95017)),
    Mistake("company_not_verified", "account", codes=(95003, 95027)),
    _cured_here("servicers_none", "try", found="servicers_none"),
    _cured_here("servicers_stopped", "try", found="servicers_stopped", values=("people",)),
    Mistake(
        "servicer_out_of_range", "try", codes=(60030, 60011, 60021), found="servicer_out_of_range", values=("people",)
    ),
    Mistake("servicer_not_activated", "try", codes=(95014,), found="servicer_not_activated", values=("people",)),
    Mistake("servicer_disabled", "try", found="servicer_disabled", values=("people",)),
    Mistake("servicer_left", "try", codes=(60111,), found="servicer_left", values=("people",)),
)

_COMPANY: Final = (
    _cured_here("entity_brackets", "company", found="entity_brackets", values=("entity",)),
    _cured_here("entity_differs", "company", found="entity_differs", values=("entity",)),
)

MISTAKES: Final[tuple[Mistake, ...]] = (*_CREDENTIALS, *_RIGHTS, *_CALLBACK, *_ACCOUNT, *_COMPANY)


def mistake(found: str) -> Mistake:
    """The mistake that a look of our own names so. Raises KeyError for a name that no row has."""
    return _by_finding()[found]


def of_error(error: WecomError) -> Mistake | None:
    """The mistake behind a call that WeCom refused or did not answer; None for a code that has no row."""
    if error.errcode is None:
        return next((one for one in MISTAKES if error.reason in one.reasons), None)
    fitting = [one for one in MISTAKES if error.errcode in one.codes]
    narrow = [one for one in fitting if any(error.path.startswith(call) for call in one.calls)]
    wide = [one for one in fitting if not one.calls]
    return next(iter([*narrow, *wide]), None)


def of_refusal(reason: str) -> Mistake | None:
    """The mistake behind a callback that we refused; None for a reason that has no row."""
    return next((one for one in MISTAKES if reason in one.refusals), None)


def values_of(one: Mistake, error: WecomError) -> dict[str, str]:
    """What the answer itself tells of the values to copy."""
    if "ip" in one.values and isinstance(error, IpNotTrusted) and error.ip is not None:
        return {"ip": error.ip}
    return {}


@lru_cache(maxsize=1)
def _by_finding() -> dict[str, Mistake]:
    return {one.found: one for one in MISTAKES if one.found}

"""What the channel says of itself, and that every failure has a sentence."""

import pytest

from huitouke.kernel import locales
from huitouke.kernel.modules import load_modules
from huitouke.modules.conversations.channels.wecom_kf import WecomKf, channel_error
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.handling import MOVES
from huitouke.wechat.errors import TransientError, TransportReason, error_for
from huitouke.wechat.kf_messages import SendFailType

load_modules()


def test_only_in_new_and_assistant_sessions_may_we_send() -> None:
    assert {state for state, rule in WecomKf.rules.sessions.states.items() if rule.may_send} == {0, 1}


@pytest.mark.parametrize(
    ("errcode", "final", "account"),
    [
        (95001, True, False),
        (95002, True, False),
        (95013, True, False),
        (95018, True, False),
        (95031, True, False),
        (40001, True, True),
        (60020, True, True),
        (48002, True, True),
        (-1, False, False),
        (45009, False, False),
        (45033, False, False),
    ],
)
def test_which_refusals_are_final_and_which_are_the_accounts_fault(errcode: int, final: bool, account: bool) -> None:
    error = channel_error(error_for(errcode, "", "kf/send_msg"))

    assert (error.code, error.final, error.account_at_fault) == (str(errcode), final, account)


def test_a_known_msgid_means_that_it_was_accepted_before() -> None:
    assert channel_error(error_for(95033, "", "kf/send_msg")).accepted_before


def test_a_time_out_may_have_happened_and_is_tried_again() -> None:
    lost = TransientError(None, "", "kf/send_msg", reason=TransportReason.TIMEOUT, may_have_happened=True)
    error = channel_error(lost)

    assert (error.code, error.final, error.may_have_happened) == ("timeout", False, True)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_reason_has_a_sentence(locale: str) -> None:
    known = locales.keys(locale)
    for name in dir(problems):
        problem = getattr(problems, name)
        if isinstance(problem, type) and getattr(problem, "__module__", "") == problems.__name__:
            assert f"problems.{problem.type}" in known
    for fail_type in SendFailType:
        assert f"conversations.failures.send_fail.{fail_type.value}" in known
    for code in ("timeout", "95001", "12345"):
        assert WecomKf().explain(code, locale)


def test_moves_lead_only_to_known_states() -> None:
    assert {move.to_state for move in MOVES.values()} <= {"open", "closed"}
    assert {move.to_handler for move in MOVES.values()} <= {"assistant", "agent", "servicer", None}

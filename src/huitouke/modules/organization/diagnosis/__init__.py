"""What goes wrong when WeCom is connected: every mistake we know has a name, how it is recognised, and its cure."""

from huitouke.modules.organization.diagnosis.check import Check, CheckState, Copied, failed_check, named_check
from huitouke.modules.organization.diagnosis.mistakes import MISTAKES, Mistake, Step, mistake

__all__ = [
    "MISTAKES",
    "Check",
    "CheckState",
    "Copied",
    "Mistake",
    "Step",
    "failed_check",
    "mistake",
    "named_check",
]

"""Plans enforce themselves: a module asks here whether this tenant may, and how much it still has.

A module names its features and quotas in its manifest; a plan opens features and limits quotas. A tenant without a
plan is limited by nothing: that is how a shop that runs its own installation begins.
"""

from huitouke.kernel.plans.kinds import Feature, Quota
from huitouke.kernel.plans.problems import OverQuota, PlanLacksFeature, TenantReadOnly
from huitouke.kernel.plans.service import allows, is_open, left, require, require_left, spend, use
from huitouke.kernel.plans.standing import Standing, standing_of

__all__ = [
    "Feature",
    "OverQuota",
    "PlanLacksFeature",
    "Quota",
    "Standing",
    "TenantReadOnly",
    "allows",
    "is_open",
    "left",
    "require",
    "require_left",
    "spend",
    "standing_of",
    "use",
]

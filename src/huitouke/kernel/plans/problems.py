"""Why something is refused that the plan doesn't cover; each sentence names the way up."""

from huitouke.kernel.errors import Conflict, InvalidInput, Problem


class PlanLacksFeature(Problem):
    """The tenant's plan doesn't open that; `feature` names it. 403: asking again in the same way is of no use."""

    status = 403
    type = "plan_lacks_feature"


class OverQuota(Conflict):
    """The plan's limit is reached; `quota`, `limit` and `used` say which and by how much.

    409 (RFC 9110, 15.5.10): the state of things conflicts with the wish, and the person can resolve that, by making
    room or by a larger plan, and ask again. 402 is reserved, and 403 would say that the person may not.
    """

    type = "over_quota"


class TenantReadOnly(Problem):
    """The plan's time is over: everything can be seen and taken out, nothing changed until it is renewed."""

    status = 403
    type = "tenant_read_only"


class PlanWithoutEnd(Conflict):
    """A change at the end of the period needs a period that ends."""

    type = "plans.without_end"


class PlanArchived(Conflict):
    """The plan is not given to anybody any more."""

    type = "plans.archived"


class PlanKeyTaken(Conflict):
    """Another plan has that key."""

    type = "plans.key_taken"


class PlanEndTooEarly(InvalidInput):
    """The new end lies in the past, or before the end of the period that goes before."""

    type = "plans.end_too_early"

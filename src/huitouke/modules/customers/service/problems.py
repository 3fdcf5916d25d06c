"""What may go wrong with customers."""

from huitouke.kernel.errors import Conflict, RateLimited


class PhoneTaken(Conflict):
    """Another customer has the number: `name` and `customer_id` say who."""

    type = "customers.phone_taken"


class PhoneTakenByAnother(Conflict):
    """Another customer has the number, whom the person doesn't see: it isn't said who."""

    type = "customers.phone_taken_by_another"


class TooManyReveals(RateLimited):
    """The person looked at as many numbers as may be for now."""

    type = "customers.too_many_reveals"

"""Why something can't be done with the assistant; each has a sentence in locales under `problems.<type>`."""

from huitouke.kernel.errors import Conflict, InvalidInput, NotFound


class EntryChanged(Conflict):
    """Somebody saved another version meanwhile; `version` is the newest."""

    type = "assistant.entry_changed"


class SameQuestion(Conflict):
    """There is an entry with this question already; `entry_id` says which."""

    type = "assistant.same_question"


class BlankLeft(InvalidInput):
    """The answer still has a blank of its template: customers are never told that."""

    type = "assistant.blank_left"


class TooManyEntries(Conflict):
    """The knowledge is full; `limit` says how many entries it holds."""

    type = "assistant.too_many_entries"


class NotPreviewed(Conflict):
    """Only a previewed import can be applied; `state` says where it is."""

    type = "assistant.not_previewed"


class ColumnsMissing(InvalidInput):
    """The mapping lacks the column of the question or of the answer."""

    type = "assistant.columns_missing"


class AddressRefused(InvalidInput):
    """The model's address can't be used; `reason` is a stable word."""

    type = "assistant.address_refused"


class NoModel(NotFound):
    """No model is set up."""

    type = "assistant.no_model"

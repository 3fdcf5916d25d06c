"""The rules of customers. Other modules import from here and nowhere deeper."""

from huitouke.modules.customers.service.cards import (
    MAX_AT_ONCE,
    Gender,
    IdentityKind,
    ProfileUpdate,
    edit,
    find_or_create_many,
    note_seen,
    update_profiles,
)
from huitouke.modules.customers.service.followers import (
    MAX_FOLLOWERS,
    add_follower,
    follow,
    owners,
    remove_follower,
)
from huitouke.modules.customers.service.marketing import (
    ALL_CHANNELS,
    OWN_WORDS,
    Refusal,
    allow_again,
    end_refusal,
    marketing_per_week,
    note_marketing,
    refuse_for,
    refuse_marketing,
    set_marketing_per_week,
    unwanted,
)
from huitouke.modules.customers.service.scope import belongs_within, customers_within, nobodys_or_within
from huitouke.modules.customers.service.words import line_refuses, refuses_marketing

__all__ = [
    "ALL_CHANNELS",
    "MAX_AT_ONCE",
    "MAX_FOLLOWERS",
    "OWN_WORDS",
    "Gender",
    "IdentityKind",
    "ProfileUpdate",
    "Refusal",
    "add_follower",
    "allow_again",
    "belongs_within",
    "customers_within",
    "edit",
    "end_refusal",
    "find_or_create_many",
    "follow",
    "line_refuses",
    "marketing_per_week",
    "nobodys_or_within",
    "note_marketing",
    "note_seen",
    "owners",
    "refuse_for",
    "refuse_marketing",
    "refuses_marketing",
    "remove_follower",
    "set_marketing_per_week",
    "unwanted",
    "update_profiles",
]

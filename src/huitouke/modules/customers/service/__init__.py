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
from huitouke.modules.customers.service.scope import belongs_within, customers_within, nobodys_or_within

__all__ = [
    "MAX_AT_ONCE",
    "MAX_FOLLOWERS",
    "Gender",
    "IdentityKind",
    "ProfileUpdate",
    "add_follower",
    "belongs_within",
    "customers_within",
    "edit",
    "find_or_create_many",
    "follow",
    "nobodys_or_within",
    "note_seen",
    "owners",
    "remove_follower",
    "update_profiles",
]

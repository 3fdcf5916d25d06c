"""Callbacks from outside: verified, stored in groups, acknowledged after the commit; a wake-up does the rest.

The address is `/callbacks/<kind>/<callback_id>`; the id (128 random bits) tells the endpoint and so the tenant. A
module registers a `CallbackKind` for each protocol it speaks.
"""

from huitouke.kernel.callbacks.kinds import BadCallback, CallbackKind, Endpoint, Opened

__all__ = ["BadCallback", "CallbackKind", "Endpoint", "Opened"]

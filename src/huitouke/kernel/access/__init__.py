"""Who signs in: users, sessions, memberships, and the way to a person's permissions in a tenant."""

from huitouke.kernel.access.resolver import AccessResolver, Granted, use_resolver
from huitouke.kernel.access.signed_in import SESSION_COOKIE, SignedIn, resolve_session

__all__ = ["SESSION_COOKIE", "AccessResolver", "Granted", "SignedIn", "resolve_session", "use_resolver"]

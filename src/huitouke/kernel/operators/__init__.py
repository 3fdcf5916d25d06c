"""Who runs the installation: operators sign in apart from tenants, and enter a tenant only when it lets them."""

from huitouke.kernel.operators.signing_in import OPERATOR_COOKIE, Operator, resolve_operator

__all__ = ["OPERATOR_COOKIE", "Operator", "resolve_operator"]

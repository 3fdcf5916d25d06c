"""Connections of clients that outlive a single exchange."""

from typing import Final

import httpx2

KEPT: Final = httpx2.Limits(keepalive_expiry=2.0)
"""Shorter than the five seconds after which our servers close an idle connection: a request that leaves in the same
moment would find it closed, and a POST is not sent twice."""

"""What the demo-data functions of the modules share."""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from huitouke.kernel.context import Context

TIMEOUT_SECONDS: Final = 10.0


class DemoSandboxError(RuntimeError):
    """The sandbox refused; the message is its own."""


@dataclass
class DemoWorld:
    """The demo as it grows: modules' demo functions run in module order, later ones find what earlier ones left."""

    context: Context
    public_url: str
    sandbox_url: str | None
    """Where the sandbox answers; null when the demo data are loaded without one."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What later modules need of earlier ones, e.g. `staff_ids`, `wecom_app_id`."""

    async def sandbox(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the sandbox's control API, `path` below `/sandbox/`.

        Raises:
            DemoSandboxError: it refused.
        """
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            answer = await http.request(method, f"{self.sandbox_url}/sandbox/{path}", json=body)
        if answer.status_code >= 400:
            raise DemoSandboxError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

"""What the demo-data functions of the modules share."""

from dataclasses import dataclass, field
from typing import Any

from huitouke.kernel.context import Context


@dataclass
class DemoWorld:
    """The demo as it grows: modules' demo functions run in module order, later ones find what earlier ones left."""

    context: Context
    public_url: str
    sandbox_url: str | None
    """Where the sandbox answers; null when the demo data are loaded without one."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What later modules need of earlier ones, e.g. `staff_ids`, `wecom_app_id`."""

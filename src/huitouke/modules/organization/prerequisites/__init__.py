"""What has to be there before the real channels work: who gets it, how long it takes, and what waits for it.

A module adds its own to the registry `organization.prerequisites` (`PREREQUISITES`) in its manifest.
"""

from huitouke.modules.organization.prerequisites.registry import (
    PREREQUISITES,
    Asked,
    Found,
    Prerequisite,
    prerequisite,
    prerequisites,
)

__all__ = ["PREREQUISITES", "Asked", "Found", "Prerequisite", "prerequisite", "prerequisites"]

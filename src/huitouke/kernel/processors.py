"""Who else handles people's data, for the shop's privacy notice: computed from what is set up, so that it is true.

A module that hands data to somebody outside contributes a `ProcessorsOf` to the registry `kernel.processors`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules
from huitouke.kernel.settings import get_settings

PROCESSORS: Final = "kernel.processors"
"""Registry of `ProcessorsOf`."""


@dataclass(frozen=True, slots=True)
class Processor:
    """Somebody who handles data for the shop. What they get, and what for, is the text `processors.<kind>`."""

    kind: str
    """`storage`, `model`, `wecom`, `sms`, …"""
    name: str
    """The host that is called, or a name that people know."""
    here: bool = False
    """On the shop's own machines: nobody outside gets anything."""


ProcessorsOf: TypeAlias = Callable[[Context], Awaitable[Sequence[Processor]]]


async def processors(ctx: Context) -> list[Processor]:
    """Who handles the tenant's data at present."""
    found: list[Processor] = []
    for told in load_modules().extensions(PROCESSORS):
        found.extend(await told(ctx))
    return found


async def file_store(_ctx: Context) -> Sequence[Processor]:
    """Where files are kept."""
    settings = get_settings()
    if not settings.files_s3_bucket:
        return [Processor("storage", "", here=True)]
    return [Processor("storage", urlsplit(settings.files_s3_endpoint or "").hostname or "S3")]

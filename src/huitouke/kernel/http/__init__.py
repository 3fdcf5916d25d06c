"""What routers use: who is asking, with or without a transaction, and what they must be allowed."""

from huitouke.kernel.http.dependencies import (
    ConsoleContext,
    ConsolePerson,
    ConsoleTransaction,
    IdempotencyKey,
    LoadedModules,
    requires,
)

__all__ = [
    "ConsoleContext",
    "ConsolePerson",
    "ConsoleTransaction",
    "IdempotencyKey",
    "LoadedModules",
    "requires",
]

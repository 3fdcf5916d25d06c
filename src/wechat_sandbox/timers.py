"""Things that happen a little later, owned in one place so that a reset or a stop ends them."""

import asyncio
from collections.abc import Callable


class Timers:
    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()

    def __len__(self) -> int:
        return len(self._handles)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Calls `action` on the loop after `seconds` of real time."""

        def due() -> None:
            self._handles.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._handles.add(handle)

    def cancel(self) -> None:
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

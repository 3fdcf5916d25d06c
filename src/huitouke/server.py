"""uvicorn as we run it: uvloop, sockets without deflate (it costs more than it saves on small frames), our own logs."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from huitouke.services import REQUEST_GRACE_SECONDS


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends in order, and the process with status 0: uvicorn's own would raise the signal again afterwards, and
        what encloses the server (an embedded PostgreSQL) would be left standing. A second Ctrl-C doesn't wait."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        else:
            self.should_exit = True


def serve(app: ASGIApp, host: str, port: int) -> bool:
    """Serves until the process is told to stop; False when the application refused to start, which is logged."""
    server = _Server(uvicorn.Config(app, host=host, port=port, **_options()))
    try:
        server.run()
    except SystemExit:
        return False
    return server.started


def serve_and_reload(application: str, host: str, port: int) -> None:
    """Serves the factory `module:function` in a child that starts again with each change of the sources."""
    uvicorn.run(application, factory=True, reload=True, host=host, port=port, **_options())


def _options() -> dict[str, Any]:
    return {
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": REQUEST_GRACE_SECONDS,
    }

"""`wechat-sandbox`: starts the sandbox and says where it listens."""

import argparse
import contextlib
import socket
import sqlite3
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from wechat_sandbox.app import create_app

DEFAULT_PORT = 8100
GRACE_SECONDS = 3


class Server(uvicorn.Server):
    """Prints the address as its last line, and ends open event streams before it waits for connections."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"wechat-sandbox ready {self._address}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        application = self.config.app
        if hasattr(application, "state"):
            application.state.world.hub.close()
        await super().shutdown(sockets)


def main() -> None:
    """Runs until Ctrl-C or SIGTERM."""
    options = _options()
    listener = _listen(options.host, options.port)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}"  # noqa: S104 (compared, not bound)
    if not options.quiet:
        print(
            f"phone        {address}/", f"employee     {address}/desk", f"control API  {address}/sandbox/docs", sep="\n"
        )
        print(f"model        {address}/v1 (key sandbox-key)")
        print(f"data         {options.data or 'in memory, gone at the end'}")
    config = uvicorn.Config(
        _application(options.data),
        log_level="warning",
        access_log=False,
        date_header=False,  # WeCom's answers bear the sandbox's own clock
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
        proxy_headers=False,
    )
    server = Server(config, address)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def _application(data: Path | None) -> FastAPI:
    try:
        return create_app(data)
    except (sqlite3.Error, OSError) as error:
        sys.exit(f"wechat-sandbox: {data} cannot be used ({error}); is another sandbox running on it?")
    except (TypeError, KeyError, ValueError) as error:
        sys.exit(f"wechat-sandbox: {data} was written by another version ({error}); remove it or choose another folder")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="wechat-sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0: any free one (default: {DEFAULT_PORT})")
    parser.add_argument("--data", type=Path, help="folder that keeps everything (default: in memory)")
    parser.add_argument("--quiet", action="store_true", help="print the ready line only")
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named: 40 ms for each answer otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"wechat-sandbox: port {port} of {host} cannot be used ({error.strerror}); choose another with --port")
    return listener

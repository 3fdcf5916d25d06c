"""The command line of `huitouke demo`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from huitouke.demo.places import DemoFailedError, default_data_folder
from huitouke.demo.run import Demo
from huitouke.kernel.database.launcher import LauncherError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `huitouke demo`, for whoever puts the commands together."""
    parser.add_argument("--port", type=int, help="port of the console; the last one, 8000 or a free one by default")
    parser.add_argument("--sandbox-port", type=int, help="port of the simulated WeChat, likewise (8100)")
    parser.add_argument(
        "--data", type=Path, default=None, help="folder that keeps everything, default .demo or ~/.huitouke/demo"
    )
    parser.add_argument("--reload", action="store_true", help="start the server again when its sources change")


def main(arguments: Sequence[str] | argparse.Namespace | None = None) -> int:
    """Runs the demo until Ctrl-C. It always uses an embedded PostgreSQL of its own, never DATABASE_URL.

    Takes a command line, or the options that a parser with `add_arguments` has read. Returns the exit status.
    """
    if isinstance(arguments, argparse.Namespace):
        options = arguments
    else:
        parser = argparse.ArgumentParser(prog="huitouke demo", description="Starts Huitouke with a demo merchant.")
        add_arguments(parser)
        options = parser.parse_args(arguments)
    try:
        Demo(options.data or default_data_folder(), options.port, options.sandbox_port, reload=options.reload).run()
    except (DemoFailedError, LauncherError) as failed:
        print(f"\n✗ {failed}", file=sys.stderr)
        return 1
    return 0

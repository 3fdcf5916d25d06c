"""Prepares the foreign clients of the conformance tests and prints the path of the Node that runs them."""

import shutil
import sys

from preparation import node, peers
from preparation.steps import main


def work() -> None:
    peers.ensure()
    sys.stdout.write((shutil.which("node", path=node.environment_variables()["PATH"]) or "node") + "\n")


if __name__ == "__main__":
    main(work)

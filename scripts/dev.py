"""`make dev`: the demo on a folder of its own, started again when Python sources change, and Vite for the console.

The page that reloads itself is Vite's; its address stands below the demo's.
"""

import os
import shutil
import socket
import subprocess
import sys

from preparation import node, python_environment, web
from preparation.steps import ROOT, main, say
from setup import prepare

PORT = 8000


def work() -> int:
    say("Preparing Huitouke")
    prepare(development=True)
    web.ensure_packages()
    port = _port()
    variables = {**os.environ, **node.environment_variables(), "HUITOUKE_DEV_SERVER": f"http://127.0.0.1:{port}"}
    npm = shutil.which("npm", path=variables["PATH"]) or "npm"
    pages = subprocess.Popen([npm, "run", "dev"], cwd=web.WEB, env=variables, stdin=subprocess.DEVNULL)
    data = str(ROOT / ".demo" / "development")
    demo = [str(python_environment.PYTHON), "-m", "huitouke", "demo", "--reload", "--port", str(port), "--data", data]
    server = subprocess.Popen([*demo, *sys.argv[1:]], cwd=ROOT)
    try:
        return server.wait()
    except KeyboardInterrupt:  # the terminal sent Ctrl-C to both as well; the demo hands back what is in flight
        return server.wait()
    finally:
        pages.terminate()
        pages.wait()


def _port() -> int:
    """The usual port, or a free one."""
    for wanted in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("the system had no free port")


if __name__ == "__main__":
    main(work)

"""Child processes that are gone when their parent is, however it dies.

Each child runs below a `/bin/sh` that reads a pipe from the parent. When the pipe ends, because the parent closes it or
because it is dead, the child gets SIGTERM, and SIGKILL when it has not ended in time. Children live in a session of
their own: Ctrl-C reaches the parent alone, which then stops them in their order.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

GRACE_SECONDS: Final = 12
"""Longer than the ten seconds that the server takes at most to hand back its work."""
LOG_LINES_SHOWN: Final = 20

_WATCHDOG: Final = """
exec 3<&0
"$@" 3<&- </dev/null & child=$!
(
    read -r line <&3
    kill -TERM $child 2>/dev/null
    waits=0
    while kill -0 $child 2>/dev/null; do
        [ $waits -ge $HUITOUKE_GRACE_WAITS ] && kill -KILL $child
        sleep 0.2
        waits=$((waits + 1))
    done
) & reader=$!
exec 3<&-
wait $child; status=$?
kill $reader 2>/dev/null
exit $status
"""


class Child:
    """One running child and its log file."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        program: Path | None = None,
    ) -> None:
        """Starts `python <arguments>` with further environment variables; what it prints goes to the log file.

        `program`: another one than this Python.
        """
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                    ["/bin/sh", "-c", _WATCHDOG, f"huitouke-demo-{name}", program or sys.executable, *arguments],
                    stdin=reading,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, **environment, "HUITOUKE_GRACE_WAITS": str(GRACE_SECONDS * 5)},
                    start_new_session=True,
                )
        except BaseException:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        self._pipe: int | None = writing

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Of the watchdog above it."""
        return self._process.pid

    def wait(self) -> int:
        """Waits until it has ended by itself; gives its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Asks it to end and waits until it has; it is killed when that takes longer than GRACE_SECONDS."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._process.wait(GRACE_SECONDS + 5)

    def end_of_log(self) -> str:
        """The end of its log, for the person at the terminal."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return f"The end of {self.log}:\n" + "\n".join(lines)

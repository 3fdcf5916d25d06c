"""Notices changes of the product's own sources, for `make dev`."""

from pathlib import Path

import huitouke


class Sources:
    """The Python, SQL and locale files of the package, by name, time and size."""

    def __init__(self) -> None:
        self._folder = Path(huitouke.__file__).resolve().parent
        self._seen = self._state()

    def changed(self) -> bool:
        """Whether a file was added, removed or written since the last call."""
        before, self._seen = self._seen, self._state()
        return before != self._seen

    def _state(self) -> dict[Path, tuple[int, int]]:
        files = (file for suffix in ("*.py", "*.sql", "*.json") for file in self._folder.rglob(suffix))
        built = self._folder / "web"
        state = {}
        for file in files:
            if not file.is_relative_to(built):
                facts = file.stat()
                state[file] = (facts.st_mtime_ns, facts.st_size)
        return state

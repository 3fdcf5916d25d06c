"""The floors of the tests that pytest runs, in the order in which they are run."""

from typing import Final

PYTEST_FLOORS: Final = ("unit", "modules", "isolation", "conformance", "e2e", "chaos", "install")
"""What shares a server for a whole floor (isolation) comes after what moves the clock of its own process (modules)."""

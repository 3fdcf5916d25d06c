"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The version of the installed package, or of the source."""
    try:
        return version("huitouke")
    except PackageNotFoundError:
        return "0.1.0"

"""Writes `.importlinter`, who may import whom, from the folders: `make contracts`; `--check` only says if it is stale.

The rules: a module imports only modules that stand before it in ORDER, and of those only `events`, `service` and
`tables`; the kernel and the WeChat clients import no module; the product and the sandbox know nothing of each other.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from preparation.steps import ROOT, StepFailed, main, say

MODULES = ROOT / "src" / "huitouke" / "modules"
FILE = ROOT / ".importlinter"
# First what everybody may build on. Modules on one line do not import each other.
ORDER = (
    ("organization",),
    ("customers",),
    ("conversations",),
    ("assistant", "archive", "engagement", "loyalty", "commerce"),
    ("campaigns", "microsite"),
    ("insight",),
    ("integration",),
)
OFFERED = {"__init__", "events", "service", "tables"}
HEADER = """# Written by scripts/contracts.py from the folders; change that, then run `make contracts`.
[importlinter]
root_packages =
    huitouke
    wechat_sandbox
"""


def work() -> int:
    wanted = document()
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text() != wanted:
            raise StepFailed("`.importlinter` does not match the folders. Run `make contracts` and commit the file.")
        return 0
    FILE.write_text(wanted)
    say(f"Wrote {FILE.relative_to(ROOT)}")
    return 0


def document() -> str:
    """The whole file as it should be."""
    return "\n".join((HEADER, *_contracts()))


def _contracts() -> Iterator[str]:
    present = {folder.name for folder in MODULES.iterdir() if (folder / "__init__.py").exists()}
    unplaced = present - {name for line in ORDER for name in line}
    if unplaced:
        raise StepFailed(f"Give these modules their place in ORDER of scripts/contracts.py: {', '.join(unplaced)}")
    layers = [" | ".join(name for name in line if name in present) for line in reversed(ORDER)]
    if present:
        yield _contract(
            "order",
            "layers",
            "A module imports only modules that stand before it",
            containers=["huitouke.modules"],
            layers=[layer for layer in layers if layer],
        )
    for name in (name for line in ORDER for name in line if name in present):
        inside = sorted(_inside(MODULES / name) - OFFERED)
        if inside:
            yield _contract(
                f"inside-{name}",
                "protected",
                f"Others reach {name} through events, service and tables",
                protected_modules=[f"huitouke.modules.{name}.{part}" for part in inside],
                allowed_importers=[f"huitouke.modules.{name}"],
            )
    yield _contract(
        "kernel",
        "forbidden",
        "The kernel and the WeChat clients know no module",
        source_modules=["huitouke.kernel", "huitouke.wechat"],
        forbidden_modules=["huitouke.modules"],
    )
    yield _contract(
        "wechat",
        "forbidden",
        "The WeChat clients know nothing of Huitouke",
        source_modules=["huitouke.wechat"],
        forbidden_modules=["huitouke.kernel"],
    )
    yield _contract(
        "clients",
        "forbidden",
        "The clients of mail and SMS know nothing of Huitouke",
        source_modules=["huitouke.mail", "huitouke.sms"],
        forbidden_modules=["huitouke.kernel", "huitouke.modules"],
    )
    yield _contract(
        "sandbox",
        "independence",
        "The product and the sandbox know nothing of each other",
        modules=["huitouke", "wechat_sandbox"],
    )


def _inside(folder: Path) -> set[str]:
    """The names one could import from this folder."""
    files = {file.stem for file in folder.glob("*.py")}
    packages = {entry.name for entry in folder.iterdir() if (entry / "__init__.py").exists()}
    return files | packages


def _contract(key: str, kind: str, name: str, **lists: list[str]) -> str:
    lines = [f"[importlinter:contract:{key}]", f"name = {name}", f"type = {kind}"]
    for option, values in lists.items():
        lines += [f"{option} =", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(work)

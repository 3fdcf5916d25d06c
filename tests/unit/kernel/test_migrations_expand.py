"""A release only expands the schema: the processes of the one before run on it while they are replaced.

What takes something away comes one release later, and says so with a comment `# contracts: <since which release nobody
uses it>` on its line.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from huitouke.kernel.database.migrate import KERNEL_MIGRATIONS
from huitouke.kernel.modules import load_modules

EXAMPLES = Path(__file__).parents[3] / "examples"
FIRST_RELEASE = re.compile(r"kernel_000[1-3]|[a-z_]+_0001")
"""What made the tables of the first release: nothing ran before it."""
MARK = "# contracts: "
TAKES_AWAY = frozenset({"drop_table", "drop_column", "drop_constraint", "rename_table"})
CHECKS_ALL_ROWS = frozenset({"create_check_constraint", "create_foreign_key", "create_unique_constraint"})
SQL = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|CONSTRAINT|VIEW|SEQUENCE|TYPE)\b"
    r"|\bRENAME\b|\bSET\s+NOT\s+NULL\b|\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b|\bREVOKE\b.*\bFROM\s+huitouke_app"
    r"|\bADD\s+COLUMN\b(?![^;]*\bDEFAULT\b)[^;]*\bNOT\s+NULL\b|\bADD\s+CONSTRAINT\b(?![^;]*(\bNOT\s+VALID\b|\bUSING\s+INDEX\b))",
    re.IGNORECASE | re.DOTALL,
)


def contractions(source: str) -> list[str]:
    """What in a migration would break or block processes of the release before, with its line."""
    lines = source.splitlines()
    return [
        f"line {node.lineno}: {what}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for what in _contractions_of(node)
        if not any(MARK in line for line in lines[node.lineno - 1 : node.end_lineno])
    ]


def _contractions_of(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in TAKES_AWAY:
        yield f"{name} takes away what the release before uses"
    elif name == "alter_column" and ({"new_column_name", "type_"} & given.keys() or _is(given.get("nullable"), False)):
        yield "alter_column renames, changes the type, or refuses what the release before writes"
    elif name == "add_column":
        columns = [one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call]
        for column in columns:
            keywords = {keyword.arg: keyword.value for keyword in column.keywords}
            if _is(keywords.get("nullable"), False) and "server_default" not in keywords:
                yield "a new column that must be given, which the release before doesn't give"
    elif name in CHECKS_ALL_ROWS and "postgresql_not_valid" not in given:
        yield f"{name} holds the table while it reads all of it; make it NOT VALID, then VALIDATE"
    elif name == "execute":
        for text in (
            one.value for one in ast.walk(call) if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ):
            if found := SQL.search(text):
                yield f"SQL that contracts: {found[0]!r}"


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def migrations() -> list[Path]:
    folders = [KERNEL_MIGRATIONS, *(module.migrations for module in load_modules() if module.migrations is not None)]
    return [file for folder in (*folders, *EXAMPLES.glob("*/src/*/migrations")) for file in sorted(folder.glob("*.py"))]


def revision_of(source: str) -> str:
    found = re.search(r'^revision = "(.+)"', source, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("file", migrations(), ids=lambda file: f"{file.parents[1].name}/{file.name}")
def test_a_migration_only_expands(file: Path):
    source = file.read_text(encoding="utf-8")
    if not FIRST_RELEASE.fullmatch(revision_of(source)):
        assert contractions(source) == []


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("a", "b")',
        'op.drop_table("a")',
        'op.rename_table("a", "b")',
        'op.alter_column("a", "b", new_column_name="c")',
        'op.alter_column("a", "b", nullable=False)',
        'op.alter_column("a", "b", type_=sa.Text())',
        'op.add_column("a", sa.Column("b", sa.Text(), nullable=False))',
        'op.create_check_constraint("ck", "a", "b > 0")',
        'op.execute("ALTER TABLE a DROP COLUMN b")',
        'op.execute(f"ALTER TABLE {name} RENAME TO b")',
        'op.execute("ALTER TABLE a ALTER COLUMN b SET NOT NULL")',
        'op.execute("ALTER TABLE a ADD COLUMN b text NOT NULL")',
        'op.execute("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)")',
    ],
)
def test_what_takes_away_or_demands_is_found_unless_its_release_has_come(line: str):
    assert len(contractions(line)) == 1
    assert contractions(f"{line}  # contracts: unused since 0.2") == []


@pytest.mark.parametrize(
    "line",
    [
        'op.add_column("a", sa.Column("b", sa.Text()))',
        'op.add_column("a", sa.Column("b", sa.Text(), nullable=False, server_default=""))',
        'op.alter_column("a", "b", nullable=True)',
        "op.execute(\"ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''\")",
        'op.execute("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID")',
        'op.execute("ALTER TABLE a VALIDATE CONSTRAINT c")',
        'tenant_table("a", sa.Column("id", sa.Uuid(), nullable=False))',
    ],
)
def test_what_only_adds_is_let_through(line: str):
    assert contractions(line) == []

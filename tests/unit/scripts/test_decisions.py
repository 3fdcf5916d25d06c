"""What the scripts decide by: versions, licences, the order of modules."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("version", "serves"),
    [
        ("v18.20.0", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("no version", False),
    ],
)
def test_node_serves_from_the_versions_that_vite_names(
    version: str, serves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert script("preparation.node", monkeypatch).new_enough(version) is serves


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0)", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("AGPL-3.0-only", False),
        ("LGPL-3.0-or-later", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("Apache Software License", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("GNU General Public License v3 (GPLv3)", False),
        ("", False),
        ("SEE LICENSE IN LICENSE.txt", False),
    ],
)
def test_a_licence_is_accepted_when_each_part_of_it_can_be_met(
    licence: str, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert script("licences", monkeypatch).acceptable(licence) is accepted


def test_a_module_without_a_place_in_the_order_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contracts = script("contracts", monkeypatch)
    (tmp_path / "novelty").mkdir()
    (tmp_path / "novelty" / "__init__.py").touch()
    monkeypatch.setattr(contracts, "MODULES", tmp_path)
    with pytest.raises(Exception, match="novelty"):
        contracts.document()


def test_only_events_service_and_tables_of_a_module_are_open_to_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contracts = script("contracts", monkeypatch)
    folder = tmp_path / "customers"
    (folder / "service").mkdir(parents=True)
    (folder / "fields").mkdir()
    for name in ("__init__", "events", "tables", "models", "queries", "service/__init__", "fields/__init__"):
        (folder / f"{name}.py").touch()
    monkeypatch.setattr(contracts, "MODULES", tmp_path)
    written = contracts.document()
    for closed in ("models", "queries", "fields"):
        assert f"huitouke.modules.customers.{closed}\n" in written
    for offered in ("events", "service", "tables"):
        assert f"huitouke.modules.customers.{offered}\n" not in written

"""A table of people: columns by their titles, departments by their paths, and what is wrong with which row."""

import pytest

from huitouke.kernel.sheets import Row, Table, read_table
from huitouke.modules.organization.staff_sheet import paths_in, read_people, recognise, template


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["姓名", "企业微信账号", "部门"], {"name": 0, "wecom_userid": 1, "departments": 2}),
        (["部门（必填）", "手机", " 姓 名 "], {"name": 2, "departments": 0}),
        (["Name", "UserID", "Department"], {"name": 0, "wecom_userid": 1, "departments": 2}),
        (["电话"], {}),
    ],
)
def test_columns_are_known_by_their_titles(header: list[str], found: dict[str, int]) -> None:
    assert recognise(header) == found


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ("", ()),
        ("门店/一店", (("门店", "一店"),)),
        ("门店 ／ 一店；仓库", (("门店", "一店"), ("仓库",))),
        ("仓库\n仓库, /", (("仓库",),)),
    ],
)
def test_a_cell_holds_several_departments_level_by_level(cell: str, paths: tuple[tuple[str, ...], ...]) -> None:
    assert paths_in(cell) == paths


def test_namesakes_need_an_account_to_be_told_apart() -> None:
    rows = [Row(2, ["王伟", "w1"]), Row(3, ["王伟", "w2"]), Row(4, ["李娜", ""]), Row(5, ["李娜", ""])]

    read = read_people(Table(["姓名", "账号"], rows))

    assert [one.row for one in read.people] == [2, 3, 4]
    assert [(one.row, one.reason, one.params) for one in read.problems] == [(5, "same_name", {"first": 4})]


def test_a_formula_that_gave_an_error_is_no_name() -> None:
    read = read_people(Table(["姓名"], [Row(2, [""], frozenset({0}))]))

    assert [(one.row, one.reason) for one in read.problems] == [(2, "formula_error")]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_template_is_a_table_that_is_understood(locale: str) -> None:
    read = read_people(read_table(template(locale)))

    assert len(read.people) == 2
    assert read.problems == []

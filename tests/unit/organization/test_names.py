"""Two names of a company: the same, the same with other brackets, or another company."""

import pytest

from huitouke.modules.organization.diagnosis.names import likeness


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [
        ("上海小店餐饮有限公司", "上海小店餐饮有限公司", "same"),
        ("小店（上海）餐饮有限公司", "小店(上海)餐饮有限公司", "brackets"),
        ("小店（上海) 餐饮有限公司", "小店(上海)餐饮有限公司", "brackets"),
        ("ＡＢＣ 商贸有限公司", "abc商贸有限公司", "brackets"),
        ("小店餐饮有限公司", "小店餐饮有限责任公司", "different"),
        ("小店（上海）餐饮有限公司", "小店（北京）餐饮有限公司", "different"),
    ],
)
def test_names_are_compared_as_registers_mean_them(one: str, other: str, like: str) -> None:
    assert likeness(one, other) == likeness(other, one) == like

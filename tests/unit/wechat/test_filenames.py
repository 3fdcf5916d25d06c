"""Names of files out of Content-Disposition: both forms, as WeCom writes them, and none that does harm."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.wechat.filenames import MAX_CHARACTERS, filename_of
from wechat_sandbox.wecom.media import disposition

READ = {
    'attachment; filename="price.pdf"': "price.pdf",
    "attachment; filename=price.pdf": "price.pdf",
    'filename="price.pdf"': "price.pdf",
    'attachment; filename="尺码表.xlsx"': "尺码表.xlsx",
    'attachment; filename="尺码表.xlsx"'.encode().decode("latin-1"): "尺码表.xlsx",
    f'attachment; filename="{quote("尺码 表.xlsx")}"': "尺码 表.xlsx",
    f"attachment; filename=\"_.xlsx\"; filename*=UTF-8''{quote('尺码表.xlsx')}": "尺码表.xlsx",
    f"attachment; filename*=utf-8'zh'{quote('尺码;表.xlsx')}; filename=\"x\"": "尺码;表.xlsx",
    "attachment; filename*=iso-8859-1'en'%A3%20rates": "£ rates",
    f"attachment; filename*=GBK''{quote('表.txt'.encode('gbk'))}": "表.txt",
    'attachment; filename="a;b \\"c\\".txt"': 'a;b "c".txt',
    'ATTACHMENT; FileName = "x.txt"': "x.txt",
    "attachment; filename*=UTF-8''%ff%fe; filename=\"plain.txt\"": "plain.txt",
    'attachment; filename*=nonsense; filename="plain.txt"': "plain.txt",
    'attachment; filename="50%off.pdf"': "50%off.pdf",
    'attachment; filename="100% cotton.pdf"': "100% cotton.pdf",
    "attachment": "",
    "": "",
    'attachment; filename=""': "",
    'attachment; filename="x': '"x',
}
HOSTILE = {
    'attachment; filename="../../etc/passwd"': "passwd",
    'attachment; filename="C:\\\\Windows\\\\evil.exe"': "evil.exe",
    f"attachment; filename*=UTF-8''{quote('../../a/b.txt', safe='')}": "b.txt",
    f"attachment; filename*=UTF-8''{quote('..')}": "",
    f"attachment; filename*=UTF-8''{quote('a' + chr(0) + 'b' + chr(13) + chr(10) + '.txt')}": "ab.txt",
    f"attachment; filename*=UTF-8''{quote('photo' + chr(0x202E) + 'gpj.exe')}": "photogpj.exe",
    f'attachment; filename="{"长" * 500}.pdf"': "长" * (MAX_CHARACTERS - 4) + ".pdf",
}


@pytest.mark.parametrize(("header", "name"), READ.items())
def test_a_name_is_read_in_each_form(header: str, name: str) -> None:
    assert filename_of(header) == name


@pytest.mark.parametrize(("header", "name"), HOSTILE.items())
def test_a_hostile_name_loses_what_makes_it_one(header: str, name: str) -> None:
    assert filename_of(header) == name


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=60))
def test_what_the_sandbox_names_is_what_we_read(name: str) -> None:
    wanted = name.replace("\\", "/").split("/")[-1]
    assert filename_of(disposition(name)) == (wanted if wanted.strip(". ") else "")


@given(st.text())
def test_no_header_breaks_it_or_gets_a_folder_through(header: str) -> None:
    name = filename_of(f"attachment; filename={header}")
    assert not {"/", "\\", "\0", "\n"} & set(name)
    assert len(name) <= MAX_CHARACTERS

"""Files are what they contain, whatever they are called."""

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook
from PIL import Image

from huitouke.kernel.files import pictures
from huitouke.kernel.files.pictures import BrokenPicture, TooManyPixels
from huitouke.kernel.files.sniffing import HEAD_BYTES, UNKNOWN, media_type_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def picture(kind: str, size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, kind, **options)
    return data.getvalue()


def sheet() -> bytes:
    data = io.BytesIO()
    Workbook().save(data)
    return data.getvalue()


def archive(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as opened:
        for name in names:
            opened.writestr(name, "x")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (picture("JPEG"), "cat.exe", "image/jpeg"),
        (picture("PNG"), "cat.jpg", "image/png"),
        (picture("GIF"), "cat", "image/gif"),
        (picture("WEBP"), "cat", "image/webp"),
        (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 40, "clip.mp4", "video/mp4"),
        (b"\x00\x00\x00\x20ftypheic" + b"\x00" * 40, "photo.jpg", "image/heic"),
        (b"#!AMR\n\x3c", "voice", "audio/amr"),
        (b"%PDF-1.7\n", "a.txt", "application/pdf"),
        (sheet(), "a.csv", XLSX),
        (archive("a.txt"), "a.xlsx", "application/zip"),
        (archive("word/document.xml"), "a", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04 broken", "a.xlsx", UNKNOWN),
        ("问题,答案\n有货吗,有".encode(), "faq.CSV", "text/csv"),
        ("问题,答案\n有货吗,有".encode("gb18030"), "faq.csv", "text/csv"),
        ("\ufeff问题".encode("utf-16"), "faq.csv", "text/csv"),
        ("你好".encode(), "note.md", "text/plain"),
        (("好" * 5000).encode(), "long.txt", "text/plain"),
        (b"a" + ("好" * 5000).encode(), "long.txt", "text/plain"),
        (b"\x00\x01\x02", "data.csv", UNKNOWN),
        (b"<html><script>alert(1)</script>", "page.png", "text/plain"),
        (b"MZ\x90\x00\x03", "setup.jpg", UNKNOWN),
    ],
)
def test_the_content_decides(tmp_path: Path, content: bytes, name: str, media_type: str):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert media_type_of(path, name) == media_type


def test_only_the_beginning_is_read(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"text " * HEAD_BYTES + b"\x00")
    assert media_type_of(path, "a.txt") == "text/plain"


async def test_a_picture_loses_its_metadata_and_keeps_its_turn(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "a camera with a name"
    path = tmp_path / "photo"
    path.write_bytes(picture("JPEG", (40, 20), exif=exif))

    media_type = await pictures.redraw(path)

    redrawn = Image.open(path)
    assert media_type == "image/jpeg"
    assert redrawn.size == (20, 40)
    assert not redrawn.getexif()
    assert b"a camera" not in path.read_bytes()


async def test_a_transparent_picture_stays_transparent(tmp_path: Path):
    path = tmp_path / "logo"
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(path, "PNG")
    assert await pictures.redraw(path) == "image/png"
    assert Image.open(path).mode == "RGBA"


async def test_large_pictures_are_made_smaller(tmp_path: Path):
    path = tmp_path / "large"
    path.write_bytes(picture("PNG", (5000, 1000)))
    await pictures.redraw(path)
    assert Image.open(path).size == (4096, 819)


async def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path):
    path = tmp_path / "bomb"
    Image.new("1", (20000, 20000)).save(path, "PNG")
    with pytest.raises(TooManyPixels):
        await pictures.redraw(path)


async def test_half_a_picture_is_refused(tmp_path: Path):
    path = tmp_path / "half"
    data = io.BytesIO()
    Image.effect_noise((200, 200), 50).save(data, "PNG")
    path.write_bytes(data.getvalue()[:5000])
    with pytest.raises(BrokenPicture):
        await pictures.redraw(path)

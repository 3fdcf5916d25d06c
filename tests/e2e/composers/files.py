"""Files that journeys upload."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import xlsxwriter
from PIL import Image


def excel(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """A table as people make it; the first row are the headings."""
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def picture(path: Path, colour: str = "seagreen") -> Path:
    """A small PNG."""
    buffer = BytesIO()
    Image.new("RGB", (240, 160), colour).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return path

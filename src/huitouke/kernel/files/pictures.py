"""Drawing pictures anew: what is kept is what one sees."""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final

from huitouke.kernel.errors import InvalidInput, TooLarge

MAX_PIXELS: Final = 50_000_000
MAX_SIDE_PIXELS: Final = 4096
JPEG_QUALITY: Final = 88
PICTURE_THREADS: Final = 1
"""A picture of 50 million pixels takes some 150 MB while it is drawn: one at a time."""


class BrokenPicture(InvalidInput):
    """The file begins like a picture, but can't be opened as one."""

    type = "files.broken_picture"


class TooManyPixels(TooLarge):
    """The picture would take too much memory to open; `limit` is in units of 10,000 pixels."""

    type = "files.too_many_pixels"


async def redraw(path: Path) -> str:
    """Replaces the picture by a fresh JPEG, or PNG where it is transparent; gives the media type.

    Sides are at most 4096 pixels, of moving pictures the first frame stays, the camera's turn is applied, metadata
    (place, device) is gone.

    Raises:
        TooManyPixels, BrokenPicture
    """
    return await asyncio.get_running_loop().run_in_executor(_threads(), _redraw, path)


def _redraw(path: Path) -> str:
    # Pillow is heavy and only this thread needs it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(path, formats=("JPEG", "PNG", "GIF", "WEBP"))
        with opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise TooManyPixels(limit=MAX_PIXELS // 10_000)
            opened.draft("RGB", (MAX_SIDE_PIXELS, MAX_SIDE_PIXELS))
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((MAX_SIDE_PIXELS, MAX_SIDE_PIXELS))
            transparent = picture.has_transparency_data
            picture = picture.convert("RGBA" if transparent else "RGB")
    except Image.DecompressionBombError as error:
        raise TooManyPixels(limit=MAX_PIXELS // 10_000) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BrokenPicture(field="file") from error
    picture.info.clear()
    if transparent:
        picture.save(path, "PNG", optimize=True)
        return "image/png"
    picture.save(path, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return "image/jpeg"


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=PICTURE_THREADS, thread_name_prefix="pictures")

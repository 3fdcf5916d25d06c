"""The picture of a new 客服账号, which WeCom asks for: a plain tile in a colour that comes from the name."""

import asyncio
import colorsys
import io
import zlib
from typing import Final

SIZE_PIXELS: Final = 256


async def default_avatar(name: str) -> bytes:
    """A PNG of 256 by 256 pixels; the same name always gives the same colour."""
    return await asyncio.to_thread(_draw, name)


def _draw(name: str) -> bytes:
    from PIL import Image, ImageDraw  # heavy, and needed when an account is made only

    hue = zlib.crc32(name.encode()) % 360 / 360
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, 0.45, 0.5))
    picture = Image.new("RGB", (SIZE_PIXELS, SIZE_PIXELS), (red, green, blue))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((64, 76, 192, 164), radius=24, fill="white")
    pen.polygon([(96, 150), (96, 196), (140, 160)], fill="white")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()

"""Vectors of character pieces, hashed: the same text gives the same vector everywhere, similar texts similar ones."""

import math
import struct
import zlib

DEFAULT_DIMENSIONS = 256
DIMENSION_LIMIT = 2_048
LONGEST_PIECE = 3


def embed(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """A vector of length 1 (all zeros but the first for an empty text)."""
    vector = [0.0] * dimensions
    plain = "".join(text.lower().split())
    for length in range(1, LONGEST_PIECE + 1):
        for start in range(len(plain) - length + 1):
            code = zlib.crc32(plain[start : start + length].encode())
            vector[code % dimensions] += 1.0 if code >> 31 else -1.0
    norm = math.sqrt(sum(value * value for value in vector))
    if norm == 0.0:
        return [1.0] + [0.0] * (dimensions - 1)
    return [value / norm for value in vector]


def packed(vector: list[float]) -> bytes:
    """Little-endian float32, as encoding_format base64 wants it."""
    return struct.pack(f"<{len(vector)}f", *vector)

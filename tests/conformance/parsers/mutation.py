"""The corpus, and further inputs made of it: pieces cut out, doubled, moved, mixed with others and with odd tokens."""

import random
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MAX_BYTES = 16_384
TOKENS = [
    *(b"\x00", b"\xff", b"\xed\xa0\xbd", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"', b"\\", b"'"),
    *(b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"9" * 5_000),
    *(b"\\ud83d", b"\\u0000", b'{"error": 1}', b"[" * 3_000, b'{"a":' * 3_000, b"data: ", b"data:[DONE]\n", b": \n"),
    *(b"<think>", b"</think>", b"<", b">", b"</", b"/>", b"<![CDATA[", b"]]>", b"&#13;", b"&lt;", b"<!DOCTYPE a>"),
    *(b"<!ENTITY a 'b'>", b"<?xml encoding='utf-16'?>", b"XFD1048576", b"A0", b"-", b"%00", b"''", b";", b"=", b"*"),
    *("😀".encode(), "İ".encode(), "问题".encode(), "问题".encode("gb18030"), b"filename*=UTF-8''"),
    *(b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59-14:00"),
]  # fmt: skip


def corpus_of(target: str) -> dict[str, bytes]:
    """The examples of a target by their names, found ones among them."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / target).iterdir())}


def mutated(dice: random.Random, examples: list[bytes]) -> bytes:
    """An example with one to eight changes."""
    data = bytearray(dice.choice(examples))
    for _ in range(dice.randint(1, 8)):
        start = dice.randint(0, len(data))
        end = min(len(data), start + dice.choice((1, 2, 4, 16, 64, 1_024)))
        match dice.randint(0, 6):
            case 0:
                del data[start:end]
            case 1:
                data[start:start] = data[start:end] * dice.choice((1, 2, 50))
            case 2 | 3:
                data[start:start] = dice.choice(TOKENS)
            case 4:
                data[start:end] = dice.choice(TOKENS)
            case 5:
                other = dice.choice(examples)
                place = dice.randint(0, len(other))
                data[start:end] = other[place : place + 256]
            case 6 if start < len(data):
                data[start] ^= 1 << dice.randint(0, 7)
    return bytes(data[:MAX_BYTES])

"""The texts of the pages, by their keys: a journey names what a thing is, not how it is worded today."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Literal

WEB = Path(__file__).parents[3] / "web"
Language = Literal["zh-CN", "en"]
_PLACEHOLDER = re.compile(r"\\?\{\w+\\?\}")


class Words:
    """All texts of one application in one language."""

    def __init__(self, language: Language, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text with its placeholders filled."""
        text = self._texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def like(self, key: str) -> re.Pattern[str]:
        """The text with anything in its placeholders."""
        return re.compile(_PLACEHOLDER.sub(".*", re.escape(self._texts[key])))


@cache
def console_words(language: Language = "zh-CN") -> Words:
    return Words(language, _read("console/src", language) | _read("packages/i18n/src", language))


@cache
def phone_words(language: Language = "zh-CN") -> Words:
    return Words(language, _read("phone/src", language) | _read("packages/i18n/src", language))


def _read(folder: str, language: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((WEB / folder).rglob(f"locales/{language}.json")):
        found |= json.loads(file.read_text())
    return found

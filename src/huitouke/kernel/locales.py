"""Texts of the server in the languages of its people: errors, permissions, menu entries, notices."""

import string
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from huitouke.kernel.context import DEFAULT_LOCALE

LOCALES: Final = ("zh-CN", "en")

_KERNEL_FOLDER = Path(__file__).parent / "locales"
_texts: dict[str, dict[str, str]] = {}


class _Lenient(string.Formatter):
    """Leaves a placeholder that nobody filled as it stands: a half sentence is better than an error in an error."""

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "{" + str(key) + "}")


_formatter = _Lenient()


def add_folder(folder: Path) -> None:
    """Adds the texts of a module: `zh-CN.json` and `en.json`, each one object of flat keys."""
    for locale in LOCALES:
        texts: dict[str, str] = orjson.loads((folder / f"{locale}.json").read_bytes())
        _loaded().setdefault(locale, {}).update(texts)


def translate(locale: str, key: str, **params: Any) -> str:
    """The text of `key` in `locale`, else in the default language, else the key itself; placeholders filled."""
    texts = _loaded()
    text = texts.get(locale, {}).get(key) or texts[DEFAULT_LOCALE].get(key)
    return _formatter.format(text, **params) if text is not None else key


def has_text(key: str) -> bool:
    """Whether the default language has a text for `key`."""
    return key in _loaded()[DEFAULT_LOCALE]


def keys(locale: str) -> frozenset[str]:
    """All keys loaded for that language; tests compare the languages with it."""
    return frozenset(_loaded().get(locale, {}))


def choose(wishes: Iterable[str]) -> str:
    """The first of the wished languages that we speak (`zh-TW` and `zh` mean `zh-CN`), else the default."""
    for wish in wishes:
        lowered = wish.strip().lower()
        for locale in LOCALES:
            if lowered == locale.lower() or lowered.split("-")[0] == locale.lower().split("-")[0]:
                return locale
    return DEFAULT_LOCALE


def _loaded() -> dict[str, dict[str, str]]:
    if not _texts:
        _texts.update(_kernel_texts())
    return _texts


@lru_cache(maxsize=1)
def _kernel_texts() -> dict[str, dict[str, str]]:
    return {locale: orjson.loads((_KERNEL_FOLDER / f"{locale}.json").read_bytes()) for locale in LOCALES}

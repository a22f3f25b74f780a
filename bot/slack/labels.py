"""Our own words in the channel's language: English, Traditional or Simplified Chinese. Pure.

The English template is the key: `say("zh-Hant", "{} of {} sources fresh")` gives its translation from
`zh/<room>.toml`, or the template itself where there is none. Translations are kept in Traditional characters alone;
the Simplified are converted from them. A translation may put its places in another order: `{1} ... {0}`.
Strangers' text, names and quotes never pass through here: they stay in their language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from storage.text import simplified

LANGUAGES: Mapping[str, str] = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}
"""The languages that a channel may have, by their codes, with their own names."""


def say(language: str, template: str) -> str:
    """The template in that language."""
    return template if language == "en" else _words(language).get(template, template)


@lru_cache(4_096)
def in_script(language: str, chinese: str) -> str:
    """Our own Chinese, which is written in Traditional characters, in the script of the language."""
    return simplified(chinese) if language == "zh-Hans" else chinese


@cache
def _words(language: str) -> Mapping[str, str]:
    """English template -> its translation; all rooms' files together."""
    found: dict[str, str] = {}
    for file in sorted(files("bot.slack").joinpath("zh").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return {template: in_script(language, words) for template, words in found.items()}

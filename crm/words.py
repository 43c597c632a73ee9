"""Words for people, said in the reader's language and not in that of whoever's act it is that tells them."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils import translation

# Either the words themselves, or how to say them.
Words = str | Callable[[], str]


def say(words: Words, language: str = "") -> str:
    """The words in a language; without one, in the house's."""
    if not callable(words):
        return str(words)
    with translation.override(language or settings.LANGUAGE_CODE):
        return str(words())


def say_in_all(
    title: Words, body: Words = "", *, title_max: int, body_max: int | None = None, base: str = settings.LANGUAGE_CODE
) -> dict[str, dict[str, str]]:
    """{language: {"title", "body"}} for every language of the site but `base`, where they differ from it.

    What is said depends on figures, names and states of this moment, so it is said now in each language instead of being
    kept as a message with values: amounts, days and nested labels come out as that language writes them.
    """
    if not callable(title) and not callable(body):
        return {}
    ours = (say(title, base)[:title_max], say(body, base)[:body_max])
    found = {}
    for language, _name in settings.LANGUAGES:
        if language == base:
            continue
        theirs = (say(title, language)[:title_max], say(body, language)[:body_max])
        if theirs != ours:
            found[language] = {"title": theirs[0], "body": theirs[1]}
    return found


def in_reading(said: dict[str, dict[str, str]], title: str, body: str) -> dict[str, str]:
    """What was said in the language that is being read; else what stands in the columns."""
    language = translation.get_language() or ""
    return said.get(language) or said.get(language[:2]) or {"title": title, "body": body}

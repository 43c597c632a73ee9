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

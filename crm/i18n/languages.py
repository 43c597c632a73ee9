"""The languages that pages come in. English has two: their words are the same, their dates and numbers aren't."""

from django.conf import settings
from django.utils.translation import get_language_info


def base_of(code: str) -> str:
    """Return the language without its region: `en-gb` is `en`."""
    return code.partition("-")[0].lower()


def variant_of(code: str, preferred: str = "") -> str:
    """Return the language of pages for a code: itself, or of plain `en` the preferred one (a brand's), else the company's.

    Empty where pages don't come in that language.
    """
    offered = dict(settings.LANGUAGES)
    if code in offered:
        return code
    same = [known for known in (preferred, settings.LANGUAGE_CODE, *offered) if base_of(known) == base_of(code)]
    return next((known for known in same if known in offered), "")


def language_name(code: str) -> str:
    """Name a language in the reader's own; the code itself for one that nobody knows."""
    try:
        return str(get_language_info(base_of(code))["name_translated"])
    except KeyError:
        return code

"""The e-mails that Keelson can send to a client, with their default texts. Each app registers its own in `letters.py`.

    # kyc/letters.py
    letter(
        "kyc.document_rejected", title=_("Document rejected"), fields=("document", "reason"),
        texts={"en": Text("Please send us another document", "Hello {{ first_name }},\n\n…"), "de": Text(…)},
    )

A body is plain text. An empty line starts a paragraph; `[Label]({{ link }})` alone in a paragraph is a button. Filled in
are the letter's own fields and those of every letter (COMMON). A brand may replace a text (`MailTemplate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.errors import DomainError

PLACEHOLDER = re.compile(r"{{\s*(\w+)\s*}}")
COMMON = ("first_name", "full_name", "brand", "support_email", "agent", "portal_url")


@dataclass(frozen=True)
class Text:
    subject: str
    body: str


@dataclass(frozen=True)
class Letter:
    """`fields` come from the caller's context. `secrets` too, but are never kept readable: links that sign in or register."""

    key: str
    title: str | Promise
    texts: Mapping[str, Text]
    fields: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def placeholders(self) -> set[str]:
        return {*COMMON, *self.fields, *self.secrets}


LETTERS: dict[str, Letter] = {}
BUTTON_LINE = re.compile(r"^\[([^\]\n]+)\]\([^)\n]*\)$", re.MULTILINE)


def as_kept(body: str) -> str:
    """Reduce a letter's buttons to their labels, as staff read it later: their links are secret or long expired."""
    return BUTTON_LINE.sub(r"[\1]", body.strip())


def letter(
    key: str,
    *,
    title: str | Promise,
    texts: Mapping[str, Text],
    fields: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> Letter:
    """Register a letter. Raises ValueError for a text with an unknown placeholder, or without English."""
    registered = Letter(key, title, dict(texts), tuple(fields), tuple(secrets))
    if "en" not in registered.texts:
        raise ValueError(f"e-mail template {key} has no English text")
    for language, text in registered.texts.items():
        unknown = unknown_placeholders(registered, text.subject + text.body)
        if unknown:
            raise ValueError(f"e-mail template {key} ({language}) names unknown fields: {', '.join(sorted(unknown))}")
    LETTERS[key] = registered
    return registered


def get_letter(key: str) -> Letter:
    """Find a registered letter by its key. Raises: DomainError where no app registered it."""
    try:
        return LETTERS[key]
    except KeyError:
        raise DomainError(_("There is no e-mail template “%(key)s”.") % {"key": key}) from None


def unknown_placeholders(of: Letter, text: str) -> set[str]:
    """List the placeholders in a text that this letter has no value for."""
    return set(PLACEHOLDER.findall(text)) - of.placeholders


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in for `{{ name }}`; a placeholder without a value stays, so that a secret can be filled in last."""
    return PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), text)

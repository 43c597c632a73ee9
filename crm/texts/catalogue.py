"""The registry of texts: each with its kind, its variables and its default per language.

A body is plain text. An empty line starts a paragraph; `[Label]({{ link }})` alone in a paragraph is a button.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Label = str | Promise
PLACEHOLDER: Final = re.compile(r"{{\s*(\w+)\s*}}")
BUTTON_LINE: Final = re.compile(r"^\[([^\]\n]+)\]\([^)\n]*\)$", re.MULTILINE)
OF_LETTERS, OF_LEGAL_TEXTS = "crm.manage_texts", "crm.manage_legal_texts"


class TextKind(StrEnum):
    """What a text is for, with the right that changes it, what its heading is called, and its bounds.

    is_legal: another person approves each version, and a brand's own words in its default language come before ours in the
    reader's: a brand that has terms of its own never shows anybody else's.
    """

    LETTER = "letter", _("E-mail"), False, _("Subject"), 160, 20_000
    SMS = "sms", _("SMS and WhatsApp"), False, "", 0, 1_600
    CONSENT = "consent", _("Consent"), True, _("Text beside the tick box"), 500, 100_000
    AGREEMENT = "agreement", _("Agreement"), True, _("Text beside the tick box"), 500, 200_000
    RISK_WARNING = "risk-warning", _("Risk warning"), True, "", 0, 2_000
    NOTICE = "notice", _("Notice"), False, _("Heading"), 160, 2_000

    label: Promise
    is_legal: bool
    heading_label: Label
    heading_max: int
    body_max: int

    def __new__(
        cls, code: str, label: Promise, is_legal: bool, heading_label: Label, heading_max: int, body_max: int
    ) -> Self:
        member = str.__new__(cls, code)
        member._value_, member.label, member.is_legal = code, label, is_legal
        member.heading_label, member.heading_max, member.body_max = heading_label, heading_max, body_max
        return member

    @property
    def right(self) -> str:
        return OF_LEGAL_TEXTS if self.is_legal else OF_LETTERS

    @property
    def is_accepted(self) -> bool:
        """Check whether clients agree to such a text."""
        return self in (TextKind.CONSENT, TextKind.AGREEMENT)


@dataclass(frozen=True)
class Text:
    """What a text says in one language. heading: an e-mail's subject, the label beside a tick box."""

    heading: str
    body: str

    def filled(self, values: Mapping[str, object]) -> Text:
        return Text(fill(self.heading, values), fill(self.body, values))


@dataclass(frozen=True)
class Variable:
    """What `{{ name }}` stands for, with a value to show in previews.

    is_secret: never kept readable: a link or code that signs in or registers. Such a one, and one that is_required, must be
    in every version of the text. is_link: an address, which a button may lead to.
    """

    name: str
    description: Label
    example: Label
    is_secret: bool = False
    is_required: bool = False
    is_link: bool = False

    @property
    def must_appear(self) -> bool:
        return self.is_secret or self.is_required


@dataclass(frozen=True)
class DeclaredText:
    """One text of the catalogue. `own`: variables that only its sender knows; `common`: those that every text of its kind has.

    is_marketing: sent only to clients who agreed to marketing. series: the part of the library that it belongs to.
    """

    key: str
    kind: TextKind
    title: Label
    texts: Mapping[str, Text]
    own: tuple[Variable, ...] = ()
    common: tuple[Variable, ...] = ()
    is_marketing: bool = False
    series: Label = ""
    has_body: bool = True

    @property
    def app(self) -> str:
        return self.key.partition(".")[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (*self.own, *self.common)

    @property
    def names(self) -> set[str]:
        return {variable.name for variable in self.variables}

    @property
    def secrets(self) -> list[str]:
        return [variable.name for variable in self.own if variable.is_secret]

    @property
    def examples(self) -> dict[str, str]:
        return {variable.name: str(variable.example) for variable in self.variables}


TEXTS: dict[str, DeclaredText] = {}


def declare_text(text: DeclaredText) -> DeclaredText:
    """Make a text known. Raises: ValueError without English, for an unknown variable or one that must appear and doesn't."""
    if "en" not in text.texts:
        raise ValueError(f"the text {text.key} has no English")
    for language, said in text.texts.items():
        used = names_in(said)
        if used - text.names:
            raise ValueError(f"{text.key} ({language}) has unknown variables: {', '.join(sorted(used - text.names))}")
        missing = {variable.name for variable in text.variables if variable.must_appear} - used
        if missing and (said.heading or said.body):
            raise ValueError(f"{text.key} ({language}) lacks: {', '.join(sorted(missing))}")
    TEXTS[text.key] = text
    return text


def find_text(key: str) -> DeclaredText | None:
    """Find a text by its key; None for one that only an older version knew."""
    return TEXTS.get(key)


def texts_of(kinds: Iterable[TextKind] = TextKind) -> list[DeclaredText]:
    """List all texts of some kinds, by kind, series and key."""
    order = list(TextKind)
    chosen = [text for text in TEXTS.values() if text.kind in set(kinds)]
    return sorted(chosen, key=lambda text: (order.index(text.kind), bool(text.series), text.key))


def names_in(text: Text) -> set[str]:
    """List the variables that a text uses."""
    return set(PLACEHOLDER.findall(f"{text.heading}\n{text.body}"))


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in for `{{ name }}`; a variable without a value stays, so that a secret can be filled in last."""
    return PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), text)


def without_addresses(body: str) -> str:
    """Reduce buttons to their labels, as staff read an e-mail later: their links are secret or long expired."""
    return BUTTON_LINE.sub(r"[\1]", body.strip())

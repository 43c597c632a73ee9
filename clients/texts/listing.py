"""What the pages of texts show: every text of a brand with its languages, and one text with versions and differences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clients.languages import language_name
from crm import approvals
from crm.models import Brand, TextDraft, TextProposal, TextVersion
from crm.texts.catalogue import DeclaredText, Text, texts_of
from crm.texts.publishing import languages_of
from crm.texts.reading import in_force, versions_of

HISTORY_MAX: Final = 100
COMPARED_LINES_MAX: Final = 2_000
STATES: Final = ("own", "default", "missing", "draft", "planned", "waiting")


@dataclass(frozen=True, slots=True)
class Cell:
    """One text in one language. state: own, default (built in) or missing; what else there is beside it."""

    language: str
    state: str
    number: int = 0
    has_draft: bool = False
    is_planned: bool = False
    is_waiting: bool = False

    @property
    def name(self) -> str:
        return language_name(self.language)

    @property
    def states(self) -> set[str]:
        extra = {"draft": self.has_draft, "planned": self.is_planned, "waiting": self.is_waiting}
        return {self.state, *(name for name, is_so in extra.items() if is_so)}

    @property
    def tone(self) -> str:
        return "warning" if self.is_waiting else {"own": "success", "missing": "danger"}.get(self.state, "neutral")

    @property
    def label(self) -> str:
        said = [
            {"own": _("Version %(number)s") % {"number": self.number}, "missing": _("Missing")}.get(
                self.state, _("Built-in")
            )
        ]
        said += [_("draft")] if self.has_draft else []
        said += [_("planned")] if self.is_planned else []
        said += [_("awaiting approval")] if self.is_waiting else []
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Line:
    declared: DeclaredText
    cells: list[Cell]

    def fits(self, *, query: str, kind: str, language: str, state: str) -> bool:
        cells = [cell for cell in self.cells if not language or cell.language == language]
        words = f"{self.declared.title} {self.declared.key} {self.declared.series}".lower()
        return (
            all(word in words for word in query.lower().split())
            and (not kind or self.declared.kind == kind)
            and bool(cells)
            and (not state or any(state in cell.states for cell in cells))
        )


def lines_of(brand: Brand) -> list[Line]:
    """List every text with its state in each of the brand's languages. Four queries at most."""
    drafts = set(TextDraft.objects.filter(brand=brand).values_list("key", "language"))
    waiting = set(_waiting(brand).values_list("key", "language"))
    return [
        Line(text, [_cell(brand, text, code, drafts, waiting) for code in languages_of(brand, text)])
        for text in texts_of()
    ]


def _waiting(brand: Brand) -> Any:
    return approvals.kind_of(TextProposal).awaiting(TextProposal.objects.filter(brand=brand))


def _cell(brand: Brand, text: DeclaredText, language: str, drafts: Iterable[Any], waiting: Iterable[Any]) -> Cell:
    version = in_force(brand, text.key, language)
    rows, name, now = versions_of(brand, text.key, language), (text.key, language), timezone.now()
    is_own = version is not None and version.text is not None
    return Cell(
        language,
        "own" if is_own else "default" if language in text.texts else "missing",
        version.number if version else 0,
        name in drafts,
        any(row.effective_at > now for row in rows),
        name in waiting,
    )


def proposal_of(brand: Brand, text: DeclaredText, language: str) -> TextProposal | None:
    """Find the version that waits for a second person."""
    row: TextProposal | None = (
        _waiting(brand).filter(key=text.key, language=language).select_related("requested_by").first()
    )
    return row


def draft_of(brand: Brand, text: DeclaredText, language: str) -> TextDraft | None:
    """Find what somebody is writing."""
    rows = TextDraft.objects.filter(brand=brand, key=text.key, language=language)
    return rows.select_related("changed_by").first()


def history_of(brand: Brand, text: DeclaredText, language: str) -> list[TextVersion]:
    """List the published versions, the newest first; the newest hundred."""
    rows = TextVersion.objects.filter(brand=brand, key=text.key, language=language).defer("body")
    return list(rows.select_related("published_by", "approved_by").order_by("-number")[:HISTORY_MAX])


def words_of(text: DeclaredText, version: TextVersion) -> Text:
    """Return what a version says; for one that goes back to the built-in text, that."""
    if version.is_default:
        return text.texts.get(version.language) or text.texts["en"]
    return Text(version.heading, version.body)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """mark: + added, - removed, empty for what is in both."""

    mark: str
    words: str

    @property
    def label(self) -> str | Promise:
        return {"+": _("Added"), "-": _("Removed")}.get(self.mark, "")


def differences(before: Text, after: Text) -> list[DiffLine] | None:
    """Compare two texts line by line; None where they are too long to compare."""
    old, new = (f"{text.heading}\n\n{text.body}".split("\n") for text in (before, after))
    if max(len(old), len(new)) > COMPARED_LINES_MAX:
        return None
    rows = []
    for tag, start, end, to, until in difflib.SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        if tag == "equal":
            rows += [DiffLine("", line) for line in new[to:until]]
        else:
            rows += [DiffLine("-", line) for line in old[start:end]] + [DiffLine("+", line) for line in new[to:until]]
    return rows


def compared_with(brand: Brand, text: DeclaredText, version: TextVersion, other: str) -> Text | None:
    """Return what a version is compared with: `default`, or the number of another version; None where there is none."""
    if other == "default":
        return text.texts.get(version.language) or text.texts["en"]
    row = TextVersion.objects.filter(
        brand=brand,
        key=text.key,
        language=version.language,
        number=int(other) if other.isdecimal() and len(other) < 7 else 0,
    ).first()
    return words_of(text, row) if row else None

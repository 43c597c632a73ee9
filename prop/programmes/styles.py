"""Styles of trading that a phase can forbid. Apps above this one name them, and find them in an account's trades.

A finding never ends an account: it holds what a person decides on it, until those who work on it have decided on the finding. One
that they confirmed lets a person end the account (`prop/challenges/ending.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.errors import WrongState
from prop.models import PhaseAccount


@dataclass(frozen=True, slots=True)
class StyleFinding:
    """One finding about an account. style: its code, among those of `STYLES` if it can be forbidden. is_confirmed: by a person;
    else it is open. evidence: reads what its trader may know of it, in English: its text, from when until when, and own trades."""

    style: str
    text: str
    is_confirmed: bool
    evidence: Callable[[], dict[str, Any]] = dict


# The rule of each style that can be forbidden, as traders read it, by the code that files write.
STYLES: Final[dict[str, str | Promise]] = {}
STYLE_FINDERS: Final[list[Callable[[PhaseAccount], list[StyleFinding]]]] = []


def register_styles(styles: Mapping[str, str | Promise], finder: Callable[[PhaseAccount], list[StyleFinding]]) -> None:
    """Let phases forbid these styles, and have `finder` look for them on an account."""
    STYLES.update(styles)
    STYLE_FINDERS.append(finder)


def findings_on(row: PhaseAccount) -> list[StyleFinding]:
    """List what is suspected or confirmed about how an account was traded, whether its phase forbids it or not."""
    return [found for finder in STYLE_FINDERS for found in finder(row)]


def forbidden_text(row: PhaseAccount, found: list[StyleFinding]) -> str:
    """Name those findings that the phase of an account forbids; empty where there is none."""
    forbidden = [each.text for each in found if each.style in row.phase.forbidden_styles]
    return " ".join([_("Forbidden by the rules of this phase:"), *forbidden]) if forbidden else ""


def confirmed_on(row: PhaseAccount) -> list[StyleFinding]:
    """List the findings that a person confirmed and the phase of an account forbids."""
    return [each for each in findings_on(row) if each.is_confirmed and each.style in row.phase.forbidden_styles]


def require_no_forbidden_style(row: PhaseAccount) -> None:
    """Refuse what a finding of a forbidden style holds. Raises: WrongState that names it."""
    text = forbidden_text(row, findings_on(row)) if row.phase.forbidden_styles else ""
    if text:
        raise WrongState(text)

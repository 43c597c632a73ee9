"""The refusal of a file that can't be read."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.errors import DomainError


class BadStatement(DomainError):
    """The file can't be read or proved; nothing of it was imported."""

    code = "bad_bank_statement"


def bad(place: str, message: str) -> BadStatement:
    """Build the refusal of a file; `place` names where: a line, or statement and entry."""
    values = {"place": _one_line(place, 160), "message": _one_line(message, 300)}
    return BadStatement(_("%(place)s: %(message)s Nothing was imported.") % values)


def _one_line(text: str, most: int) -> str:
    """Fold a text into one line and cut it: files put whatever they like into places and values."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"

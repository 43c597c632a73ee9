"""What is said of a file that can't be read."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.errors import DomainError


class BadStatement(DomainError):
    """The file can't be what it says; nothing of it was taken in."""

    code = "bad_bank_statement"


def bad(place: str, message: str) -> BadStatement:
    """`place` says where in the file: a line, or statement and entry."""
    values = {"place": _one_line(place, 160), "message": _one_line(message, 300)}
    return BadStatement(_("%(place)s: %(message)s Nothing was imported.") % values)


def _one_line(text: str, most: int) -> str:
    """Files put whatever they like into places and values."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"

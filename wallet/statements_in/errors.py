"""What is said of a file that can't be read."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.errors import DomainError


class BadStatement(DomainError):
    """The file can't be what it says; nothing of it was taken in."""

    code = "bad_bank_statement"


def bad(place: str, message: str) -> BadStatement:
    """`place` says where in the file: a line, or statement and entry."""
    return BadStatement(_("%(place)s: %(message)s Nothing was imported.") % {"place": place, "message": message})

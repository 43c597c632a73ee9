"""Statements that banks send us: camt.052/.053/.054, MT940, CSV. `read_statements(content)` finds out which and proves it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from wallet.statements_in.base import BYTES_MAX, BadStatement, Entry, Statement, proved
from wallet.statements_in.camt import read_camt
from wallet.statements_in.csv_file import read_csv
from wallet.statements_in.mt940 import read_mt940

__all__ = ["BadStatement", "Entry", "Statement", "read_statements"]

HEAD = 2_000


def read_statements(content: bytes) -> tuple[str, tuple[Statement, ...]]:
    """The format's name and the statements of a file, each proved. Raises BadStatement; then nothing of it counts."""
    if not content.strip():
        raise BadStatement(_("The file is empty."))
    if len(content) > BYTES_MAX:
        raise BadStatement(_("The file is larger than 64 MB. Ask the bank for a shorter period."))
    head = content[:HEAD].lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith(b"<") or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "camt", proved(read_camt(content))
    if b":20:" in head and (b":25:" in head or b":25P:" in head):
        return "mt940", proved(read_mt940(content))
    return "csv", proved(read_csv(content))

"""Reading a table of spend: each row checked, with its line and column where it is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePath

from django.utils.translation import gettext as _

from clients.countries import country_code
from crm.errors import DomainError
from crm.i18n import formats
from crm.imports.reading import WORKBOOKS, Cells, detect_encoding, open_table
from leads.choices import AdNetwork
from leads.spend.columns import TOTALS, Columns, find_columns, plain

ROWS_MAX = 100_000
BYTES_MAX = 20 * 2**20
PROBLEMS_SHOWN = 30
# Google Ads writes the report's name and period above the columns.
LINES_ABOVE_MAX = 5
NUMBERS = {
    ".": re.compile(r"\d{1,11}(\.\d{1,6})?|\d{1,3}(,\d{3}){1,3}(\.\d{1,6})?"),
    ",": re.compile(r"\d{1,11}(,\d{1,6})?|\d{1,3}(\.\d{3}){1,3}(,\d{1,6})?"),
}
DAYS = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"),
)
WITH_SLASHES = re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})")
EARLIEST = dt.date(2000, 1, 1)


@dataclass(frozen=True)
class SpendKey:
    """One network's campaign on one day."""

    network: AdNetwork
    name: str
    network_id: str
    day: dt.date


@dataclass
class SpendTable:
    """What a file says: sums by campaign and day, each by country and currency, with the first line of each."""

    amounts: dict[SpendKey, dict[tuple[str, str], Decimal]] = field(default_factory=lambda: defaultdict(dict))
    lines: dict[SpendKey, int] = field(default_factory=dict)
    heading: dict[str, str] = field(default_factory=dict)


class SpendFileRefused(DomainError):
    """A file with rows that can't be read; nothing of it was taken."""

    code = "spend_file_refused"

    def __init__(self, problems: list[str]) -> None:
        shown = problems[:PROBLEMS_SHOWN]
        if len(problems) > PROBLEMS_SHOWN:
            shown.append(_("and %(count)s more") % {"count": formats.number(len(problems) - PROBLEMS_SHOWN, 0)})
        super().__init__(_("Nothing was imported."))
        self.reasons = [self.message, *shown]


def problem(line: int, column: str, message: str) -> str:
    """Say what is wrong with a row, by its line and column."""
    return _("Line %(line)s, %(column)s: %(message)s") % {"line": line, "column": column, "message": message}


def read_spend(content: bytes, file_name: str, *, currency: str, today: dt.date) -> SpendTable:
    """Read a table of spend. `currency` is that of amounts without one.

    Raises: SpendFileRefused with every row that is wrong; DomainError for what is no such table.
    """
    if len(content) > BYTES_MAX:
        raise DomainError(_("The file is larger than %(size)s MB. Split it by month.") % {"size": BYTES_MAX // 2**20})
    skipped, content = _below_title(content, file_name)
    table = open_table(content, file_name)
    columns = find_columns(table.header)
    _require_columns(columns)
    found, problems = SpendTable(heading=columns.heading), []
    for count, row in enumerate(table.rows, start=1):
        if count > ROWS_MAX:
            raise DomainError(
                _("The file has more than %(most)s rows. Split it into smaller files.")
                % {"most": formats.number(ROWS_MAX, 0)}
            )
        row = Cells(row.line + skipped, row.values, row.problem)
        problems += _read_row(row, columns, found, currency, today)
    if problems:
        raise SpendFileRefused(problems)
    if not found.amounts:
        raise DomainError(_("The file has no rows with a campaign and a cost."))
    return found


def _below_title(content: bytes, file_name: str) -> tuple[int, bytes]:
    """Cut the lines above the columns off a text; return how many they were."""
    if PurePath(file_name.lower()).suffix in WORKBOOKS or content[:4] == b"PK\x03\x04" or not content.strip():
        return 0, content
    encoding = detect_encoding(content)
    text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    lines = text.splitlines(keepends=True)
    for count, line in enumerate(lines[: LINES_ABOVE_MAX + 1]):
        separator = max(",;\t", key=line.count)
        cells = [cell.strip().strip('"') for cell in line.split(separator)]
        if {"cost", "campaign"} <= find_columns(cells).places.keys():
            return count, "".join(lines[count:]).encode()
    return 0, content


def _require_columns(columns: Columns) -> None:
    if "cost" not in columns.places or not {"campaign", "campaign_id"} & columns.places.keys():
        raise DomainError(
            _("The file needs the columns Day, Campaign and Cost, as Google Ads and Meta Ads export them.")
        )
    if "day" not in columns.places:
        raise DomainError(_("The file has no days. Export it with a breakdown by day."))


def _read_row(row: Cells, columns: Columns, found: SpendTable, currency: str, today: dt.date) -> list[str]:
    """Add a row to what was found; return what is wrong with it."""
    if row.problem:
        return [_("Line %(line)s: %(message)s") % {"line": row.line, "message": row.problem}]
    name, network_id = columns.value(row.values, "campaign")[:200], columns.value(row.values, "campaign_id")[:200]
    is_total = any(plain(value).startswith(TOTALS) for value in row.values[:1])
    if is_total or not (name or network_id) or plain(name) == "":
        return []  # Google's totals below, Meta's above
    problems: list[str] = []
    forms = (*DAYS, WITH_SLASHES) if columns.has_slashes else DAYS
    day = _day(columns.value(row.values, "day"), forms)
    if day is None:
        problems.append(
            problem(row.line, columns.heading["day"], _("Write the day as year-month-day, for example 2026-09-30."))
        )
    elif not EARLIEST <= day <= today:
        problems.append(problem(row.line, columns.heading["day"], _("The day is in the future or before 2000.")))
    until = columns.value(row.values, "until")
    if until and day and _day(until, forms) != day:
        problems.append(
            problem(
                row.line, columns.heading["until"], _("The row covers several days. Export with a breakdown by day.")
            )
        )
    raw = columns.value(row.values, "cost")
    amount = _amount(raw, columns.decimal_mark)
    if amount is None:
        problems.append(
            problem(row.line, columns.heading["cost"], _("“%(value)s” isn't an amount.") % {"value": raw[:40]})
        )
    country = _country(columns.value(row.values, "country"))
    if country is None:
        problems.append(problem(row.line, columns.heading["country"], _("Unknown country")))
    if problems or day is None or amount is None or country is None:
        return problems
    money = columns.value(row.values, "currency").upper() or columns.currency_of_cost or currency
    key = SpendKey(_network(columns, row), name or network_id, network_id, day)
    sums = found.amounts[key]
    sums[country, money] = sums.get((country, money), Decimal(0)) + amount
    found.lines.setdefault(key, row.line)
    return []


def _network(columns: Columns, row: Cells) -> AdNetwork:
    given = plain(columns.value(row.values, "network"))
    named = [network for network in AdNetwork if given.startswith(network.value)]
    return named[0] if given and named else columns.network


def _day(text: str, forms: Sequence[re.Pattern[str]]) -> dt.date | None:
    text = text.split("T")[0].removesuffix(" 00:00:00")
    for form in forms:
        if match := form.fullmatch(text):
            try:
                return dt.date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
    return None


def _amount(text: str, mark: str) -> Decimal | None:
    """Read an amount of zero or more; the networks write "--" and nothing for none."""
    text = text.strip()
    if text in ("", "--", "–", "-"):
        return Decimal(0)
    text = re.sub(r"[\s\u00a0€$£]", "", text)
    for decimal_mark in (mark, ",."[mark == ","]):
        if NUMBERS[decimal_mark].fullmatch(text) and (decimal_mark == mark or not _is_ambiguous(text)):
            thousands = "," if decimal_mark == "." else "."
            return Decimal(text.replace(thousands, "").replace(decimal_mark, "."))
    return None


def _is_ambiguous(text: str) -> bool:
    """Whether the other language would read the same signs as thousands."""
    return bool(re.fullmatch(r"\d{1,3}[.,]\d{3}", text))


def _country(text: str) -> str | None:
    """Return the code of a country; empty for none and for what networks call unknown; None where there is no such country."""
    if plain(text) in ("", "unknown", "unbekannt", "notset"):
        return ""
    return country_code(text) or None

"""What account types give on each class of instruments, beside what regulators allow retail clients to whom they are offered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Category
from trading.choices import InstrumentClass
from trading.leverage.margins import GroupLeverage, of_groups
from trading.models import AccountType, LeverageCap

LINES_MAX: Final = 500


@dataclass(frozen=True)
class ClassRow:
    """One class of a type: the strictest line, what the group gives at the type's highest leverage, and what fits."""

    sort: str
    line: LeverageCap
    given: GroupLeverage | None
    top: int
    highest: int | None

    @property
    def label(self) -> str:
        return str(InstrumentClass(self.sort).label)

    @property
    def most(self) -> str:
        """`20`, or a sign for no margin at all."""
        most = self.given.at(self.top)[0] if self.given else None
        return "" if not most else f"{most:.0f}" if most.is_finite() else "∞"

    @property
    def symbol(self) -> str:
        return self.given.at(self.top)[1] if self.given else ""

    @property
    def unclear(self) -> str:
        """What of this class can't be held against its cap, and why."""
        return self.given.unclear_words if self.given else ""

    @property
    def is_wrong(self) -> bool:
        """No leverage of the type keeps this class within its cap."""
        return self.given is not None and (self.given.is_beyond(self.line.leverage) or self.highest is None)

    @property
    def is_lowered(self) -> bool:
        """Some leverages of the type are not offered to those whom the line concerns."""
        return self.given is not None and not self.is_wrong and self.highest != self.top

    @property
    def words(self) -> str:
        values = {
            "authority": self.line.authority,
            "class": self.label.lower(),
            "cap": self.line.leverage,
            "most": self.most,
            "symbol": self.symbol,
        }
        if not self.line.leverage:
            return _("%(authority)s: %(class)s may not be offered, but the group trades %(symbol)s") % values
        return _("%(authority)s: 1:%(cap)s on %(class)s, but the group allows 1:%(most)s on %(symbol)s") % values


def lines_today(*, on: dt.date | None = None) -> list[LeverageCap]:
    """List the lines in force for retail clients. One query."""
    day = on or timezone.now().date()
    rows = LeverageCap.objects.filter(category=Category.RETAIL, valid_from__lte=day)
    return [
        line
        for line in rows.order_by("leverage", "authority")[:LINES_MAX]
        if not line.valid_until or line.valid_until >= day
    ]


def rows_of(
    account_type: AccountType, lines: Sequence[LeverageCap], margins: Mapping[str, GroupLeverage]
) -> list[ClassRow]:
    """List a type's classes, in the regulators' order; none for demo accounts."""
    if account_type.is_demo:
        return []
    ladder = account_type.ladder
    strictest: dict[str, LeverageCap] = {}
    for line in lines:
        if _concerns(line, account_type):
            strictest.setdefault(line.instrument_class, line)
    rows = []
    for sort in InstrumentClass.values:
        if held := strictest.get(sort):
            margin = margins.get(sort)
            fitting = [n for n in ladder if margin is None or margin.fits(n, held.leverage)]
            rows.append(ClassRow(sort, held, margin, max(ladder), max(fitting, default=None)))
    return rows


def _concerns(line: LeverageCap, account_type: AccountType) -> bool:
    """Tell whether a line holds for somebody to whom the type is offered: by residence, or by the brand's licence."""
    if account_type.brand.licence_country in line.countries:
        return True
    offered = set(account_type.countries) or set(line.countries)
    return bool(offered & set(line.countries) - set(account_type.excluded_countries))


def wrong_classes(types: Iterable[AccountType]) -> list[tuple[AccountType, str]]:
    """List offered types whose group breaks a cap that no leverage heals, with the text. Two queries, however many types."""
    rows = [account_type for account_type in types if account_type.is_enabled and not account_type.is_demo]
    if not rows:
        return []
    margins, lines = of_groups((account_type.server_id, account_type.group) for account_type in rows), lines_today()
    return [
        (account_type, row.words)
        for account_type in rows
        for row in rows_of(account_type, lines, margins.get((account_type.server_id, account_type.group), {}))
        if row.is_wrong
    ]


def page_rows(account_type: AccountType) -> tuple[list[ClassRow], bool]:
    """Read for a type's page its classes, and whether its server has margin rates. Two queries."""
    place = (account_type.server_id, account_type.group)
    margins_of_group = of_groups([place]).get(place, {})
    return rows_of(account_type, lines_today(), margins_of_group), bool(margins_of_group)

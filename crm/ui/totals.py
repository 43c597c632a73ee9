"""Sums in the foot of a list of money: of all rows that match, or of the page where those are too many."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import F, Value

from crm.money.amounts import exponent
from crm.ui.columns import MoneyColumn

if TYPE_CHECKING:
    from crm.ui.tables import Table

# Up to so many rows the sum is exact; adding them up takes some 20 ms.
ROWS_MAX = 10_000
Sums = dict[str, dict[str, Decimal]]


@dataclass(frozen=True)
class Totals:
    """`sums`: by column, then by currency. `is_page`: they are those of the rows on the page only."""

    sums: Sums
    is_page: bool


def totals_of(table: Table) -> Totals | None:
    """Add up the shown money columns that have a total; None where there is nothing to add up.

    It takes a query only where the list goes on after the page and isn't too long.
    """
    columns = [column for column in table.shown_columns if isinstance(column, MoneyColumn) and column.total]
    if not columns or not table.page.rows:
        return None
    if table.page.is_whole:
        return Totals(_on_page(table, columns), is_page=False)
    if table.candidates() is None and table.estimate <= ROWS_MAX:
        sums = _of_all(table, columns)
        if sums is not None:
            return Totals(sums, is_page=False)
    return Totals(_on_page(table, columns), is_page=True)


def _on_page(table: Table, columns: list[MoneyColumn]) -> Sums:
    sums: Sums = {column.name: defaultdict(Decimal) for column in columns}
    for row in table.page.rows:
        for column in columns:
            value = column.read(row)
            if value is not None:
                amount, currency = column.read_money(value, row)
                sums[column.name][currency] += amount
    return sums


def _expression(column: MoneyColumn) -> Any:
    if column.total is not True and not isinstance(column.total, str):
        return column.total
    path = column.total if isinstance(column.total, str) else str(column.value or column.name)
    return F(path.replace(".", "__"))


def _currency(column: MoneyColumn) -> Any:
    path = str(column.currency)
    return Value(path) if path.isupper() else F(path.replace(".", "__"))


def _of_all(table: Table, columns: list[MoneyColumn]) -> Sums | None:
    """Add up in the database, at most `ROWS_MAX` rows; None where there are more than the planner thought."""
    numbers = range(len(columns))
    parts: dict[str, Any] = {f"total_currency_{n}": _currency(columns[n]) for n in numbers}
    parts |= {f"total_amount_{n}": _expression(columns[n]) for n in numbers}
    # The key comes along: where filters make rows distinct, two equal amounts are still two.
    rows = table.matching.order_by().annotate(**parts).values_list("pk", *parts)[: ROWS_MAX + 1]
    inner, params = rows.query.sql_with_params()
    currencies = ", ".join(f"c{n}" for n in numbers)
    amounts = ", ".join(f"a{n}" for n in numbers)
    added = ", ".join(f"sum(a{n})" for n in numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), {currencies}, {added} FROM ({inner}) AS matching(pk, {currencies}, {amounts})"  # noqa: S608
            f" GROUP BY {currencies}",
            params,
        )
        found = cursor.fetchall()
    if sum(line[0] for line in found) > ROWS_MAX:
        return None
    sums: Sums = {column.name: defaultdict(Decimal) for column in columns}
    for line in found:
        for n, column in enumerate(columns):
            currency, amount = line[1 + n], line[1 + len(columns) + n]
            if amount is not None:
                shift = -exponent(currency) if column.minor else 0
                sums[column.name][currency] += Decimal(amount).scaleb(shift)
    return sums

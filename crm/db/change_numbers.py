"""Numbers of changes: what a list of changes is ordered by, and up to where it is complete.

A row's `changed_in` is the number of the transaction that wrote its current version (set by the database). Numbers are
given when a transaction first writes, not when it commits: a lower one may become visible after a higher one. Below
`complete_until` it can't: every transaction with a lower number had ended when the limit was read, so a statement that
starts later sees all of them, and whatever changes later gets a number at or above the limit. A reader who stays below the
limit and goes on from there misses nothing.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import BigIntegerField, F
from django.db.models.expressions import Col

TABLES: Final = (
    "clients_client",
    "leads_lead",
    "trading_deal",
    "trading_tradingaccount",
    "wallet_deposit",
    "wallet_withdrawal",
)
# The timeline changes when a standby takes over, the identifier when a dump is restored: numbers that were seen before may
# be given a second time then.
LIMIT: Final = """
SELECT (SELECT system_identifier FROM pg_control_system()) || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
         || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint + crm_change_offset()
"""
OFFSET: Final = (
    "CREATE OR REPLACE FUNCTION crm_change_offset() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS"
    " $$ SELECT {offset}::bigint $$"
)
_FIELD: Final = BigIntegerField()
_FIELD.column = "changed_in"


class ChangedIn(F):
    """The column, which belongs to no model: the database alone writes it."""

    def __init__(self) -> None:
        super().__init__("changed_in")

    def resolve_expression(self, query: Any = None, *_args: Any, **_kwargs: Any) -> Any:
        return Col(query.get_initial_alias(), _FIELD)


@dataclass(frozen=True, slots=True)
class Limit:
    """`complete_until`: no change with a lower number is still open. `history`: numbers of another one mean nothing here."""

    history: str
    complete_until: int


def read_limit() -> Limit:
    """Read up to where changes are complete; statements that start after this one see all that is below."""
    with connection.cursor() as cursor:
        cursor.execute(LIMIT)
        history, until = cursor.fetchone()
    return Limit(history, until)


def continue_numbering() -> None:
    """Continue the numbers that a restored database brought along; before the tables exist there is nothing to do."""
    highest = " UNION ALL ".join(f"SELECT max(changed_in) FROM {table}" for table in TABLES)  # noqa: S608 - constants
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.columns WHERE column_name = 'changed_in'")
        if cursor.fetchone()[0] < len(TABLES):
            return
        cursor.execute(f"SELECT coalesce(max(max), 0) FROM ({highest}) each_table")  # noqa: S608 - constants
        brought = cursor.fetchone()[0]
        cursor.execute("SELECT pg_current_xact_id()::text::bigint, crm_change_offset()")
        current, offset = cursor.fetchone()
        if brought > current + offset:
            cursor.execute(OFFSET.format(offset=int(brought) + 1 - int(current)))

"""Facts of a client: each written by exactly one app, from events, and recomputable from that app's tables.

    # wallet/facts.py
    fact("first_deposit_at", owner="wallet", sql="SELECT client_id, min(settled_at) FROM wallet_deposit WHERE … GROUP BY 1")

The query returns (client_id, value) for clients that have one; `default` is the value of all others. `waiting` returns the ids
of clients for whom it is about to be written, and who differ from nothing until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

# For the SET of an UPDATE of many clients. Where it sets no column that a generated one is made of, PostgreSQL (ExecInitGenerated
# in 17 and 18) reads the generated columns' expressions again for every row, which took 45 % of the statement.
GENERATED_ONCE: Final = "email = c.email"


@dataclass(frozen=True)
class Fact:
    name: str
    owner: str
    sql: str
    default: str = "NULL"
    waiting: str = "SELECT NULL::bigint WHERE false"


FACTS: dict[str, Fact] = {}


def fact(name: str, *, owner: str, sql: str, default: str = "NULL", waiting: str = Fact.waiting) -> None:
    """Register a fact. `default` is an SQL literal, e.g. `0` or `'unrated'`."""
    if name in FACTS and FACTS[name].owner != owner:
        raise ValueError(f"fact {name} is written by {FACTS[name].owner}; {owner} can't write it too")
    FACTS[name] = Fact(name, owner, sql, default, waiting)


def differences(entry: Fact, *, limit: int = 20) -> Iterator[tuple[int, Any, Any]]:
    """Yield (client id, value on the record, value recomputed) of clients where they differ."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, c.{entry.name}, coalesce(s.value, {entry.default}) FROM clients_client c "  # noqa: S608
            f"LEFT JOIN ({entry.sql}) s(client_id, value) ON s.client_id = c.id "
            f"WHERE c.{entry.name} IS DISTINCT FROM coalesce(s.value, {entry.default}) "
            f"AND NOT EXISTS (SELECT 1 FROM ({entry.waiting}) w(client_id) WHERE w.client_id = c.id) "
            f"ORDER BY c.id LIMIT {int(limit)}"
        )
        yield from cursor.fetchall()


def rebuild(entry: Fact) -> int:
    """Write the recomputed value wherever it differs; returns how many clients changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE clients_client c SET {entry.name} = coalesce(s.value, {entry.default}), {GENERATED_ONCE} "  # noqa: S608
            f"FROM clients_client k LEFT JOIN ({entry.sql}) s(client_id, value) ON s.client_id = k.id "
            f"WHERE c.id = k.id AND c.{entry.name} IS DISTINCT FROM coalesce(s.value, {entry.default})"
        )
        changed: int = cursor.rowcount
        return changed


def rebuild_client(client_id: int, *names: str) -> None:
    """Recompute some facts of one client, e.g. at the end of an event handler."""
    with connection.cursor() as cursor:
        for name in names:
            entry = FACTS[name]
            cursor.execute(
                f"UPDATE clients_client SET {entry.name} = coalesce((SELECT s.value FROM ({entry.sql}) s(client_id, value) "  # noqa: S608
                f"WHERE s.client_id = %s), {entry.default}) WHERE id = %s",
                [client_id, client_id],
            )


fact(
    "last_contact_at",
    owner="clients",
    sql="""
    SELECT client_id, max(at) FROM (
      SELECT client_id, started_at AS at FROM clients_call
      UNION ALL SELECT client_id, created_at FROM clients_message WHERE sender_id IS NOT NULL
    ) contacts GROUP BY client_id
    """,
)

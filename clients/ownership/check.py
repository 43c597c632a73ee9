"""The history of who had a client, compared with the records: triggers keep it, but a restore or a bulk load may leave them out."""

from __future__ import annotations

from django.db import connection

# Clients and books whose last row says something else than they do, or who have none.
GAPS = """
WITH last AS (
  SELECT DISTINCT ON (client_id) client_id, book_id, owner_id, since FROM clients_ownership ORDER BY client_id, since DESC
), last_desk AS (
  SELECT DISTINCT ON (book_id) book_id, desk_id, since FROM clients_bookdesk ORDER BY book_id, since DESC
), clients AS (
  SELECT c.id, c.book_id, c.owner_id, l.since FROM clients_client c LEFT JOIN last l ON l.client_id = c.id
  WHERE l.client_id IS NULL OR (l.book_id, l.owner_id) IS DISTINCT FROM (c.book_id, c.owner_id)
), books AS (
  SELECT b.id, b.desk_id, l.since FROM crm_book b LEFT JOIN last_desk l ON l.book_id = b.id
  WHERE l.book_id IS NULL OR l.desk_id IS DISTINCT FROM b.desk_id
)
"""
NAMED = "SELECT 'client', id FROM clients UNION ALL SELECT 'book', id FROM books ORDER BY 1, 2 LIMIT %s"
SINCE = (
    "CASE WHEN since IS NULL THEN '1970-01-01 00:00:00+00' "
    "ELSE greatest(clock_timestamp(), since + interval '1 microsecond') END"
)
CLOSED = f"""
, closed AS (
  INSERT INTO clients_ownership (client_id, book_id, owner_id, since)
  SELECT id, book_id, owner_id, {SINCE} FROM clients ORDER BY id RETURNING 1
), closed_desks AS (
  INSERT INTO clients_bookdesk (book_id, desk_id, since) SELECT id, desk_id, {SINCE} FROM books ORDER BY id RETURNING 1
)
SELECT (SELECT count(*) FROM closed) + (SELECT count(*) FROM closed_desks)
"""  # noqa: S608 — of constants


def gaps(*, limit: int = 20) -> list[tuple[str, int]]:
    """Name clients and books whose history doesn't end with what they are now, as ("client" or "book", id)."""
    with connection.cursor() as cursor:
        cursor.execute(GAPS + NAMED, [limit])
        return [(kind, pk) for kind, pk in cursor.fetchall()]


def close_gaps() -> int:
    """Write what the history lacks: from now on where it says something else, from the beginning where it says nothing."""
    with connection.cursor() as cursor:
        cursor.execute(GAPS + CLOSED)
        return int(cursor.fetchone()[0])

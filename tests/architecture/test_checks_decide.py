"""A CHECK that comes out as NULL lets its row pass: `amount > 0 AND paid_at IS NOT NULL` holds nothing where the amount is NULL."""

import re

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

# Of every constraint over two columns and more, of which one can be NULL.
CONSTRAINTS = """
SELECT c.conrelid::regclass::text, c.conname, pg_get_expr(c.conbin, c.conrelid),
  array_agg(ARRAY[a.attname::text, format_type(a.atttypid, NULL), a.attnotnull::text] ORDER BY a.attnum)
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
JOIN pg_class t ON t.oid = c.conrelid AND NOT t.relispartition
WHERE c.contype = 'c' AND c.connamespace = 'public'::regnamespace
GROUP BY 1, 2, 3 HAVING count(*) > 1 AND bool_or(NOT a.attnotnull)
ORDER BY 1, 2
"""
NUMBERS = ("-1", "0", "1", "2")
INSTANTS = ("'2026-01-01'", "'2026-01-02'")


def samples(kind: str, words: list[str]) -> tuple[str, ...]:
    """Values of a column's type that a constraint may tell apart."""
    if kind in ("bigint", "integer", "smallint", "numeric", "double precision"):
        return NUMBERS
    if kind == "boolean":
        return ("true", "false")
    if kind == "date" or kind.startswith("timestamp"):
        return INSTANTS
    if kind == "time without time zone":
        return ("'08:00'", "'20:00'")
    if kind == "jsonb":
        return ("'{}'",)
    if kind == "bytea":
        return ("'\\x00'",)
    if kind.endswith("[]"):
        return ("'{}'",)
    if kind in ("text", "character varying"):
        return ("''", "'of no choice'", *(f"'{word}'" for word in words))
    raise AssertionError(f"{kind}: say here which values of it a constraint tells apart")


def test_no_check_over_several_columns_comes_out_undecided():
    undecided = []
    with connection.cursor() as cursor:
        cursor.execute(CONSTRAINTS)
        for table, name, condition, columns in cursor.fetchall():
            words = sorted(set(re.findall(r"'(\w+)'::", condition)))
            lists = []
            for column, kind, is_set in columns:
                values = [*samples(kind, words), *([] if is_set == "true" else ["NULL"])]
                lists.append(f"(VALUES {', '.join(f'({value}::{kind})' for value in values)}) AS v_{column}({column})")
            cursor.execute(f"SELECT * FROM {', '.join(lists)} WHERE ({condition}) IS NULL LIMIT 1")
            if (found := cursor.fetchone()) is not None:
                undecided.append((table, name, dict(zip([column[0] for column in columns], found, strict=True))))
    assert undecided == []

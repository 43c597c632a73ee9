"""Rows with days outside 2000 to 2099 that came before 0064 ended pages in an error: their days are brought to its edge.

Each is named in a warning, with what it said; the file it came from is kept as it came. Then the CHECKs of 0064 hold for all rows.
"""

from django.db import migrations

NAMED_MAX = 100
# Table, CHECK, its columns, their type.
TABLES = [
    ("wallet_bankentry", "bank_entry_days_are_of_this_century", ["booked_on", "value_on"], "date"),
    ("wallet_settlementimport", "report_days_are_of_this_century", ["first_day", "last_day"], "date"),
    ("wallet_settlementrow", "row_times_are_of_this_century", ["booked_at", "value_at"], "timestamptz"),
]
SQL = """
DO $repair$
DECLARE
  odd record;
  is_any boolean := false;
BEGIN
  FOR odd IN SELECT id, concat_ws(', ', {texts}) AS days FROM {table} WHERE {wrong} ORDER BY id LIMIT {named} LOOP
    is_any := true;
    RAISE WARNING '{table} %: its days (%) are outside 2000 to 2099 and are brought to its edge', odd.id, odd.days;
  END LOOP;
  IF is_any THEN
    -- What a report says never changes; here its page could not be shown at all. For the owner, within this transaction.
    ALTER TABLE {table} DISABLE TRIGGER USER;
    UPDATE {table} SET {mend} WHERE {wrong};
    ALTER TABLE {table} ENABLE TRIGGER USER;
  END IF;
END
$repair$;
ALTER TABLE {table} VALIDATE CONSTRAINT {check};
"""


def _sql(table: str, check: str, columns: list[str], kind: str) -> str:
    first = f"{kind} '2000-01-01{' 00:00+00' if kind == 'timestamptz' else ''}'"
    last = f"{kind} '2099-12-31{' 23:59:59.999999+00' if kind == 'timestamptz' else ''}'"
    return SQL.format(
        table=table, check=check, named=NAMED_MAX,
        texts=", ".join(f"{column}::text" for column in columns),
        wrong=" OR ".join(f"{column} < {first} OR {column} > {last}" for column in columns),
        mend=", ".join(f"{column} = CASE WHEN {column} IS NOT NULL THEN least(greatest({column}, {first}), {last}) END" for column in columns),
    )


class Migration(migrations.Migration):
    dependencies = [("wallet", "0067_statements_wait_for_their_end")]

    operations = [migrations.RunSQL(_sql(*table), migrations.RunSQL.noop) for table in TABLES]

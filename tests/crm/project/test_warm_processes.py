"""Long-lived processes load the tables of their first use when they start; commands don't."""

from compliance.matching import east_asian
from crm.project import memory


def test_long_lived_processes_load_the_tables_of_names():
    tables = (east_asian._japanese_names, east_asian._japanese_signs, east_asian._new_forms, east_asian._hanja)
    for table in (*tables, east_asian.japanese, east_asian.korean):
        table.cache_clear()
    memory.warm_up()
    assert [table.cache_info().currsize for table in tables] == [1] * len(tables)

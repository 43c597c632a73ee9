"""Settlement reports, read whole."""

import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

from wallet.movements.psp_records import PspRecords
from wallet.psp.settlement import SettlementReader
from wallet.psp.values import FileRow


@dataclass
class Read:
    rows: list[FileRow]
    first_day: dt.date
    last_day: dt.date
    opening: dict[str, int]
    closing: dict[str, int]
    left_out: int


def read_all(reader: SettlementReader) -> Read:
    """All rows of a report that proved itself."""
    rows = list(reader.rows())
    left_out = sum(one.left_out for one in reader.totals.values())
    return Read(rows, reader.first_day, reader.last_day, reader.opening, reader.closing, left_out)


def read_report(adapter: Any, content: bytes) -> Read:
    return read_all(adapter.read_settlement(io.BytesIO(content), PspRecords(adapter.psp)))

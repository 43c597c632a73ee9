"""A movement as its PSP knows it: a row of a settlement report of the demo."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """In minor units. `client_id` is ours, and in no report."""

    psp: str
    type: str
    psp_reference: str
    merchant_reference: str
    gross_minor: int
    fee_minor: int
    currency: str
    at: dt.datetime
    original_reference: str = ""
    client_id: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor

    @property
    def monday(self) -> dt.date:
        return self.at.date() - dt.timedelta(days=self.at.weekday())

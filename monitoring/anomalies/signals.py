"""What is watched about clients, partners and operations. A signal is one entry here and a reading of its figures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitoring.choices import Watched

DAYS = (1, 5, 15)
# Of ten minutes each: ten minutes, an hour, four hours.
SLOTS = (1, 6, 24)


class Form(StrEnum):
    """How figures are written."""

    MONEY = "money"
    LOTS = "lots"
    COUNT = "count"
    SHARE = "share"
    AVERAGE = "average"
    AGE = "age"


@dataclass(frozen=True)
class Signal:
    """One thing that is counted about a subject.

    subject: the field of `Anomaly` that names it. floor: fewer says nothing (what is expected, for a fall). times: how many times
    the expected it must be at least. is_fall: unusually little is looked for, not unusually much. is_scaled: amounts are counted
    in quarters of the subject's own usual day, so that a cent and a million have one statistic. known: so many slots of the
    past have to hold something, or there is no habit to compare with.
    """

    code: Watched
    subject: str
    form: Form
    floor: float
    times: float = 2.0
    is_fall: bool = False
    is_scaled: bool = False
    known: int = 0

    @property
    def is_service(self) -> bool:
        return self.subject not in ("client", "partner")

    @property
    def is_ratio(self) -> bool:
        """Whether figures are shown as a part of what they are counted out of."""
        return self.form in (Form.SHARE, Form.AVERAGE)

    @property
    def windows(self) -> tuple[int, ...]:
        return SLOTS if self.is_service else DAYS


SIGNALS = {
    signal.code: signal
    for signal in (
        Signal(Watched.DEPOSITS, "client", Form.MONEY, 2_000, 3, is_scaled=True, known=4),
        Signal(Watched.STAKES, "client", Form.LOTS, 2, 3, is_scaled=True, known=8),
        Signal(Watched.TRADES, "client", Form.COUNT, 20, 3),
        Signal(Watched.ODD_HOURS, "client", Form.COUNT, 3, 3),
        Signal(Watched.CLICKS, "partner", Form.COUNT, 100, 3),
        Signal(Watched.CLICKS_FALL, "partner", Form.COUNT, 30, is_fall=True, known=8),
        Signal(Watched.REGISTRATIONS, "partner", Form.COUNT, 8, 3),
        Signal(Watched.CONVERSION_FALL, "partner", Form.SHARE, 8, is_fall=True, known=8),
        Signal(Watched.DECLINES, "psp", Form.SHARE, 6, 1.5),
        Signal(Watched.METHOD_DECLINES, "method", Form.SHARE, 6, 1.5),
        Signal(Watched.PSP_LATENCY, "psp", Form.AVERAGE, 30, 3),
        Signal(Watched.READING_FAILURES, "server", Form.SHARE, 5, 3),
        Signal(Watched.READING_TIME, "server", Form.AVERAGE, 30, 3),
        Signal(Watched.QUEUE_AGE, "queue", Form.AGE, 120, 4),
    )
}

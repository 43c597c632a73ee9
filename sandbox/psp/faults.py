"""The fault switches: what the sandbox does wrong, for whom, and how many times.

| switch | value | what happens |
|---|---|---|
| `webhook_duplicate` | n | each event is sent n times more |
| `webhook_forge` | true | the signature is made with another secret |
| `webhook_stale` | seconds | the signed time lies that far in the past (negative: in the future) |
| `webhook_tamper` | minor units | the amount in the body is changed by that much, and signed rightly |
| `webhook_delay` | seconds | sent that much later |
| `webhook_reorder` | n | events are held until n wait (or 5 s pass), then sent newest first |
| `webhook_drop` | true | never sent: only a look-up finds it |
| `outage` | true | the API and the hosted pages answer 503 |
| `reset` | true | the connection is cut before anything is booked |
| `late_answer` | seconds | booked at once, answered late |
| `lose_answer` | true | booked, then the connection is cut without an answer |
| `payout_fail` | reason | payouts are accepted and fail afterwards |
| `payout_hang` | true | payouts are accepted and stay pending |
| `settlement_difference` | kind | one row of a settlement report differs; kinds in `settlement.DIFFERENCES` |
"""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.psp.store import Store

NAMES = frozenset(
    {
        "webhook_duplicate",
        "webhook_forge",
        "webhook_stale",
        "webhook_tamper",
        "webhook_delay",
        "webhook_reorder",
        "webhook_drop",
        "outage",
        "reset",
        "late_answer",
        "lose_answer",
        "payout_fail",
        "payout_hang",
        "settlement_difference",
    }
)
EVERY_PSP = "*"


class UnknownFaultError(ValueError):
    """The switch does not exist."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Reads and spends the switches kept in the store."""

    store: Store

    def set(self, psp: str, name: str, value: Any, times: int | None = None) -> None:
        """Turn a switch on, for one PSP or `*`, until reset or for so many uses. A false value turns it off."""
        if name not in NAMES:
            raise UnknownFaultError(f"No fault called {name!r}. There are: {', '.join(sorted(NAMES))}.")
        with self.store.transaction():
            self.store.run("DELETE FROM faults WHERE psp = ? AND name = ?", psp, name)
            if value is not False and value is not None:
                self.store.insert("faults", psp=psp, name=name, value=json.dumps(value), remaining=times)

    def clear(self) -> None:
        self.store.run("DELETE FROM faults")

    def active(self) -> list[dict[str, Any]]:
        rows = self.store.rows("SELECT psp, name, value, remaining FROM faults ORDER BY psp, name")
        return [{**dict(row), "value": json.loads(row["value"])} for row in rows]

    def spend(self, psp: str, name: str) -> Any:
        """Read the switch's value if it is on (using up one of its times), else None."""
        with self.store.transaction():
            row = self.store.row(
                "SELECT psp, value, remaining FROM faults WHERE name = ? AND psp IN (?, ?) "
                "AND (remaining IS NULL OR remaining > 0) ORDER BY psp DESC LIMIT 1",
                name,
                psp,
                EVERY_PSP,
            )
            if row is None:
                return None
            if row["remaining"] is not None:
                self.store.run(
                    "UPDATE faults SET remaining = remaining - 1 WHERE psp = ? AND name = ?", row["psp"], name
                )
            return json.loads(row["value"])

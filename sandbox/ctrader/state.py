"""What a cTrader server knows and the engine does not: references of money, versions, cTIDs, commissions not yet taken."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.engine.books import BONUS, BUY, SELL, Books
from sandbox.engine.contracts import GROUPS
from sandbox.engine.deals import IN
from sandbox.engine.store import User

SCHEMA = """
CREATE TABLE IF NOT EXISTS ctrader_refs (
  ticket INTEGER PRIMARY KEY, external_id TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ctrader_versions (login INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ctrader_people (user_id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ctrader_links (login INTEGER PRIMARY KEY, user_id INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ctrader_deals_of_position ON deals (json_extract(data, '$.PositionID'));
"""


@dataclass(frozen=True)
class Reference:
    """What came with a balance operation."""

    external_id: str = ""
    source: str = ""
    note: str = ""


NO_REFERENCE = Reference()


class State:
    """In the engine's own file, so that it is there again after a restart."""

    def __init__(self, books: Books) -> None:
        self.books, self.db = books, books.store.db
        self.db.executescript(SCHEMA)
        self._commissions: dict[str, tuple[int, dict[int, Decimal], Decimal]] = {}
        self._bonuses: dict[int, tuple[int, Decimal]] = {}

    # -- references of money

    def keep_reference(self, ticket: int, reference: Reference) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO ctrader_refs VALUES (?,?,?,?)",
            (ticket, reference.external_id, reference.source, reference.note),
        )

    def reference(self, ticket: int) -> Reference:
        row = self.db.execute(
            "SELECT external_id, source, note FROM ctrader_refs WHERE ticket = ?", (ticket,)
        ).fetchone()
        return Reference(*row) if row else NO_REFERENCE

    # -- traders

    def version(self, login: int) -> int:
        row = self.db.execute("SELECT version FROM ctrader_versions WHERE login = ?", (login,)).fetchone()
        return int(row[0]) if row else 1

    def raise_version(self, login: int) -> None:
        self.db.execute(
            "INSERT INTO ctrader_versions VALUES (?, 2) ON CONFLICT (login) DO UPDATE SET version = version + 1",
            (login,),
        )

    def person(self, email: str) -> tuple[int, bool]:
        """(userId, whether it is new) of an email address."""
        row = self.db.execute("SELECT user_id FROM ctrader_people WHERE email = ?", (email.lower(),)).fetchone()
        if row:
            return int(row[0]), False
        cursor = self.db.execute("INSERT INTO ctrader_people (email) VALUES (?)", (email.lower(),))
        return int(cursor.lastrowid or 0), True

    def knows_person(self, user_id: int) -> bool:
        return bool(self.db.execute("SELECT 1 FROM ctrader_people WHERE user_id = ?", (user_id,)).fetchone())

    def link(self, login: int, user_id: int) -> bool:
        """Link a trader to a cTID; False when they are linked already."""
        if self.db.execute("SELECT 1 FROM ctrader_links WHERE login = ?", (login,)).fetchone():
            return False
        self.db.execute("INSERT INTO ctrader_links VALUES (?,?)", (login, user_id))
        return True

    def linked_to(self, login: int) -> str:
        query = "SELECT email FROM ctrader_links JOIN ctrader_people USING (user_id) WHERE login = ?"
        row = self.db.execute(query, (login,)).fetchone()
        return str(row[0]) if row else ""

    # -- commission: taken when a position closes, for its opening and its closing together

    def commissions(self, login: int, position: str) -> tuple[dict[int, Decimal], Decimal]:
        """Compute what each deal of a position took from the balance, and what its open part will take."""
        version = self.books.store.deal_versions.get(login, 0)
        known = self._commissions.get(position)
        if known and known[0] == version:
            return known[1], known[2]
        query = "SELECT data FROM deals WHERE json_extract(data, '$.PositionID') = ? ORDER BY ticket"
        taken, waiting = _walk([json.loads(data) for (data,) in self.db.execute(query, (position,))])
        self._commissions[position] = (version, taken, waiting)
        return taken, waiting

    def waiting(self, login: int) -> Decimal:
        """Commission of the account's open positions, which its balance does not show yet; never above zero."""
        positions = self.books.store.positions_of(login)
        return sum((self.commissions(login, str(position.ticket))[1] for position in positions), Decimal(0))

    def balance(self, user: User) -> Decimal:
        return user.balance - self.waiting(user.login)

    def bonus(self, login: int) -> Decimal:
        """How much of the account's credit is bonus of the bonus ledger."""
        version = self.books.store.deal_versions.get(login, 0)
        known = self._bonuses.get(login)
        if known and known[0] == version:
            return known[1]
        query = (
            "SELECT json_extract(data, '$.Profit') FROM deals WHERE login = ? AND json_extract(data, '$.Action') = ?"
        )
        total = sum((Decimal(row[0]) for row in self.db.execute(query, (login, str(BONUS)))), Decimal(0))
        self._bonuses[login] = (version, total)
        return total

    def set_password(self, user: User, hashed: str) -> None:
        user.pass_main = f"md5:{hashed}"

    @staticmethod
    def password_is(user: User, hashed: str) -> bool:
        return user.pass_main == f"md5:{hashed}"

    def smallest(self, amount: Decimal, user: User) -> int:
        """In whole units of 10^-moneyDigits."""
        return int(amount.scaleb(GROUPS[user.group].digits).to_integral_value(ROUND_HALF_UP))


def _walk(deals: list[dict[str, Any]]) -> tuple[dict[int, Decimal], Decimal]:
    volume, waiting = 0, Decimal(0)
    taken: dict[int, Decimal] = {}
    for deal in deals:
        if int(deal["Action"]) not in (BUY, SELL):
            continue
        filled, closed, charged = int(deal["VolumeExt"]), int(deal["VolumeClosedExt"]), Decimal(deal["Commission"])
        smallest = Decimal(1).scaleb(-int(deal["DigitsCurrency"]))
        ticket = int(deal["Deal"])
        if int(deal["Entry"]) == IN:
            volume, waiting, taken[ticket] = volume + filled, waiting + charged, Decimal(0)
            continue
        share = waiting if closed >= volume else (waiting * closed / volume).quantize(smallest, ROUND_HALF_UP)
        own = charged if closed >= filled else (charged * closed / filled).quantize(smallest, ROUND_HALF_UP)
        taken[ticket] = share + own
        waiting += charged - own - share
        volume = max(0, volume - closed) + filled - closed
    return taken, waiting

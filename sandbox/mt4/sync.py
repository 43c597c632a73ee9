"""The sync session: opened at a second of the server's clock, then read piece by piece until nothing is left.

There is one for the whole bridge, as there is one connection of its manager: whoever opens it anew ends the other's.
"""

from __future__ import annotations

from sandbox.engine.books import Books
from sandbox.mt4.records import Records, Row


class Sync:
    def __init__(self, books: Books, records: Records) -> None:
        self.books, self.records = books, records
        self._trades: list[Row] | None = None
        self._users_from: int | None = None

    def forget(self) -> None:
        self._trades = self._users_from = None

    def start_trades(self, since: int) -> None:
        stamp = self.records.stamp_of_second(since) if since else 0
        self._trades = self.records.changed_since(stamp)

    def read_trades(self, limit: int) -> list[Row] | None:
        """Take the next rows; None without a session."""
        if self._trades is None:
            return None
        piece, self._trades = self._trades[:limit], self._trades[limit:]
        return piece

    def start_users(self, since: int) -> None:
        self._users_from = since

    def read_users(self) -> list[int] | None:
        """Logins whose record was used since then, once; None without a session."""
        since, self._users_from = self._users_from, None
        if since is None:
            return None
        users = self.books.store.users.values()
        return sorted(user.login for user in users if max(user.registration, user.last_access) >= since)

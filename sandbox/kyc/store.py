"""The provider's memory: applicants, pictures, links and faults in one SQLite file, behind one lock."""

import json
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS applicants (id TEXT PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pictures (
  id TEXT PRIMARY KEY, applicant_id TEXT NOT NULL, body TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS links (
  token TEXT PRIMARY KEY, external_id TEXT NOT NULL, return_url TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS reviews (applicant_id TEXT PRIMARY KEY, due_at REAL NOT NULL, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (name TEXT PRIMARY KEY, value TEXT NOT NULL, times INTEGER);
"""


def new_id() -> str:
    """Make an id as the provider does: 24 letters and digits."""
    return secrets.token_hex(12)


class Store:
    """Rows as JSON; every method is one locked step."""

    def __init__(self, path: Path | str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # ── applicants ──
    def save(self, applicant: dict[str, Any]) -> None:
        self.run(
            "INSERT INTO applicants VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            applicant["id"],
            applicant["externalUserId"],
            json.dumps(applicant),
        )

    def applicant(self, applicant_id: str) -> dict[str, Any] | None:
        return self._one("SELECT body FROM applicants WHERE id = ?", applicant_id)

    def by_external_id(self, external_id: str) -> dict[str, Any] | None:
        return self._one("SELECT body FROM applicants WHERE external_id = ?", external_id)

    def _one(self, sql: str, value: str) -> dict[str, Any] | None:
        rows = self.run(sql, value)
        return json.loads(rows[0][0]) if rows else None

    def all_applicants(self) -> list[dict[str, Any]]:
        return [json.loads(body) for (body,) in self.run("SELECT body FROM applicants ORDER BY rowid")]

    # ── pictures ──
    def add_picture(self, applicant_id: str, body: dict[str, Any], content: bytes) -> str:
        picture_id = new_id()
        self.run("INSERT INTO pictures VALUES (?, ?, ?, ?)", picture_id, applicant_id, json.dumps(body), content)
        return picture_id

    def pictures(self, applicant_id: str) -> list[dict[str, Any]]:
        rows = self.run("SELECT id, body FROM pictures WHERE applicant_id = ? ORDER BY rowid", applicant_id)
        return [{"id": picture_id, **json.loads(body)} for picture_id, body in rows]

    def content(self, picture_id: str) -> bytes | None:
        rows = self.run("SELECT content FROM pictures WHERE id = ?", picture_id)
        return bytes(rows[0][0]) if rows else None

    # ── faults ──
    def set_fault(self, name: str, value: Any, times: int | None) -> None:
        self.run("INSERT OR REPLACE INTO faults VALUES (?, ?, ?)", name, json.dumps(value), times)

    def spend(self, name: str) -> Any:
        """Return a fault's value and use one of its times up; None where it is off."""
        with self._lock:
            rows = self.run("SELECT value, times FROM faults WHERE name = ?", name)
            if not rows:
                return None
            value, times = rows[0]
            if times is not None:
                self.run("DELETE FROM faults WHERE name = ? AND times <= 1", name)
                self.run("UPDATE faults SET times = times - 1 WHERE name = ?", name)
            return json.loads(value)

"""Facts of a client: one registry that lists, filters, exports and conditions read.

    # wallet/facts.py
    fact("deposits_count", _("Deposits"), FieldType.NUMBER, owner="wallet", side=WalletFacts, default="0",
         sql="SELECT client_id, count(*) FROM wallet_deposit WHERE … GROUP BY 1")

Each is written by exactly one app, from events (`rebuild_client`), and recomputable from that app's tables: `sql` returns
(client_id, value) for clients that have one, `default` is the value of all others. A fact is a column of the client's row only
where lists sort or filter by it at size; every other one is in its app's side table (`SideFacts`, one row per client). What
people enter is its own source: `entered`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clients.choices import Stage
from clients.countries import country_choices
from clients.models import Client, SideFacts
from clients.vocabulary import CLIENT
from crm.conditions import Field, FieldType
from crm.conditions.fields import Choices, Label

# For the SET of an UPDATE of many clients. Where it sets no column that a generated one is made of, PostgreSQL (ExecInitGenerated
# in 17 and 18) reads the generated columns' expressions again for every row, which took 45 % of the statement.
GENERATED_ONCE: Final = "email = c.email"
NOBODY: Final = "SELECT NULL::bigint WHERE false"
OWNERS: Final[dict[str, Label]] = {
    "clients": _("Profile"),
    "leads": _("Sales"),
    "support": _("Support"),
    "kyc": _("Verification"),
    "compliance": _("Compliance"),
    "trading": _("Trading"),
    "wallet": _("Payments"),
    "portal": _("Client portal"),
}

Side = type[SideFacts]


@dataclass(frozen=True)
class Fact:
    """A described value of a client.

    name: of the fact, and of its column. side: the side table, None for a column of the client's row. sql: empty for what
    people enter. waiting: the ids of clients for whom it is about to be written, who differ from nothing until then. absent:
    `default` in Python, for a client without a row in the side table.
    """

    name: str
    label: Label
    type: FieldType
    owner: str
    sql: str = ""
    default: str = "NULL"
    waiting: str = NOBODY
    choices: Callable[[], Choices] | None = None
    side: Side | None = None
    absent: Any = None

    @property
    def model(self) -> Any:
        return self.side or Client

    @property
    def table(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def key(self) -> str:
        """The column of its table that holds the client's id."""
        return "client_id" if self.side else "id"

    @property
    def path(self) -> str:
        """How the ORM reaches it from a client."""
        return (
            f"{self.side._meta.get_field('client').remote_field.related_name}__{self.name}" if self.side else self.name
        )

    def value_of(self, subject: Any) -> Any:
        """Read it from a client, or from a mapping of facts."""
        if isinstance(subject, Mapping):
            return subject.get(self.name, self.absent)
        if self.side is None or self.name in subject.__dict__:
            return getattr(subject, self.name)
        beside = getattr(subject, self.path.partition("__")[0], None)
        return self.absent if beside is None else getattr(beside, self.name)

    def as_field(self) -> Field:
        """Describe it for conditions."""
        return Field(
            self.name,
            self.label,
            self.type,
            self.name,
            self.choices,
            self.value_of,
            group=OWNERS[self.owner],
            rows=None if self.side is None else self.side._default_manager.all,
            absent=self.absent,
        )


FACTS: dict[str, Fact] = {}


def fact(name: str, label: Label, type: FieldType, *, owner: str, **how: Any) -> None:
    """Register a fact. `default` is an SQL literal, e.g. `0` or `'unrated'`. Raises: ValueError for a name that is taken."""
    if name in FACTS:
        raise ValueError(f"fact {name} is written by {FACTS[name].owner}; {owner} can't write it too")
    FACTS[name] = Fact(name, label, type, owner, **how)
    CLIENT.add(FACTS[name].as_field())


def entered(name: str, label: Label, type: FieldType, choices: Callable[[], Choices] | None = None) -> None:
    """Register a value that people enter on the client's record: nothing recomputes it."""
    fact(name, label, type, owner="clients", choices=choices)


def recomputed() -> list[Fact]:
    """List the facts that come from source tables."""
    return [entry for entry in FACTS.values() if entry.sql]


def names_of(owner: str) -> list[str]:
    """Name the facts that an app recomputes."""
    return [entry.name for entry in recomputed() if entry.owner == owner]


def side_tables() -> list[str]:
    """Name the relations of a client to the side tables, for `select_related`."""
    return list(dict.fromkeys(entry.path.partition("__")[0] for entry in FACTS.values() if entry.side is not None))


def with_facts(rows: QuerySet[Client], *names: str) -> QuerySet[Any]:
    """Annotate clients with facts of side tables under the facts' own names; one join per table."""
    beside = [FACTS[name] for name in names if FACTS[name].side is not None]
    if not beside:
        return rows
    return rows.annotate(
        **{
            entry.name: F(entry.path) if entry.absent is None else Coalesce(F(entry.path), Value(entry.absent))
            for entry in beside
        }
    )


def fact_of(client: Client, name: str) -> Any:
    """Read a fact of one client, wherever it lives; one query per side table."""
    return FACTS[name].value_of(client)


def differences(entry: Fact, *, limit: int = 20) -> Iterator[tuple[int, Any, Any]]:
    """Yield (client id, value as stored, value recomputed) of clients where they differ."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, coalesce(t.{entry.name}, {entry.default}), coalesce(s.value, {entry.default}) FROM clients_client c "  # noqa: S608
            f"LEFT JOIN {entry.table} t ON t.{entry.key} = c.id LEFT JOIN ({entry.sql}) s(client_id, value) ON s.client_id = c.id "
            f"WHERE coalesce(t.{entry.name}, {entry.default}) IS DISTINCT FROM coalesce(s.value, {entry.default}) "
            f"AND NOT EXISTS (SELECT 1 FROM ({entry.waiting}) w(client_id) WHERE w.client_id = c.id) "
            f"ORDER BY c.id LIMIT {int(limit)}"
        )
        yield from cursor.fetchall()


def rebuild(entry: Fact) -> int:
    """Write the recomputed value wherever it differs; returns how many clients changed."""
    if entry.side is None:
        statement = (
            f"UPDATE clients_client c SET {entry.name} = coalesce(s.value, {entry.default}), {GENERATED_ONCE} "  # noqa: S608
            f"FROM clients_client k LEFT JOIN ({entry.sql}) s(client_id, value) ON s.client_id = k.id "
            f"WHERE c.id = k.id AND c.{entry.name} IS DISTINCT FROM coalesce(s.value, {entry.default})"
        )
    else:
        statement = (
            f"INSERT INTO {entry.table} (client_id, {entry.name}) SELECT c.id, coalesce(s.value, {entry.default}) "  # noqa: S608
            f"FROM clients_client c LEFT JOIN {entry.table} t ON t.client_id = c.id "
            f"LEFT JOIN ({entry.sql}) s(client_id, value) ON s.client_id = c.id "
            f"WHERE coalesce(t.{entry.name}, {entry.default}) IS DISTINCT FROM coalesce(s.value, {entry.default}) "
            f"ORDER BY c.id ON CONFLICT (client_id) DO UPDATE SET {entry.name} = excluded.{entry.name}"
        )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        changed: int = cursor.rowcount
        return changed


def rebuild_client(client_id: int, *names: str) -> None:
    """Recompute some facts of one client, e.g. at the end of an event handler."""
    rebuild_clients([client_id], *names)


def rebuild_clients(client_ids: list[int], *names: str) -> None:
    """Recompute some facts of a few clients: a statement per fact, in the order of the ids."""
    ids = sorted(client_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            entry = FACTS[name]
            take_turns(ids, entry.side)
            found = f"SELECT s.value FROM ({entry.sql}) s(client_id, value) WHERE s.client_id = k.id"  # noqa: S608
            value = f"coalesce(({found}), {entry.default})"
            if entry.side is None:
                statement = (
                    f"UPDATE clients_client c SET {name} = {value}, {GENERATED_ONCE} FROM unnest(%s::bigint[]) k(id) "  # noqa: S608
                    "WHERE c.id = k.id"
                )
            else:
                statement = (
                    f"INSERT INTO {entry.table} (client_id, {name}) SELECT k.id, {value} FROM unnest(%s::bigint[]) k(id) "  # noqa: S608
                    f"ON CONFLICT (client_id) DO UPDATE SET {name} = excluded.{name}"
                )
            cursor.execute(statement, [ids])


def take_turns(client_ids: list[int], side: Side | None) -> None:
    """Lock the rows that hold these clients' facts, in the order of the ids, in the caller's transaction.

    In a statement before the one that computes: that one's snapshot must begin after whoever held them committed, or it would
    write a sum over what the other had not yet changed.
    """
    with connection.cursor() as cursor:
        if side is None:
            cursor.execute(
                "SELECT 1 FROM clients_client WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [client_ids]
            )
            return
        table = side._meta.db_table
        cursor.execute(
            f"INSERT INTO {table} (client_id) SELECT id FROM unnest(%s::bigint[]) k(id) ORDER BY id ON CONFLICT DO NOTHING",  # noqa: S608
            [client_ids],
        )
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE client_id = ANY(%s) ORDER BY client_id FOR NO KEY UPDATE",  # noqa: S608
            [client_ids],
        )


entered("stage", _("Stage"), FieldType.CHOICE, lambda: Stage.choices)
entered("country", _("Country"), FieldType.CHOICE, country_choices)
entered("language", _("Language"), FieldType.TEXT)
entered("nationality", _("Nationality"), FieldType.CHOICE, country_choices)
entered("city", _("City"), FieldType.TEXT)
entered("marketing_consent", _("Marketing consent"), FieldType.YES_NO)
entered("created_at", _("Created"), FieldType.MOMENT)
entered("registered_at", _("Registered"), FieldType.MOMENT)
fact(
    "last_contact_at",
    _("Last contact"),
    FieldType.MOMENT,
    owner="clients",
    sql="""
    SELECT client_id, max(at) FROM (
      SELECT client_id, started_at AS at FROM clients_call
      UNION ALL SELECT client_id, created_at FROM clients_message WHERE sender_id IS NOT NULL AND state <> 'undone'
        AND template <> 'clients.forward'
      UNION ALL SELECT t.client_id, m.created_at FROM clients_textthread t JOIN clients_textmessage m ON m.thread_id = t.id
        WHERE t.client_id IS NOT NULL AND m.sender_id IS NOT NULL AND m.state <> 'undone'
      UNION ALL SELECT c.client_id, l.created_at FROM clients_chat c JOIN clients_chatline l ON l.chat_id = c.id
        WHERE l.kind = 'agent'
    ) contacts GROUP BY client_id
    """,
)

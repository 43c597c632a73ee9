"""Whom a login fits: the same e-mail address, the same phone, the same name, with weights as for leads.

Same e-mail address 4, same phone 3, same full name 2, same country 1 beside one of those. Four is certain: an e-mail address
is enough, a phone needs the name or the country beside it, a name is never more than a question. No platform knows dates of
birth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Book, User
from crm.security.scope import reach_of
from trading.choices import UNDECIDED, Verdict
from trading.imports.countries import folded
from trading.models import AccountType, StagedLogin, TradingServer

WEIGHTS: Final = {"email": 4, "phone": 3, "name": 2, "country": 1}
CERTAIN: Final = 4
SHOWN_MAX: Final = 5
FITTING: Final = (Verdict.CLEAN, Verdict.PERHAPS, Verdict.SEVERAL, Verdict.NO_CLIENT, Verdict.NO_TYPE)
"""Verdicts that matching gives and takes; the others stand whoever the login belongs to."""
CANDIDATES: Final = """
WITH row AS (
  SELECT id, email_canonical, phone_canonical, lower(name) AS name, country FROM trading_stagedlogin WHERE id = ANY(%(rows)s)
), hit AS (
  SELECT r.id AS row_id, c.id AS client_id, 'email' AS code FROM row r
  JOIN clients_client c ON c.brand_id = ANY(%(brands)s) AND c.email_canonical = r.email_canonical AND c.email <> ''
  WHERE r.email_canonical <> ''
  UNION ALL
  SELECT r.id, c.id, 'phone' FROM row r
  JOIN clients_client c ON c.brand_id = ANY(%(brands)s) AND c.phone = r.phone_canonical AND c.phone <> ''
  WHERE r.phone_canonical <> ''
  UNION ALL
  SELECT r.id, c.id, 'name' FROM row r
  JOIN clients_client c ON c.brand_id = ANY(%(brands)s) AND lower(c.first_name || ' ' || c.last_name) = r.name
  WHERE r.name <> '' AND position(' ' IN r.name) > 0
)
SELECT h.row_id, h.client_id, array_agg(h.code ORDER BY h.code), bool_or(c.country = r.country AND r.country <> ''),
  c.brand_id, c.stage = 'closed', c.first_name || ' ' || c.last_name, r.name
FROM hit h JOIN clients_client c ON c.id = h.client_id AND c.book_id = ANY(%(books)s) AND c.stage <> 'lead'
JOIN row r ON r.id = h.row_id
GROUP BY h.row_id, h.client_id, c.id, r.name ORDER BY h.row_id, h.client_id
"""
WRITE: Final = """
UPDATE trading_stagedlogin s SET verdict = i.verdict, client_id = i.client_id, account_type_id = i.type_id,
  reasons = i.reasons, problem = i.problem
FROM jsonb_to_recordset(%(rows)s::jsonb)
  AS i(id bigint, verdict varchar, client_id bigint, type_id bigint, reasons jsonb, problem varchar)
WHERE s.id = i.id AND s.state = ANY(%(undecided)s)
"""


@dataclass(frozen=True)
class Fit:
    """A client that a login may belong to."""

    client_id: int
    codes: tuple[str, ...]
    weight: int
    type_id: int | None
    is_closed: bool

    def as_json(self) -> dict[str, Any]:
        return {"client": self.client_id, "codes": list(self.codes), "weight": self.weight, "type": self.type_id}


def match_logins(server: TradingServer, logins: Sequence[str], *, user: User) -> int:
    """Match these logins again among the clients that the user reaches. Decided ones are left alone."""
    rows = StagedLogin.objects.filter(server=server, login__in=logins, state__in=UNDECIDED, verdict__in=FITTING)
    return match_rows(server, list(rows.only("pk", "group", "currency")), user=user)


def match_rows(server: TradingServer, rows: Sequence[StagedLogin], *, user: User) -> int:
    """Write verdict, client, type and reasons of some rows: one query for the candidates, one to write."""
    if not rows:
        return 0
    types = TypesOf(server)
    reach = reach_of(user)
    fits_by_row = _fits(rows, types, types.brands & set(reach.brands), reach.books)
    by_id = {row.pk: row for row in rows}
    judged = [{"id": pk, **_judged(by_id[pk], fits)} for pk, fits in fits_by_row.items()]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {"rows": orjson.dumps(judged).decode(), "undecided": list(UNDECIDED)})
    return len(rows)


def fits_everywhere(row: StagedLogin, client: Client) -> list[Fit]:
    """Find whom a login fits now among all clients of its server's brands and the client's own, whoever asks."""
    types = TypesOf(row.server)
    brands = types.brands | {client.brand_id}
    return _fits([row], types, brands, Book.objects.filter(brand__in=brands).values_list("pk", flat=True))[row.pk]


def agreeing_codes(row: StagedLogin, client: Client) -> tuple[str, ...]:
    """List what agrees between the platform's data and a client; nothing where another client fits better.

    One who fits better counts even where the person who chooses doesn't reach them: a namesake doesn't get the login.
    """
    fits = fits_everywhere(row, client)
    chosen = next((fit for fit in fits if fit.client_id == client.pk), None)
    if chosen is None or any(fit.weight > chosen.weight for fit in fits):
        return ()
    return chosen.codes


def _fits(
    rows: Sequence[StagedLogin], types: TypesOf, brands: Iterable[int], books: Iterable[int]
) -> dict[int, list[Fit]]:
    fits_by_row: dict[int, list[Fit]] = {row.pk: [] for row in rows}
    by_id = {row.pk: row for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, {"rows": list(by_id), "brands": sorted(brands), "books": sorted(books)})
        for row_id, client_id, hits, same_country, brand_id, is_closed, name, name_there in cursor.fetchall():
            row = by_id[row_id]
            hits = {*hits, *(["country"] if same_country else [])}
            if name_there and folded(name) == folded(name_there):
                hits.add("name")
            codes = [code for code in WEIGHTS if code in hits]
            fits_by_row[row_id].append(
                Fit(client_id, tuple(codes), sum(WEIGHTS[c] for c in codes), types.of(brand_id, row), is_closed)
            )
    return fits_by_row


class TypesOf:
    """Account types of a server by brand, group and currency."""

    def __init__(self, server: TradingServer) -> None:
        types = AccountType.objects.filter(server=server).order_by("-is_enabled", "position", "pk")
        self._first: dict[tuple[int, str, str], int] = {}
        self.brands: set[int] = set()
        for account_type in types:
            self._first.setdefault((account_type.brand_id, account_type.group, account_type.currency), account_type.pk)
            self.brands.add(account_type.brand_id)

    def of(self, brand_id: int, row: StagedLogin) -> int | None:
        return self._first.get((brand_id, row.group, row.currency))


def _judged(row: StagedLogin, fits: Iterable[Fit]) -> dict[str, Any]:
    """Decide the verdict on a login. A client of a brand that has the group comes before one of a brand that hasn't."""
    ranked = sorted(fits, key=lambda fit: (-fit.weight, fit.type_id is None, fit.is_closed, fit.client_id))
    certain = [fit for fit in ranked if fit.weight >= CERTAIN]
    typed = [fit for fit in certain if fit.type_id is not None]
    best = typed or certain or ranked
    verdict, problem, fit = Verdict.NO_CLIENT, "", None
    if best:
        fit = best[0]
        rivals = [candidate for candidate in best if candidate.weight == fit.weight]
        if len(typed or certain) > 1 or len(rivals) > 1:
            verdict, fit = Verdict.SEVERAL, None
        elif fit.type_id is None:
            verdict = Verdict.NO_TYPE
            problem = _("No account type of the client's brand has the group %(group)s in %(currency)s.") % {
                "group": row.group,
                "currency": row.currency,
            }
        elif fit.weight < CERTAIN or fit.is_closed:
            verdict = Verdict.PERHAPS
        else:
            verdict = Verdict.CLEAN
    return {
        "verdict": verdict.value,
        "client_id": fit.client_id if fit else None,
        "type_id": fit.type_id if fit else None,
        "reasons": [candidate.as_json() for candidate in ranked[:SHOWN_MAX]],
        "problem": problem,
    }


def words_of(codes: Iterable[str]) -> str:
    """Write what agrees, `same mailbox, same country`, in the reader's language."""
    labels = {
        "email": _("same e-mail address"),
        "phone": _("same phone number"),
        "name": _("same name"),
        "country": _("same country"),
    }
    return ", ".join(labels.get(code, code) for code in codes)


def clients_of(rows: Iterable[StagedLogin], user: User) -> dict[int, Client]:
    """Read the clients named in these rows' reasons, as far as the user reaches them; one query."""
    ids = {reason["client"] for row in rows for reason in row.reasons}
    clients = Client.objects.filter(pk__in=ids, book_id__in=reach_of(user).books).select_related("brand", "owner")
    return {client.pk: client for client in clients}

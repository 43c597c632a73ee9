"""Screenings, decisions, restrictions and ratings of the demo's clients: the real matcher, written set-based."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from clients.choices import Stage, TimelineKind
from clients.demo.write import TIMELINE, entry
from clients.facts import FACTS, rebuild
from clients.models import Client
from compliance import screening
from compliance.audit_codes import ComplianceAction
from compliance.choices import NOT_FOR_SALES, ClearReason, HitState, RestrictionCause, RestrictionKind, ScreeningTrigger
from compliance.hits import new_items
from compliance.matching import VERSION
from compliance.models import Hit, Restriction, RiskAssessment, Screening
from compliance.risk_rating import computing
from compliance.risk_rating.content import Content
from compliance.risk_rating.versions import current_model
from compliance.sources.house import COLUMNS
from compliance.watchlists import import_watchlist
from crm.choices import WorkState
from crm.db.bulk import copy_models, copy_rows
from crm.demo import Demo
from crm.i18n.localized_text import phrase
from crm.models import Brand
from crm.security import audit

CLEARED = {
    "differs": (ClearReason.BIRTH_DATE, "Born in another year: passport seen."),
    "near": (ClearReason.DOCUMENT, "Passport and place of birth differ from the entry."),
    "unknown": (ClearReason.NATIONALITY, "Another nationality; nothing connects the client with the entry."),
}
OPEN_MAX = 3
LOOKALIKES = 7
REASONS = ("Chargebacks on four cards", "Two accounts under other names", "Forged utility bill")


def house_list(demo: Demo) -> None:
    """The brokerage's own list: invented people, some with names like those of clients, so that matches turn up."""
    verified: dict[int, dt.datetime] = demo.extra.get("verified_at", {})
    newest = sorted(verified, key=lambda client_id: verified[client_id], reverse=True)
    chosen = [*newest[:OPEN_MAX], *newest[20 : 20 + 40 * LOOKALIKES : 40]][: demo.count(LOOKALIKES) + 1]
    clients = Client.objects.in_bulk(chosen)
    rows = []
    for number, client_id in enumerate(chosen):
        client = clients[client_id]
        assert client.date_of_birth is not None
        born = client.date_of_birth.replace(day=1 + (client.date_of_birth.day + 9) % 28)
        birth = "" if number % 3 == 1 else str(born.year + number % 2)
        name = f"{client.first_name} {client.last_name}"
        rows.append(
            [
                number + 1,
                name,
                f"{client.last_name} {client.first_name[0]}.",
                birth,
                client.country,
                REASONS[number % 3],
            ]
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "house-list.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([COLUMNS, *rows])
        import_watchlist(source="house", path=path, actor=None)


def screen(demo: Demo) -> None:
    """Every verified client at the moment of verification; old matches were cleared, the latest few wait."""
    verified: dict[int, dt.datetime] = demo.extra.get("verified_at", {})
    clients = list(Client.objects.filter(pk__in=verified).select_related("brand").order_by("pk"))
    lists = screening.lists_in_force()
    screenings, hits, log, timeline = [], [], [], []
    for client in clients:
        person, threshold = screening.person_of(client), screening.threshold_of(client)
        entries, compared = screening.matches(person, threshold=float(threshold))
        at, client_hash = verified[client.pk] + dt.timedelta(seconds=2), screening.hash_of(person)
        row = Screening(
            client=client,
            at=at,
            trigger=ScreeningTrigger.VERIFIED,
            matcher_version=VERSION,
            threshold=threshold,
            lists=lists,
            client_hash=client_hash,
            candidate_count=compared,
            hit_count=len(entries),
            duration_ms=9,
        )
        screenings.append(row)
        hits += [
            Hit(
                screening=row,
                client=client,
                entry=listed,
                client_hash=screening.match_hash(client_hash, asdict(explained)),
                entry_hash=listed.content_hash,
                score=Decimal(str(explained.score)),
                explanation=asdict(explained),
                found_at=at,
            )
            for listed, explained in entries
        ]
    copy_models(screenings)
    holds = _decide(demo, hits)
    items = new_items(hits)
    for item, hit in zip(items, hits, strict=True):
        if hit.decided_at is not None:
            item.state, item.outcome, item.decided_by = WorkState.FINAL, hit.state, hit.decided_by
            item.decided_at = item.final_at = hit.decided_at
    copy_models(items)
    for hit in hits:
        hit.screening_id = hit.screening.pk
        hit.work = hit.work  # its id is known now
    copy_models(hits)
    for hold in holds:
        assert hold.hit is not None
        hold.hit_id = hold.hit.pk
    copy_models(holds)
    for row in screenings:
        common = {"client_id": row.client_id, "brand_id": row.client.brand_id, "at": row.at, "actor": None}
        log.append(
            {
                **common,
                "action": ComplianceAction.CLIENT_SCREENED,
                "target": row,
                "after": {"hits": row.hit_count, "candidates": row.candidate_count, "trigger": str(row.trigger)},
                "evidence": {"matcher": VERSION, "threshold": str(row.threshold), "lists": lists},
            }
        )
        title = phrase("Screened: no matches")
        if row.hit_count:
            title = phrase("Screened, possible matches: %(count)d") % {"count": row.hit_count}
        timeline.append(
            entry(
                row.client_id,
                row.at,
                TimelineKind.COMPLIANCE,
                title,
                key=f"screening:{row.pk}",
                data={"needs": NOT_FOR_SALES},
            )
        )
    audit.record_many([*log, *_decisions(hits), *_placed(holds)])
    copy_rows("clients_timelineentry", TIMELINE, timeline)


def _decide(demo: Demo, hits: list[Hit]) -> list[Restriction]:
    """All but the latest few are cleared, some hours later; each held its client until then."""
    officers = demo.by_role["kyc_officer"] + demo.by_role["mlro"]
    latest = sorted({hit.client_id: hit.found_at for hit in hits}.items(), key=lambda pair: pair[1])[-OPEN_MAX:]
    waiting = {client_id for client_id, at in latest if at > demo.now - dt.timedelta(days=10)}
    holds = []
    for hit in hits:
        hold = Restriction(
            client=hit.client,
            kind=RestrictionKind.FROZEN,
            cause=RestrictionCause.SCREENING_HOLD,
            hit=hit,
            placed_at=hit.found_at,
            reason=f"Possible match with {hit.entry.primary_name} under review",
        )
        holds.append(hold)
        if hit.client_id in waiting:
            continue
        code, reason = CLEARED.get(str(hit.explanation.get("birth")), CLEARED["near"])
        decided = min(hit.found_at + dt.timedelta(minutes=demo.rng.uniform(12, 240)), demo.now)
        hit.state, hit.reason_code, hit.reason = HitState.FALSE_POSITIVE, code, reason
        hit.decided_by, hit.decided_at = demo.rng.choice(officers), decided
        hold.lifted_by, hold.lifted_at, hold.lift_reason = hit.decided_by, decided, f"Match cleared: {code.label}"
    return holds


def _decisions(hits: list[Hit]) -> list[dict[str, Any]]:
    return [
        {
            "actor": hit.decided_by,
            "action": ComplianceAction.HIT_CLEARED,
            "target": hit,
            "client_id": hit.client_id,
            "brand_id": hit.client.brand_id,
            "at": hit.decided_at,
            "before": {"state": "open"},
            "after": {"state": str(hit.state), "reason_code": str(hit.reason_code)},
            "reason": hit.reason,
            "evidence": {"entry": hit.entry.external_id, "list": hit.entry.source.code, "score": str(hit.score)},
        }
        for hit in hits
        if hit.decided_at is not None
    ]


def _placed(rows: list[Restriction]) -> list[dict[str, Any]]:
    return [
        {
            "actor": row.placed_by,
            "action": ComplianceAction.RESTRICTION_PLACED,
            "target": row,
            "client_id": row.client_id,
            "brand_id": row.client.brand_id,
            "at": row.placed_at,
            "after": {"kind": str(row.kind), "cause": str(row.cause)},
            "reason": row.reason,
        }
        for row in rows
    ]


def restrict(demo: Demo) -> None:
    """A few by hand, on clients who have no money with the broker yet: in force, asked to be lifted, lifted by two."""
    officer, mlro = demo.by_role["kyc_officer"][0], demo.by_role["mlro"][0]
    clients = list(Client.objects.filter(stage=Stage.VERIFIED).select_related("brand").order_by("-pk")[: demo.count(4)])
    rows = []
    for number, client in enumerate(clients):
        placed = demo.now - dt.timedelta(days=3 + number)
        row = Restriction(
            client=client,
            kind=RestrictionKind.NO_WITHDRAWAL if number % 2 else RestrictionKind.NO_DEPOSIT,
            reason="Source of funds asked for; the client has not answered yet.",
            placed_by=mlro,
            placed_at=placed,
        )
        if number in (1, 2):
            row.lift_requested_by, row.lift_requested_at = officer, placed + dt.timedelta(days=1)
            row.lift_reason = "The client sent a bank statement that explains the money."
        if number == 2:
            row.lifted_by, row.lifted_at = mlro, placed + dt.timedelta(days=1, hours=3)
        rows.append(row)
    copy_models(rows)
    audit.record_many(_placed(rows))
    rebuild(FACTS["restrictions"])


def rate(demo: Demo) -> None:
    """Everybody who registered."""
    rows = []
    for brand in Brand.objects.order_by("pk"):
        clients = Client.objects.filter(brand=brand, registered_at__isnull=False).order_by("pk")
        registered = dict(clients.values_list("pk", "registered_at"))
        if not registered:
            continue
        model = current_model(brand)
        for row in computing.rate(
            brand, Content.read(model.content), model_id=model.pk, ids=list(registered), now=demo.now
        ):
            at: Any = demo.extra.get("verified_at", {}).get(row.client_id) or registered[row.client_id]
            rows.append(
                RiskAssessment(
                    client_id=row.client_id, rating=row.rating, points=row.points, factors=row.codes, model=model, at=at
                )
            )
    copy_models(rows)
    rebuild(FACTS["risk_rating"])

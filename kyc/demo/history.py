"""Documents that were decided in the past, set-based: files, rows, checks, decisions, levels, and what the logs say of them."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from django.db import transaction
from django.utils import translation

from clients.choices import Stage, TimelineKind
from clients.demo.activity import next_open
from clients.demo.journeys import Journey
from clients.demo.write import TIMELINE, entry
from clients.facts import FACTS, names_of, rebuild
from clients.identifiers.keeping import number_fingerprint
from clients.models import Client
from crm import work
from crm.choices import WorkState
from crm.db.bulk import copy_models, copy_rows
from crm.demo import Demo
from crm.i18n.localized_text import phrase
from crm.models import User, WorkItem
from crm.security import audit, crypto, sealed_files
from kyc import specimens, store
from kyc.audit_codes import KycAction
from kyc.choices import REJECT_TEMPLATES, DocumentKind, DocumentState, RejectReason, RunState
from kyc.demo import papers, verdicts
from kyc.examination.look import perceptual_hash
from kyc.expiry.validity import schedule_expiry
from kyc.fingerprints import bands_of
from kyc.models import CheckRun, Document, LevelReached, VerdictPolicy
from kyc.pipeline import VERSION
from kyc.reviews import REVIEW

WERE_VERIFIED = (Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
BILL_SIZE = [1273, 1801]
ACCESS = ("at", "user_id", "kind", "client_id", "brand_id", "target", "rows", "in_book")


@dataclass
class Story:
    """One document from upload to decision."""

    document: Document
    client: Client
    extracted: dict[str, Any]
    size: list[int]
    checked_at: dt.datetime
    policy: VerdictPolicy


def write(demo: Demo, journeys: list[Journey]) -> dict[int, dt.datetime]:
    """Everybody's decided documents; returns when each client reached the first level."""
    clients = {
        client.pk: client
        for client in Client.objects.filter(registered_at__isnull=False).select_related("brand", "user")
    }
    chosen = [(journey, clients[journey.client_id]) for journey in journeys if journey.client_id in clients]
    plans = [(journey, client) for journey, client in chosen if client.stage in WERE_VERIFIED]
    # The keys of all these clients at once, before the first file needs one.
    demo.extra["file_owners"] = sealed_files.of_clients([client.pk for _journey, client in chosen])
    brands = {client.brand_id: client.brand for client in clients.values()}
    demo.extra["kyc_policies"] = verdicts.write_policies(demo, list(brands.values()))
    stories: list[Story] = []
    verified_at: dict[int, dt.datetime] = {}
    for journey, client in plans:
        passport = _approved(demo, journey, client, DocumentKind.PASSPORT)
        stories.append(passport)
        assert passport.document.settled_at is not None
        verified_at[client.pk] = passport.document.settled_at
        if demo.rng.random() < 0.8:
            stories.append(_approved(demo, journey, client, DocumentKind.PROOF_OF_ADDRESS))
    stories += _rejected(demo, [pair for pair in chosen if pair[1].stage == Stage.CLOSED or demo.rng.random() < 0.05])
    _write_rows(demo, stories)
    _write_levels(stories)
    _schedule_expiries(stories)
    _write_logs(stories)
    for name in names_of("kyc"):
        rebuild(FACTS[name])
    return verified_at


def _approved(demo: Demo, journey: Journey, client: Client, kind: str) -> Story:
    story = _sent(demo, journey, client, kind)
    story.document.state = DocumentState.APPROVED
    return story


def _rejected(demo: Demo, pairs: list[tuple[Journey, Client]]) -> list[Story]:
    """A first try that was too blurred, or a bill that was too old."""
    stories = []
    for journey, client in pairs:
        kind, reason = demo.rng.choice(
            [(DocumentKind.PASSPORT, RejectReason.UNREADABLE), (DocumentKind.PROOF_OF_ADDRESS, RejectReason.TOO_OLD)]
        )
        story = _sent(demo, journey, client, kind)
        story.document.state, story.document.reason_code = DocumentState.REJECTED, reason
        with translation.override(client.language):
            story.document.reason = str(REJECT_TEMPLATES[reason])
        stories.append(story)
    return stories


def _sent(demo: Demo, journey: Journey, client: Client, kind: str) -> Story:
    """Draw the document, store it encrypted, and return when it came and when somebody decided."""
    rng = demo.rng
    assert journey.registered_at is not None
    uploaded = journey.registered_at + rng.uniform(4, 90) * MINUTE
    reviewed = next_open(uploaded + rng.uniform(0.4, 20) * HOUR, journey.desk.time_zone)
    reviewed = min(reviewed, demo.now - 66 * MINUTE)
    uploaded = min(uploaded, reviewed - 3 * MINUTE)
    checked = uploaded + dt.timedelta(seconds=rng.uniform(2, 40))
    policy = demo.extra["kyc_policies"].on(client.brand_id, checked.date())
    extracted: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    if kind == DocumentKind.PASSPORT:
        holder = papers.holder(demo, client)
        page = specimens.small_passport(holder)
        content, content_type, size = specimens.jpeg(page, quality=72), "image/jpeg", list(specimens.SMALL)
        extracted = {
            "surname": holder.last_name.upper(),
            "given_names": holder.first_name.upper(),
            "number": holder.number,
            "nationality": "UTO",
            "issuing_country": "UTO",
            "birth_date": holder.birth_date.isoformat(),
            "expiry_date": holder.expires_on.isoformat(),
            "zone": list(specimens.mrz_lines(holder)),
        }
        look = perceptual_hash(np.array(page))
        fields = {
            "number_fingerprint": number_fingerprint(holder.number),
            "issuing_country": "UTO",
            "expires_on": holder.expires_on,
            "phash": look,
            "phash_bands": bands_of(look),
        }
    else:
        issued_on = (uploaded - rng.uniform(3, 60) * 24 * HOUR).date()
        content, content_type, size = (
            papers.bill(demo, client, issued_on=issued_on, is_small=True),
            "application/pdf",
            BILL_SIZE,
        )
        extracted = {
            "name": client.full_name,
            "address_line": client.address_line,
            "postal_code": client.postal_code,
            "city": client.city,
            "issued_on": issued_on.isoformat(),
        }
        fields = {"issued_on": issued_on}
    stored = store.put(client_id=client.pk, content=content, sync=False, owner=demo.extra["file_owners"][client.pk])
    document = Document(
        client=client,
        kind=kind,
        store_key=stored.key,
        content_type=content_type,
        size_bytes=stored.size_bytes,
        file_name="IMG_2041.jpg" if kind == DocumentKind.PASSPORT else "bill.pdf",
        sha256=hashlib.sha256(content + str(client.pk).encode()).hexdigest(),
        stored_sha256=stored.sha256,
        uploaded_at=uploaded,
        uploaded_by=client.user,
        checked_at=checked,
        check_attempts=1,
        **_decided_by(demo, policy, checked, reviewed),
        **fields,
    )
    return Story(document, client, extracted, size, checked, policy)


def _decided_by(demo: Demo, policy: VerdictPolicy, checked: dt.datetime, reviewed: dt.datetime) -> dict[str, Any]:
    """Say who decided and when: the policy as soon as the checks had ended, or an officer later."""
    if demo.rng.random() < verdicts.AUTOMATIC:
        return {"decided_by_policy": policy, "reviewed_at": checked, "settled_at": checked}
    return {"reviewed_by": _reviewer(demo), "reviewed_at": reviewed, "settled_at": reviewed + dt.timedelta(seconds=9)}


def _reviewer(demo: Demo) -> User:
    officers = demo.by_role["kyc_officer"]
    return demo.by_role["mlro"][0] if demo.rng.random() < 0.08 else demo.rng.choice(officers)


def _write_rows(demo: Demo, stories: list[Story]) -> None:
    sealed = crypto.encrypt_many_for_clients([(story.client.pk, orjson.dumps(story.extracted)) for story in stories])
    for story, body in zip(stories, sealed, strict=True):
        story.document.extracted_sealed = body
        if story.document.reviewed_by_id is not None:
            story.document.work = _decided_work(story.document, story.client)
    copy_models([story.document.work for story in stories if story.document.work])
    for story in stories:
        if story.document.work:
            story.document.work = story.document.work  # its id is known now
    copy_models([story.document for story in stories])
    runs = [_run(story) for story in stories]
    copy_models(runs)
    verdicts.write_verdicts(demo, stories, runs)


def _run(story: Story) -> CheckRun:
    document = story.document
    return CheckRun(
        document=document,
        state=RunState.DONE,
        version=VERSION,
        started_at=story.checked_at,
        finished_at=story.checked_at,
        duration_ms=640,
        measures={"pages": [story.size]},
        engine="5.5.4 mrz" if document.kind == DocumentKind.PASSPORT else "text layer",
        results=verdicts.results_of(document.kind, document.side, verdicts.flaw_of(document)),
    )


def _decided_work(document: Document, client: Client) -> WorkItem:
    assert document.reviewed_at is not None
    item = work.new_item(REVIEW, client_id=client.pk, brand=client.brand, opened_at=document.uploaded_at)
    item.state, item.outcome = WorkState.FINAL, document.state
    item.decided_by, item.decided_at = document.reviewed_by, document.reviewed_at
    item.final_at = document.reviewed_at + dt.timedelta(seconds=8)
    item.handling_seconds = 40 + document.size_bytes % 200
    return item


@transaction.atomic
def _schedule_expiries(stories: list[Story]) -> None:
    schedule_expiry(story.document for story in stories if story.document.state == DocumentState.APPROVED)


def _write_levels(stories: list[Story]) -> None:
    """Level 1 with the passport, level 2 with the proof of address, whichever came last."""
    by_client: dict[int, dict[str, Document]] = {}
    for story in stories:
        if story.document.state == DocumentState.APPROVED:
            by_client.setdefault(story.client.pk, {})[story.document.kind] = story.document
    rows = []
    for client_id, approved in by_client.items():
        passport, bill = approved.get(DocumentKind.PASSPORT), approved.get(DocumentKind.PROOF_OF_ADDRESS)
        if passport is None:
            continue
        assert passport.settled_at is not None
        rows.append(LevelReached(client_id=client_id, level=1, reached_at=passport.settled_at, document=passport))
        if bill is not None:
            assert bill.settled_at is not None
            last = bill if bill.settled_at > passport.settled_at else passport
            rows.append(
                LevelReached(
                    client_id=client_id, level=2, reached_at=max(bill.settled_at, passport.settled_at), document=last
                )
            )
    copy_models(rows)


def _write_logs(stories: list[Story]) -> None:
    timeline, log, looks = [], [], []
    for story in stories:
        document, client = story.document, story.client
        assert document.settled_at is not None and document.reviewed_at is not None
        officer = document.reviewed_by
        common = {"target": document, "client_id": client.pk, "brand_id": client.brand_id}
        is_approved = document.state == DocumentState.APPROVED
        if officer is None:
            decided = (
                phrase("%(title)s approved automatically")
                if is_approved
                else phrase("%(title)s rejected automatically")
            )
            action = (
                KycAction.DOCUMENT_APPROVED_AUTOMATICALLY if is_approved else KycAction.DOCUMENT_REJECTED_AUTOMATICALLY
            )
        else:
            decided = phrase("%(title)s approved") if is_approved else phrase("%(title)s rejected")
            action = KycAction.of("document", document.state)
        named = {"title": document.title_words}
        timeline += [
            entry(
                client.pk,
                document.uploaded_at,
                TimelineKind.DOCUMENT,
                phrase("%(title)s uploaded") % named,
                actor=client.user,
                key=f"document-uploaded:{document.pk}",
            ),
            entry(
                client.pk,
                document.settled_at,
                TimelineKind.DOCUMENT,
                decided % named,
                body=document.reason,
                actor=officer,
                key=f"document-decided:{document.pk}",
            ),
        ]
        log += [
            {
                **common,
                "actor": client.user,
                "action": KycAction.DOCUMENT_UPLOADED,
                "at": document.uploaded_at,
                "after": {"kind": document.kind, "side": document.side, "pages": 1, "replaces": []},
                "evidence": {"sha256": document.sha256, "stored_sha256": document.stored_sha256},
            },
            {
                **common,
                "actor": None,
                "action": KycAction.DOCUMENT_CHECKED,
                "at": story.checked_at,
                "after": {"issues": []},
                "evidence": {"version": VERSION, "attempts": 1},
            },
            {
                **common,
                "actor": officer,
                "action": action,
                "at": document.reviewed_at,
                "before": {"state": "pending_review" if officer else "checking"},
                "after": {
                    "state": str(document.state),
                    "kind": document.kind,
                    "reason_code": str(document.reason_code),
                },
                "evidence": {"sha256": document.sha256, "despite": []}
                if officer
                else {"sha256": document.sha256, "policy": story.policy.pk, "policy_number": story.policy.number},
            },
        ]
        if officer is None:
            continue  # nobody opened the document
        looks.append(
            (
                document.reviewed_at - 40 * dt.timedelta(seconds=1),
                officer.pk,
                "download",
                client.pk,
                client.brand_id,
                f"kyc.document:{document.pk}",
                1,
                False,
            )
        )
    copy_rows("clients_timelineentry", TIMELINE, timeline)
    copy_rows("crm_accessevent", ACCESS, looks)
    audit.record_many(log)

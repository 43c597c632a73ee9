"""Which files qualify for the batch view, and what an officer sees of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from django.db.models import Q, QuerySet
from django.utils import timezone

from clients.choices import RiskRating
from crm import work
from crm.choices import AccessKind
from crm.errors import WrongState, outcome_of
from crm.models import AccessEvent, Brand, User
from crm.security import crypto
from kyc.brand_policies import KYC_BATCH_DOUBTS
from kyc.choices import DocumentState, RunState
from kyc.comparison import Row, compared, page_sizes
from kyc.models import CheckRun, Document
from kyc.queries import ShownIssue, queue, shown_issues
from kyc.reviews import REVIEW
from kyc.urgency.order import flaw_label

SIZE: Final = 12


@dataclass(frozen=True)
class BatchCard:
    """One file: its picture, the place of the doubt, and the registration beside what was read."""

    document: Document
    issue: ShownIssue | None
    rows: list[Row]
    page: dict[str, int]

    @property
    def doubt(self) -> str:
        return flaw_label(self.document.doubt)


def qualifying(user: User) -> QuerySet[Document]:
    """Select what waits with one doubt that its brand's policy lets officers confirm in a batch; never of clients rated high.

    One query for the brands; their policies are in the brands' rows.
    """
    allowed = Q(pk__in=[])
    for brand in Brand.objects.filter(archived_at=None):
        if doubts := KYC_BATCH_DOUBTS.of(brand):
            allowed |= Q(client__brand=brand, doubt__in=sorted(doubts))
    waiting = queue(user).filter(allowed, state=DocumentState.PENDING_REVIEW, work__proposed_by=None)
    return waiting.exclude(doubt="").exclude(client__risk_rating=RiskRating.HIGH)


def claim_batch(*, actor: User) -> int:
    """Claim the most urgent qualifying files that nobody holds, and return how many. Who may is decided by each claim."""
    free = qualifying(actor).filter(work.is_free(actor, timezone.now(), path="work__"), work__assigned_to=None)
    claimed = 0
    for document in free.select_related("client__brand", "client__book", "work").order_by("urgent_at", "pk")[:SIZE]:
        assert document.work_id is not None
        take = partial(work.claim, item_id=document.work_id, actor=actor)
        if REVIEW.may_work(actor, document) and outcome_of(take, only=WrongState):
            claimed += 1
    return claimed


def claimed_by(user: User) -> QuerySet[Document]:
    """Select the qualifying files that a person has claimed, the most urgent first."""
    mine = qualifying(user).filter(work__claimed_by=user, work__claimed_until__gt=timezone.now())
    return mine.select_related("client__brand", "client__book", "work").order_by("urgent_at", "pk")


def cards_of(documents: Iterable[Document]) -> list[BatchCard]:
    """Read what is shown of these files: three queries, however many there are."""
    shown = list(documents)
    newest = CheckRun.objects.filter(document__in=shown, state=RunState.DONE).order_by("document_id", "-pk")
    runs = {run.document_id: run for run in newest.distinct("document_id").prefetch_related("issues")}
    read = _opened([(document.client_id, document.extracted_sealed) for document in shown])
    details = _opened([(document.client_id, runs[document.pk].details_sealed) for document in shown])
    cards = []
    for document, values, found in zip(shown, read, details, strict=True):
        run = runs[document.pk]
        issues = shown_issues(run, found)
        page = next(iter(page_sizes(document, run)), {"number": 1, "width": 1000, "height": 700})
        issue = next((issue for issue in issues if issue.code == document.doubt), None)
        cards.append(BatchCard(document, issue, compared(document, issues, values, {}), page))
    return cards


def _opened(items: list[tuple[int, bytes | memoryview | None]]) -> list[dict[str, Any]]:
    """Decrypt what was read, of all clients together."""
    sealed = [(client_id, bytes(body)) for client_id, body in items if body]
    plain = iter(crypto.decrypt_many_for_clients(sealed))
    read = [next(plain) if body else None for _client_id, body in items]
    return [orjson.loads(text) if isinstance(text, bytes) else {} for text in read]


def opened_by(user: User, documents: Iterable[Document]) -> set[int]:
    """Find which pictures were sent to this person since they claimed the file, by the access log. One query."""
    since = {f"kyc.document:{document.pk}": document for document in documents}
    rows = AccessEvent.objects.filter(user=user, kind=AccessKind.DOWNLOAD, target__in=since)
    begun = [document.work.claimed_at for document in since.values() if document.work and document.work.claimed_at]
    seen = rows.filter(at__gte=min(begun)).values_list("target", "at") if begun else []
    return {
        since[target].pk
        for target, at in seen
        if (item := since[target].work) is not None and item.claimed_at is not None and at >= item.claimed_at
    }

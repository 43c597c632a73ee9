"""Reads of documents. Every one starts from what the user may see; the file itself only comes through `content_of`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from clients.choices import ClientKind
from clients.models import Client
from clients.queries import clients_visible_to
from crm.choices import AccessKind
from crm.models import Actor, User
from crm.security import access_log, crypto
from crm.security.policies import require, require_permission
from crm.security.scope import reach_of
from kyc import policies, store
from kyc.choices import IDENTITY_KINDS, OPEN_STATES, TWO_SIDED_KINDS, DocumentKind, DocumentState, Severity, Side
from kyc.models import CheckRun, Document, Issue

SEEN_BEFORE_MAX = 20


def documents_visible_to(user: Actor) -> QuerySet[Document]:
    """List documents of the clients in the user's books; for a client login, their own."""
    if not user or not user.is_authenticated:
        return Document.objects.none()
    if user.is_client:
        return Document.objects.filter(client__user_id=user.pk)
    if not user.is_team or not user.has_perm("kyc.view_document"):
        return Document.objects.none()
    return Document.objects.filter(client__book_id__in=reach_of(user).books)


def queue(user: Actor) -> QuerySet[Document]:
    """List the documents in reach that wait: uploaded, being checked, pending review."""
    return documents_visible_to(user).filter(state__in=OPEN_STATES)


def get_document(user: User, document_id: int, *, permission: str = "kyc.view_document") -> Document:
    """Find one document with its client, or 404 when it is not visible, NotAllowed (403) when the role lacks the right."""
    visible = Document.objects.filter(client__in=clients_visible_to(user)) if user.is_authenticated else None
    document = (
        visible.select_related(
            "client__brand", "client__book", "work__claimed_by", "reviewed_by", "decided_by_policy", "uploaded_by"
        )
        .filter(pk=document_id)
        .first()
        if visible is not None
        else None
    )
    if document is None or not user.is_team:
        raise Http404
    require_permission(user, permission)
    return document


@dataclass(frozen=True)
class SeenBefore:
    """Another client who sent the same document: by number, by file, or by its picture."""

    document: Document
    shared: tuple[Any, ...]


def seen_before(user: Actor, document: Document) -> list[SeenBefore]:
    """List documents with the same number, file or picture of other clients, of every brand in the user's reach. One query.

    The check looks into the client's own brand alone, and what it notes may be read by everybody who sees the document: a client
    of another brand is named here only, to those who see both.
    """
    same_number = Q(pk=0)
    if document.number_fingerprint:
        same_number = Q(number_fingerprint=document.number_fingerprint, issuing_country=document.issuing_country)
    same_file = Q(sha256=document.sha256)
    same_picture = Q(phash=document.phash) if document.phash else Q(pk=0)
    others = Document.objects.filter(same_number | same_file | same_picture, client__in=clients_visible_to(user))
    rows = (
        others.exclude(client_id=document.client_id).select_related("client__brand").order_by("-pk")[:SEEN_BEFORE_MAX]
    )
    return [SeenBefore(other, tuple(_shared(document, other))) for other in rows]


def _shared(document: Document, other: Document) -> Iterator[Any]:
    if document.number_fingerprint and document.number_fingerprint == other.number_fingerprint:
        yield _("Document number")
    if document.sha256 == other.sha256:
        yield _("File")
    elif document.phash and other.phash and bytes(document.phash) == bytes(other.phash):
        yield _("Picture")


def content_of(user: User, document: Document, *, page: int | None = None) -> Iterator[bytes]:
    """Stream a document's content to somebody who may open it; the access is logged before the first byte.

    Raises: NotAllowed, store.FileMissing, store.FileDamaged, crypto.KeyDestroyed.
    """
    require(policies.can_open(user, document))
    access_log.note(
        user=user,
        kind=AccessKind.DOWNLOAD,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        target=f"kyc.document:{document.pk}",
        in_book=document.client.book_id in reach_of(user).own_books,
        reason=f"page {page}" if page else "",
    )
    return store.stream(client_id=document.client_id, key=document.store_key)


def other_side_in(document: Document, others: Iterable[Document]) -> Document | None:
    """Find the newest document of the card's other side among the client's documents, which are newest first."""
    if document.kind not in TWO_SIDED_KINDS:
        return None
    return next(
        (
            other
            for other in others
            if other.kind == document.kind and other.side != document.side and other.state != DocumentState.REPLACED
        ),
        None,
    )


REGISTERED_FIELDS = {"first_name", "last_name", "date_of_birth", "address_line", "postal_code", "city"}


@dataclass(frozen=True)
class ShownIssue:
    """An issue with what the document and the registration say, decrypted."""

    issue: Issue
    found: str = ""
    expected: str = ""

    @property
    def code(self) -> str:
        return self.issue.code

    @property
    def label(self) -> str:
        return str(self.issue.get_code_display())

    @property
    def field(self) -> str:
        return self.issue.field

    @property
    def is_about_registration(self) -> bool:
        """What is expected is in the registration; else it is a rule (not older than, at least)."""
        return self.field in REGISTERED_FIELDS


def last_run(document: Document) -> CheckRun | None:
    """Find the newest finished run of the checks; None before the first."""
    return document.runs.exclude(finished_at=None).order_by("-pk").first()


def issues_of(document: Document, run: CheckRun | None) -> list[ShownIssue]:
    """List the issues of a run, worst first, with what was found."""
    return shown_issues(run, details_of(document.client_id, run)) if run is not None else []


def shown_issues(run: CheckRun, details: Mapping[str, Mapping[str, str]]) -> list[ShownIssue]:
    """List the issues of a run, worst first, with their decrypted details."""
    order = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}
    shown = [ShownIssue(issue, **details.get(f"{issue.code}:{issue.field}", {})) for issue in run.issues.all()]
    return sorted(shown, key=lambda one: (order[Severity(one.issue.severity)], -one.issue.score))


def details_of(client_id: int, run: CheckRun) -> dict[str, dict[str, str]]:
    """Decrypt what a run read on the document, by issue and field; {} after the client's erasure."""
    if not run.details_sealed:
        return {}
    try:
        details: dict[str, dict[str, str]] = orjson.loads(
            crypto.decrypt_for_client(client_id, bytes(run.details_sealed))
        )
        return details
    except crypto.KeyDestroyed:
        return {}


def find_by_number(user: User, number: str, *, limit: int = 6) -> list[Document]:
    """Find documents with this number, for the search box of those who may open documents."""
    from clients.identifiers.keeping import number_fingerprint

    mark = number_fingerprint(number)
    if not mark or not user.has_perm("kyc.open_document"):
        return []
    documents = documents_visible_to(user).filter(number_fingerprint=mark).select_related("client")
    return list(documents.order_by("-pk")[:limit])


# ── what is still needed: the portal's and the client page's checklist ─────────────────────────────────────────────
@dataclass(frozen=True)
class Requirement:
    """One thing a client must prove, the document that proves it, and what to do next.

    state: missing, waiting, approved, rejected, expired.
    """

    slug: str
    label: str
    state: str
    documents: list[Document] = field(default_factory=list)
    kinds: tuple[str, ...] = ()
    missing_side: str = ""

    @property
    def is_met(self) -> bool:
        return self.state == "approved"

    @property
    def needs_client(self) -> bool:
        """The client has to send something."""
        return self.state in ("missing", "rejected", "expired")

    @property
    def reason(self) -> str:
        return next((one.reason for one in self.documents if one.reason), "")


def documents_of(client: Client) -> list[Document]:
    """List a client's documents, newest first, at most 200. The caller has got the client through a scoped read."""
    return list(
        client.documents.select_related("uploaded_by", "reviewed_by", "decided_by_policy").order_by("-pk")[:200]
    )


def requirements_of(client: Client, documents: Iterable[Document] | None = None) -> list[Requirement]:
    """List proof of identity, or a company's register extract, and proof of address, as the client sees them."""
    mine = list(documents) if documents is not None else documents_of(client)
    shown = [document for document in mine if document.state != DocumentState.REPLACED]
    kind = DocumentKind.REGISTER_EXTRACT
    company = _requirement(kind, kind.label, [document for document in shown if document.kind == kind], (kind,))
    return [
        company
        if client.kind == ClientKind.COMPANY
        else _requirement(
            "identity",
            _("Proof of identity"),
            [document for document in shown if document.kind in IDENTITY_KINDS],
            IDENTITY_KINDS,
        ),
        _requirement(
            "address",
            _("Proof of address"),
            [document for document in shown if document.kind == DocumentKind.PROOF_OF_ADDRESS],
            (DocumentKind.PROOF_OF_ADDRESS,),
        ),
    ]


def requirements_by_client(clients: Iterable[Client]) -> dict[int, list[Requirement]]:
    """List what each of a few clients must prove, with one query for all of them."""
    people = list(clients)
    found: dict[int, list[Document]] = {client.pk: [] for client in people}
    for document in Document.objects.filter(client__in=people).order_by("-pk")[: 200 * max(len(people), 1)]:
        found[document.client_id].append(document)
    return {client.pk: requirements_of(client, found[client.pk]) for client in people}


def _requirement(slug: str, label: Any, documents: list[Document], kinds: tuple[str, ...]) -> Requirement:
    """Choose the kind of document that has got furthest to speak for a requirement."""
    best: Requirement | None = None
    for kind in dict.fromkeys(one.kind for one in documents):
        one = _of_one_kind(slug, str(label), kind, [d for d in documents if d.kind == kind], kinds)
        if best is None or RANKS.index(one.state) < RANKS.index(best.state):
            best = one
    return best or Requirement(slug, str(label), "missing", [], kinds)


RANKS = ("approved", "waiting", "rejected", "expired", "missing")


def _of_one_kind(slug: str, label: str, kind: str, documents: list[Document], kinds: tuple[str, ...]) -> Requirement:
    sides = (Side.FRONT, Side.BACK) if kind in TWO_SIDED_KINDS else (Side.FRONT,)
    latest = {side: next((one for one in documents if one.side == side), None) for side in sides}
    there = [one for one in latest.values() if one is not None]
    states = {one.state_for_client for one in there}
    missing = next((side for side, one in latest.items() if one is None), "")
    if missing:
        return Requirement(slug, label, "missing", there, kinds, missing)
    if states == {DocumentState.APPROVED}:
        state = "approved"
    elif DocumentState.REJECTED in states:
        state = "rejected"
    elif DocumentState.EXPIRED in states:
        state = "expired"
    else:
        state = "waiting"
    return Requirement(slug, label, state, there, kinds)

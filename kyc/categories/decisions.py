"""Deciding a client's category: proposed by one colleague, approved by another; more protection on the client's word alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import Category, TimelineKind
from clients.facts import rebuild_client
from clients.mail import send_mail_to
from clients.models import Client
from crm import approvals, due, work
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import ClientCategoryChanged, publish
from crm.i18n.localized_text import LocalizedText, localize, phrase
from crm.models import Actor, DueRow, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.brand_policies import CATEGORY_REVIEW_MONTHS
from kyc.categories import policies
from kyc.categories.choices import PROPOSED_BASES, Basis, RequestState
from kyc.categories.models import CategoryDecision, CategoryProposal, CategoryRequest
from kyc.choices import KycNotice
from kyc.questionnaires.renewals import months_later


def latest_decision(client: Client) -> CategoryDecision | None:
    """Find the decision that holds now; None for a client who was always retail."""
    return CategoryDecision.objects.filter(client=client).select_related("decided_by", "approved_by").first()


def review_due_at(decision: CategoryDecision | None) -> dt.datetime | None:
    """Compute when a category with less protection is to be reviewed; None for retail clients."""
    if decision is None or decision.category == Category.RETAIL:
        return None
    return months_later(decision.decided_at, CATEGORY_REVIEW_MONTHS.of(decision.client.brand))


def write_decision(
    client: Client,
    *,
    category: str,
    basis: Basis,
    reason: str,
    decided_by: Actor,
    approved_by: Actor = None,
    request: CategoryRequest | None = None,
) -> CategoryDecision:
    """Write the decision and with it the client's category; the caller holds the client's lock and has decided."""
    before = client.category
    decision = CategoryDecision.objects.create(
        client=client,
        category=Category(category),
        basis=basis,
        reason=reason.strip()[:300],
        request=request,
        decided_by=decided_by,
        approved_by=approved_by,
        decided_at=timezone.now(),
    )
    rebuild_client(client.pk, "category")
    client.category = decision.category
    _schedule_review(decision, client)
    audit.record(
        actor=approved_by or decided_by,
        action=KycAction.CATEGORY_DECIDED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"category": before},
        after={"category": decision.category, "basis": basis.value},
        reason=decision.reason,
        evidence={
            "proposed_by": decided_by.pk if decided_by else None,
            "request": request.pk if request else None,
            "warning_sha256": request.warning.sha256 if request else "",
        },
    )
    if before != decision.category:
        _tell(client, decision, before, approved_by or decided_by)
    return decision


def _schedule_review(decision: CategoryDecision, client: Client) -> None:
    at = review_due_at(decision)
    if at is None:
        due.cancel(REVIEW, client.pk)
    else:
        due.due(REVIEW, key=client.pk, at=at, client_id=client.pk, brand_id=client.brand_id)


def _tell(client: Client, decision: CategoryDecision, before: str, actor: Actor) -> None:
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.COMPLIANCE,
        title=phrase("Client category: %(category)s") % {"category": Category(decision.category).label},
        actor=actor,
        dedupe_key=f"kyc.category:{decision.pk}",
        is_visible_to_client=True,
    )
    publish(
        ClientCategoryChanged(
            client_id=client.pk, brand_id=client.brand_id, before=before, after=decision.category, basis=decision.basis
        ),
        actor=actor,
    )


# ── by colleagues ────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def propose_category(
    *, client_id: int, category: str, basis: str, actor: User, reason: str, request_id: int | None = None
) -> CategoryProposal:
    """Propose a client's category to a second person. request_id: the client's request that is granted.

    Who: `kyc.propose_category` in reach. Raises: NotAllowed, DomainError (no reason, a basis that doesn't fit),
    WrongState (no open request, one waits already).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_propose(actor, client))
    request = _open_request(client, request_id) if request_id is not None else None
    _check(client, Category(category), Basis(basis), request)
    proposal = CategoryProposal(
        client=client, category=Category(category), basis=Basis(basis), request=request, reason=reason
    )
    return approvals.propose(proposal, actor=actor)


def _open_request(client: Client, request_id: int) -> CategoryRequest:
    request = CategoryRequest.objects.select_related("work").filter(pk=request_id, client=client).first()
    if request is None or request.state != RequestState.OPEN:
        raise WrongState(_("This request is no longer open."))
    return request


def _check(client: Client, category: Category, basis: Basis, request: CategoryRequest | None) -> None:
    if basis not in PROPOSED_BASES:
        raise DomainError(_("Choose one of the options."))
    if basis == Basis.REQUEST and (request is None or request.wanted != category):
        raise DomainError(
            _("The client hasn't requested this. A professional client on request asks in the portal first.")
        )
    if basis == Basis.REVIEW and category != client.category:
        raise DomainError(_("A review confirms the category. Choose another reason to change it."))
    if basis != Basis.REVIEW and category == client.category:
        raise WrongState(_("The client already has this category."))
    if basis == Basis.CORRECTION and category not in policies.more_protected(client.category):
        raise DomainError(_("A correction can only give the client more protection."))


class CategoryApproval(approvals.ApprovalKind[CategoryProposal]):
    """A client's category. The second person reads the request, the criteria and the evidence on its page."""

    model = CategoryProposal
    code = "client-category"
    label = gettext_lazy("Client category")
    asks, decides = policies.PROPOSES, policies.DECIDES
    proposed, approved = KycAction.CATEGORY_PROPOSED, None
    rejected, withdrawn = KycAction.CATEGORY_REJECTED, KycAction.CATEGORY_WITHDRAWN
    notice = KycNotice.CATEGORY_PROPOSED
    client_path = "client"
    related = ("client__brand", "request__warning", "request__work")
    one_open = ("client",)
    done = gettext_lazy("Client category changed.")

    def lock(self, pk: int) -> CategoryProposal:
        """Lock the client before the proposal, as every verb of this app does."""
        client_id = CategoryProposal.objects.values_list("client_id", flat=True).get(pk=pk)
        lock(Client, client_id, no_key=True)
        return lock(CategoryProposal, pk, "requested_by", *self.related)

    def apply(self, item: CategoryProposal, actor: User, **given: Any) -> None:
        """Decide it; the client's request is approved with it, and they are e-mailed. Raises: WrongState, DomainError."""
        client = item.client
        if item.request is not None:
            _open_request(client, item.request_id or 0)
        _check(client, Category(item.category), Basis(item.basis), item.request)
        write_decision(
            client,
            category=item.category,
            basis=Basis(item.basis),
            reason=item.reason,
            decided_by=item.requested_by,
            approved_by=actor,
            request=item.request,
        )
        if item.request is not None:
            close_request(item.request, RequestState.APPROVED, actor)
            send_mail_to(
                client_id=client.pk,
                template="kyc.category_approved",
                dedupe_key=f"kyc.category_request:{item.request_id}",
            )

    def title(self, item: CategoryProposal) -> LocalizedText:
        return phrase("%(client)s: %(category)s") % {"client": item.client, "category": Category(item.category).label}

    def url(self, item: CategoryProposal) -> str:
        if item.request_id is not None:
            return f"/kyc/categories/{item.request_id}/"
        return f"/kyc/clients/{item.client_id}/category/"

    def changes(self, item: CategoryProposal) -> Sequence[Change]:
        lines = [
            Change(_("Category"), Category(item.category).label, Category(item.client.category).label),
            Change(_("Basis"), Basis(item.basis).label),
        ]
        if item.request is not None:
            lines.append(Change(_("Criteria claimed"), "; ".join(item.request.criteria_labels)))
        return lines

    def after(self, item: CategoryProposal) -> dict[str, Any]:
        return {"category": item.category, "basis": item.basis}


def close_request(request: CategoryRequest, state: RequestState, actor: User, answer: str = "") -> None:
    """End a request; the caller holds the client's lock."""
    request.move_to(state)
    request.decided_by, request.decided_at, request.answer = actor, timezone.now(), answer
    request.save()
    work.close_items([request.work_id])


# ── by the client ────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def opt_down(*, client_id: int, category: str, actor: User) -> CategoryDecision:
    """Give a client more protection on their own word: it holds from now on, and nobody has to approve it.

    MiFID II Annex II section I, last paragraph. Who: the client. Raises: NotAllowed, WrongState where it is no more protection.
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.is_own(actor, client))
    if category not in policies.more_protected(client.category):
        raise WrongState(_("You already have this protection."))
    decision = write_decision(
        client,
        category=category,
        basis=Basis.OPT_DOWN,
        reason=localize(phrase("Requested by the client in the portal")),
        decided_by=actor,
    )
    notify(
        people_with(policies.SEES, brand_id=client.brand_id),
        kind=KycNotice.CATEGORY_CHANGED,
        title=phrase("%(client)s: %(category)s") % {"client": client, "category": Category(category).label},
        url=f"/kyc/clients/{client.pk}/category/",
        dedupe_key=f"kyc.category:{decision.pk}",
    )
    return decision


# ── yearly review ────────────────────────────────────────────────────────────────────────────────────────────────────


def _remind(row: DueRow) -> None:
    """Notify those who propose categories that one is to be reviewed; it stays on the client's page until it is."""
    client = Client.objects.select_related("brand").get(pk=int(row.key))
    at = review_due_at(latest_decision(client))
    if at is None or at > timezone.now():
        return
    notify(
        people_with(policies.PROPOSES, brand_id=client.brand_id),
        kind=KycNotice.CATEGORY_REVIEW_DUE,
        title=phrase("Review the client category of %(client)s") % {"client": client},
        url=f"/kyc/clients/{client.pk}/category/",
        dedupe_key=f"kyc.category_review:{client.pk}:{at:%Y%m%d}",
    )


REVIEW = due.declare(
    due.DueKind("kyc.category_review", gettext_lazy("Review of the client category"), _remind, permission=policies.SEES)
)

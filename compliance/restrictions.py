"""Placing and lifting restrictions by hand. Lifting takes two: one asks, another releases."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from compliance import holds, policies
from compliance.audit_codes import ComplianceAction
from compliance.choices import OVERDUE_CAUSES, ComplianceNotice, RestrictionCause, RestrictionKind
from compliance.models import Restriction
from crm import approvals
from crm.approvals import Change, kind_of, require_withdrawable
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, joined, label_of, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import YES, Decision, no, require


@transaction.atomic
def place_restriction(*, client_id: int, kind: str, reason: str, actor: Actor) -> Restriction:
    """Restrict a client, at once. Who: `compliance.place_restriction` in reach.

    Raises: NotAllowed, DomainError without a reason, WrongState when the same restriction is in force.
    """
    client = _locked_client(client_id)
    require(policies.can_restrict(actor, client))
    kind = RestrictionKind(kind)
    if not reason.strip():
        raise DomainError(_("Enter a reason. It stays on the client's file."))
    if Restriction.objects.filter(
        client=client, kind=kind, cause=RestrictionCause.MANUAL, lifted_at__isnull=True
    ).exists():
        raise WrongState(_("This restriction is already in force."))
    restriction = Restriction.objects.create(
        client=client,
        kind=kind,
        cause=RestrictionCause.MANUAL,
        reason=reason.strip(),
        placed_by=actor,
        placed_at=timezone.now(),
    )
    holds.note_placed(restriction, actor=actor)
    return restriction


@transaction.atomic
def ask_to_lift(*, restriction_id: int, reason: str, actor: Actor) -> Restriction:
    """Ask a colleague to lift a restriction. Who: `compliance.lift_restriction` in reach.

    Raises: NotAllowed, WrongState (lifted already, asked already, or a hold that a decision ends), DomainError.
    """
    restriction = _locked(restriction_id)
    require(policies.can_ask_to_lift(actor, restriction))
    if not reason.strip():
        raise DomainError(_("Enter why it can be lifted. A colleague decides on it."))
    if restriction.cause == RestrictionCause.SCREENING_HOLD:
        raise WrongState(_("This restriction ends when the possible match is reviewed. Review the match instead."))
    if restriction.cause in OVERDUE_CAUSES:
        raise WrongState(_("This restriction ends when the client's verification is renewed."))
    if restriction.lift_requested_by_id is not None:
        raise WrongState(
            _("%(name)s has already requested this. A second person must approve it.")
            % {"name": restriction.lift_requested_by}
        )
    restriction.lift_requested_by, restriction.lift_requested_at = actor, timezone.now()
    restriction.lift_reason = reason.strip()
    restriction.save(update_fields=["lift_requested_by", "lift_requested_at", "lift_reason"])
    audit.record(
        actor=actor,
        action=ComplianceAction.RESTRICTION_LIFT_ASKED,
        target=restriction,
        client_id=restriction.client_id,
        brand_id=restriction.client.brand_id,
        reason=restriction.lift_reason,
    )
    others = [
        pk
        for pk in people_with("compliance.lift_restriction", brand_id=restriction.client.brand_id)
        if pk != getattr(actor, "pk", None)
    ]
    notify(
        others,
        kind=ComplianceNotice.LIFT_ASKED,
        body=restriction.lift_reason,
        title=phrase("%(name)s requests to lift a restriction on %(client)s")
        % {"name": actor, "client": restriction.client},
        url=f"/compliance/clients/{restriction.client_id}/",
        dedupe_key=f"compliance.lift_asked:{restriction.pk}:{restriction.lift_requested_at.isoformat()}",
    )
    return restriction


@transaction.atomic
def lift(*, restriction_id: int, actor: Actor) -> Restriction:
    """Another officer releases it. Who: `compliance.lift_restriction`, and not the one who asked (also a CHECK)."""
    restriction = _locked(restriction_id)
    require(policies.can_lift(actor, restriction))
    restriction.lifted_by, restriction.lifted_at = actor, timezone.now()
    restriction.save(update_fields=["lifted_by", "lifted_at"])
    holds.note_lifted(restriction, actor=actor)
    return restriction


@transaction.atomic
def refuse_to_lift(*, restriction_id: int, actor: Actor, reason: str) -> Restriction:
    """Keep a restriction that a colleague asked to lift, and tell them why. Who: as `lift`.

    Raises: NotAllowed, DomainError without a reason.
    """
    restriction = _locked(restriction_id)
    require(policies.can_lift(actor, restriction))
    if not reason.strip():
        raise DomainError(_("Enter why the restriction stays in force."))
    asked_by = restriction.lift_requested_by
    restriction.lift_requested_by = restriction.lift_requested_at = None
    restriction.lift_reason = ""
    restriction.save(update_fields=["lift_requested_by", "lift_requested_at", "lift_reason"])
    audit.record(
        actor=actor,
        action=ComplianceAction.RESTRICTION_LIFT_REFUSED,
        target=restriction,
        client_id=restriction.client_id,
        brand_id=restriction.client.brand_id,
        reason=reason.strip(),
        evidence={"asked_by": getattr(asked_by, "pk", None)},
    )
    if asked_by is not None:
        notify(
            [asked_by],
            kind=ComplianceNotice.LIFT_REFUSED,
            body=reason.strip(),
            title=phrase("The restriction on %(client)s stays in force") % {"client": restriction.client},
            url=f"/compliance/clients/{restriction.client_id}/",
        )
    return restriction


@transaction.atomic
def withdraw_lift(*, restriction_id: int, actor: User, note: str = "") -> Restriction:
    """Withdraw one's own request to lift a restriction, which stays in force.

    Who: who asked, with `compliance.lift_restriction` in reach. Raises: NotAllowed, WrongState.
    """
    restriction = _locked(restriction_id)
    require_withdrawable(kind_of(Restriction), restriction, actor)
    restriction.lift_requested_by = restriction.lift_requested_at = None
    restriction.lift_reason = ""
    restriction.save(update_fields=["lift_requested_by", "lift_requested_at", "lift_reason"])
    audit.record(
        actor=actor,
        action=ComplianceAction.RESTRICTION_LIFT_WITHDRAWN,
        target=restriction,
        client_id=restriction.client_id,
        brand_id=restriction.client.brand_id,
        reason=note.strip()[:300],
    )
    return restriction


def _locked_client(client_id: int) -> Client:
    return lock(Client, client_id, "brand", no_key=True)


def _locked(restriction_id: int) -> Restriction:
    client = _locked_client(Restriction.objects.values_list("client_id", flat=True).get(pk=restriction_id))
    restriction = lock(Restriction, restriction_id, "lift_requested_by")
    restriction.client = client
    if not restriction.is_in_force:
        raise WrongState(_("This restriction has already been lifted."))
    return restriction


class LiftApproval(approvals.ListedApproval[Restriction]):
    """The restriction is lifted."""

    model = Restriction
    code = "restriction-lift"
    label = gettext_lazy("Restriction lift")
    asks = decides = "compliance.lift_restriction"
    withdrawn = ComplianceAction.RESTRICTION_LIFT_WITHDRAWN
    notice = ComplianceNotice.LIFT_ASKED
    client_path = "client"
    related = ("client",)
    maker, asked_at, reason, note = "lift_requested_by", "lift_requested_at", "lift_reason", "lift_reason"
    pending = {"lifted_at__isnull": True, "lift_requested_by__isnull": False}
    done = gettext_lazy("Restriction lifted.")

    def is_pending(self, item: Restriction) -> bool:
        return item.is_in_force and item.lift_requested_by_id is not None

    def still_waits(self, item: Restriction) -> Decision:
        return YES if self.is_pending(item) else no(_("No one has requested to lift this restriction yet."))

    def approve(self, pk: int, actor: User, note: str) -> Restriction:
        return lift(restriction_id=pk, actor=actor)

    def reject(self, pk: int, actor: User, note: str) -> Restriction:
        return refuse_to_lift(restriction_id=pk, actor=actor, reason=note)

    def withdraw(self, pk: int, actor: User, note: str) -> Restriction:
        return withdraw_lift(restriction_id=pk, actor=actor, note=note)

    def title(self, item: Restriction) -> LocalizedText:
        return joined([label_of(item, "kind"), item.client], ": ")

    def url(self, item: Restriction) -> str:
        return f"/compliance/clients/{item.client_id}/"

    def changes(self, item: Restriction) -> list[Change]:
        return [Change(_("Restriction"), item.get_kind_display()), Change(_("Reason for restriction"), item.reason)]

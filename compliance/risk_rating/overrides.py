"""A person's own rating of a client: proposed with a reason and an end, approved by another, above the model until then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from clients.models import Client
from clients.policies import can
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.models import RiskOverride
from compliance.risk_rating.content import RANKS
from compliance.risk_rating.rating import RATE_CLIENT, assess
from crm import approvals
from crm.approvals import Change
from crm.brand_policies.registry import require_day, today
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.due import due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.security.policies import Decision, require

RIGHT: Final = "compliance.override_risk"
DAYS_MAX: Final = 366


def can_override(actor: Actor, client: Client) -> Decision:
    """Propose or decide a client's own rating: `compliance.override_risk` in reach."""
    return can(actor, client, RIGHT)


def override_of(client: Client) -> RiskOverride | None:
    """Find the rating that a person gave and that holds today."""
    newest = (
        RiskOverride.objects.filter(client=client, state=ApprovalState.APPROVED)
        .select_related("requested_by", "decided_by")
        .order_by("-pk")
        .first()
    )
    if newest is None or not newest.rating or newest.ends_on is None or newest.ends_on < timezone.now().date():
        return None
    return newest


def awaiting_override(client: Client) -> RiskOverride | None:
    """Find the proposal for a client that waits for a second person."""
    waiting = RiskOverride.objects.filter(client=client, state=ApprovalState.PENDING)
    return waiting.select_related("requested_by").first()


@transaction.atomic
def propose_override(*, client_id: int, rating: str, ends_on: dt.date | None, actor: User, reason: str) -> RiskOverride:
    """Propose a client's own rating up to a day, or with an empty one that the model's counts again.

    Who: `compliance.override_risk` in reach. Raises: NotAllowed, DomainError (an unknown rating, a day that is past or too far,
    no reason), WrongState (nothing to end, or a proposal waits).
    """
    client = lock(Client, client_id, "brand", "book", no_key=True)
    require(can_override(actor, client))
    if rating and rating not in RANKS:
        raise DomainError(_("Choose a rating."))
    if not rating and override_of(client) is None:
        raise WrongState(_("The model's rating counts already."))
    first = today(client.brand)
    if rating:
        require_day(ends_on, first=first, last=first + dt.timedelta(days=DAYS_MAX))
    proposal = RiskOverride(client=client, rating=rating, ends_on=ends_on if rating else None, reason=reason)
    return approvals.propose(proposal, actor=actor)


class RiskOverrideApproval(approvals.ApprovalKind[RiskOverride]):
    """A client's own rating. Who decides holds the same right as who proposes."""

    model = RiskOverride
    code = "risk-override"
    label = gettext_lazy("Risk rating of a client")
    asks = decides = RIGHT
    proposed, approved = ComplianceAction.RISK_OVERRIDE_PROPOSED, ComplianceAction.RISK_OVERRIDE_APPROVED
    rejected, withdrawn = ComplianceAction.RISK_OVERRIDE_REJECTED, ComplianceAction.RISK_OVERRIDE_WITHDRAWN
    notice = ComplianceNotice.RISK_OVERRIDE_PROPOSED
    client_path = "client"
    related = ("client__brand",)
    one_open = ("client",)
    done = gettext_lazy("Risk rating changed.")

    def lock(self, pk: int) -> RiskOverride:
        """Lock the client first, as whoever rates them does."""
        lock(Client, RiskOverride.objects.values_list("client_id", flat=True).get(pk=pk), no_key=True)
        return super().lock(pk)

    def apply(self, item: RiskOverride, actor: User, **given: Any) -> None:
        """Rate the client now, and again on the day after the last. Raises: DomainError."""
        if item.ends_on is not None:
            self._schedule_end(item)
        item.save()  # the rating reads it
        assess(client_id=item.client_id, actor=actor)

    @staticmethod
    def _schedule_end(item: RiskOverride) -> None:
        assert item.ends_on is not None
        if item.ends_on < today(item.client.brand):
            raise DomainError(_("The last day has passed. Propose the rating again."))
        # Ratings go by UTC's day.
        after = dt.datetime.combine(item.ends_on + dt.timedelta(days=1), dt.time(), dt.UTC)
        key = f"{item.client_id}-{item.pk}"
        due(RATE_CLIENT, key=key, at=after, client_id=item.client_id, brand_id=item.client.brand_id)

    def title(self, item: RiskOverride) -> LocalizedText:
        return phrase("Risk rating of %(client)s") % {"client": item.client}

    def url(self, item: RiskOverride) -> str:
        return f"/compliance/clients/{item.client_id}/"

    def changes(self, item: RiskOverride) -> Sequence[Change]:
        lines = [
            Change(
                _("Risk rating"),
                RiskRating(item.rating).label if item.rating else _("As the model rates"),
                item.client.get_risk_rating_display(),
            )
        ]
        return [*lines, Change(_("Last day"), formats.day(item.ends_on))] if item.ends_on else lines

    def after(self, item: RiskOverride) -> dict[str, Any]:
        return {"rating": item.rating, "ends_on": item.ends_on.isoformat() if item.ends_on else None}

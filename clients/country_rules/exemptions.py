"""Exemptions: a client gets through gates that a country or age rule closes, up to a day, by four eyes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice, Gate, TimelineKind
from clients.country_rules.gates import OF_CLIENTS, exemptions_of
from clients.country_rules.rules import sorted_gates
from clients.models import Client, Exemption
from clients.policies import can
from clients.queries import clients_visible_to
from crm import approvals
from crm.approvals import Change
from crm.brand_policies.registry import require_day, today
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, DueRow, User
from crm.security import audit
from crm.security.policies import Decision, require

RIGHT: Final = "clients.exempt_client"
DAYS_MAX: Final = 366


def can_exempt(actor: Actor, client: Client) -> Decision:
    """Propose or decide an exemption: `clients.exempt_client` in reach."""
    return can(actor, client, RIGHT)


def exemptions_visible_to(user: User) -> QuerySet[Exemption]:
    """Select the exemptions, and proposals of some, of clients in reach."""
    return Exemption.objects.filter(client__in=clients_visible_to(user))


@transaction.atomic
def propose_exemption(
    *, client_id: int, gates: Collection[str], ends_on: dt.date | None, actor: User, reason: str
) -> Exemption:
    """Propose that a client gets through gates up to a day, or without gates that the rules hold for them again.

    Who: `clients.exempt_client` in reach. Raises: NotAllowed, DomainError (an unknown gate, a day that is past or too far, no
    reason), WrongState (nothing to end, or a proposal waits).
    """
    client = lock(Client, client_id, "brand", "book", no_key=True)
    require(can_exempt(actor, client))
    if set(gates) - set(OF_CLIENTS):
        raise DomainError(_("Choose one of the options."))
    if not gates and exemptions_of(client)[0] is None:
        raise WrongState(_("The client has no exemption."))
    first = today(client.brand)
    if gates:
        require_day(ends_on, first=first, last=first + dt.timedelta(days=DAYS_MAX))
    proposal = Exemption(client=client, gates=sorted_gates(gates), ends_on=ends_on if gates else None, reason=reason)
    return approvals.propose(proposal, actor=actor)


class ExemptionApproval(approvals.ApprovalKind[Exemption]):
    """An exemption of a client. Who decides holds the same right as who proposes."""

    model = Exemption
    code = "exemption"
    label = gettext_lazy("Exemption of a client")
    asks = decides = RIGHT
    proposed, approved = ClientsAction.EXEMPTION_PROPOSED, ClientsAction.EXEMPTION_APPROVED
    rejected, withdrawn = ClientsAction.EXEMPTION_REJECTED, ClientsAction.EXEMPTION_WITHDRAWN
    notice = ClientsNotice.EXEMPTION_PROPOSED
    client_path = "client"
    related = ("client__brand",)
    one_open = ("client",)
    done = gettext_lazy("Exemption approved. It applies from the client's next request.")

    def lock(self, pk: int) -> Exemption:
        """Lock the client first, as the proposal does."""
        lock(Client, Exemption.objects.values_list("client_id", flat=True).get(pk=pk), no_key=True)
        return super().lock(pk)

    def apply(self, item: Exemption, actor: User, **given: Any) -> None:
        """Note it on the client's timeline, and when it ends. Raises: DomainError."""
        brand = item.client.brand
        if item.ends_on is None:
            return _note(item, phrase("Exemption ended by %(who)s") % {"who": item.requested_by})
        if item.ends_on < today(brand):
            raise DomainError(_("The last day has passed. Propose the exemption again."))
        zone = ZoneInfo(brand.time_zone or "UTC")
        after = dt.datetime.combine(item.ends_on + dt.timedelta(days=1), dt.time(), zone)
        due(ENDING, key=item.pk, at=after, client_id=item.client_id, brand_id=brand.pk)
        return _note(item, phrase("Exempt from rules until %(day)s") % {"day": formats.day(item.ends_on)})

    def title(self, item: Exemption) -> LocalizedText:
        return phrase("Exemption of %(client)s") % {"client": item.client}

    def url(self, item: Exemption) -> str:
        return f"/clients/{item.client_id}/exemption/"

    def changes(self, item: Exemption) -> Sequence[Change]:
        now, _waiting = exemptions_of(item.client)
        lines = [Change(_("Exempt at"), labels_of(item.gates), labels_of(now.gates) if now is not None else None)]
        return [*lines, Change(_("Last day"), formats.day(item.ends_on))] if item.ends_on else lines

    def after(self, item: Exemption) -> dict[str, Any]:
        return {"gates": item.gates, "ends_on": item.ends_on.isoformat() if item.ends_on else None}


def labels_of(gates: Collection[str]) -> str:
    """Name gates for a reader."""
    return ", ".join(str(Gate(gate).label) for gate in gates) or _("None: the rules apply again")


def _note(item: Exemption, title: LocalizedText) -> None:
    timeline.add_entry(
        client_id=item.client_id,
        kind=TimelineKind.COMPLIANCE,
        title=title,
        body=item.reason,
        actor=item.requested_by,
        url=f"/clients/{item.client_id}/exemption/",
    )


def _end(row: DueRow) -> None:
    """Record that an exemption has ended, unless another one took its place: from its day on no gate reads it any more."""
    item = Exemption.objects.select_related("client").filter(pk=row.key, state=ApprovalState.APPROVED).first()
    if item is None or item.ends_on is None:
        return
    client = lock(Client, item.client_id, "brand", no_key=True)
    newer = Exemption.objects.filter(client=client, state=ApprovalState.APPROVED, pk__gt=item.pk).exists()
    if newer or item.ends_on >= today(client.brand):
        return
    audit.record(
        actor=None,
        action=ClientsAction.EXEMPTION_ENDED,
        target=item,
        brand_id=client.brand_id,
        client_id=client.pk,
        before={"gates": item.gates, "ends_on": item.ends_on.isoformat()},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.COMPLIANCE,
        title=phrase("Exemption ended"),
        dedupe_key=f"exemption-ended:{item.pk}",
    )


ENDING: Final = declare(DueKind("clients.exemption_ends", gettext_lazy("Exemption ends"), _end))

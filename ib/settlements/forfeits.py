"""Clients from whom nobody earns any more: their verification was revoked, or a person found the referral fraudulent.

What their trades earned within the plans' clawback days is taken back from the whole upline, settled or not: the next settlement
carries what is then negative. Trades that come later are taken back before each settlement. Lifting it restores everything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to
from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, NotFound
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.security import audit
from crm.security.policies import require
from ib import clawback, periods
from ib.audit_codes import IbAction
from ib.choices import AccrualKind, ForfeitCause, IbNotice, Reason, VerdictKind
from ib.models import Accrual, ClientForfeit, ReferralVerdict

LONG_AGO: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@transaction.atomic
def declare(*, client_id: int, cause: ForfeitCause) -> int:
    """Take everything back that a client's trades earned; return how many rows. Again for the same cause it changes nothing."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    periods.lock_commissions(client.brand_id)
    if ClientForfeit.objects.filter(client=client, cause=cause, lifted_at__isnull=True).exists():
        return 0
    forfeit = ClientForfeit.objects.create(client=client, cause=cause, declared_at=timezone.now())
    return _balance(forfeit, client.brand, AccrualKind.CLAWBACK)


@transaction.atomic
def lift(*, client_id: int, cause: ForfeitCause) -> int:
    """Restore what a forfeit took, where no other one is in force; return how many rows."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    periods.lock_commissions(client.brand_id)
    forfeit = ClientForfeit.objects.filter(client=client, cause=cause, lifted_at__isnull=True).first()
    if forfeit is None:
        return 0
    forfeit.lifted_at = timezone.now()
    forfeit.save(update_fields=["lifted_at"])
    return _balance(forfeit, client.brand, AccrualKind.RESTORED)


def take_later_trades(brand: Brand) -> int:
    """Take back what forfeited clients' trades earned since it was last looked at. Call with the brand's commissions locked."""
    newer = Accrual.objects.filter(client_id=OuterRef("client_id"), pk__gt=OuterRef("reached_id"))
    due = ClientForfeit.objects.filter(client__brand=brand, lifted_at__isnull=True).filter(Exists(newer))
    return sum(_balance(forfeit, brand, AccrualKind.CLAWBACK) for forfeit in due.order_by("pk"))


def _balance(forfeit: ClientForfeit, brand: Brand, kind: AccrualKind) -> int:
    newest = Accrual.objects.filter(client_id=forfeit.client_id).order_by("-pk").values_list("pk", flat=True).first()
    is_taken = kind == AccrualKind.CLAWBACK
    rows, total = clawback.balance(
        client_id=forfeit.client_id,
        brand=brand,
        since=LONG_AGO,
        source=f"forfeit:{forfeit.pk}:{newest or 0}",
        kind=kind,
        reason=Reason.CLIENT_FORFEITED if is_taken else Reason.CLIENT_REINSTATED,
    )
    newest = Accrual.objects.filter(client_id=forfeit.client_id).order_by("-pk").values_list("pk", flat=True).first()
    forfeit.reached_id = newest or 0
    forfeit.save(update_fields=["reached_id"])
    if rows:
        audit.record(
            actor=None,
            action=IbAction.COMMISSIONS_TAKEN_BACK if is_taken else IbAction.COMMISSIONS_GIVEN_BACK,
            target=forfeit,
            client_id=forfeit.client_id,
            brand_id=brand.pk,
            after={"rows": rows, "cause": forfeit.cause, "total": str(total)},
        )
    return rows


@transaction.atomic
def propose_verdict(*, client_id: int, kind: VerdictKind, reason: str, actor: User) -> ReferralVerdict:
    """Propose that a client's referral is fraudulent, or isn't after all. It holds once a second person approves it.

    Who: `ib.manage_partners` at the client's brand. Raises: NotAllowed, NotFound, DomainError where it is so already, WrongState
    (one is open).
    """
    if not clients_visible_to(actor).filter(pk=client_id).exists():
        raise NotFound(_("This record no longer exists. Reload the page."))
    client = lock(Client, client_id, "brand", no_key=True)
    item = ReferralVerdict(client=client, kind=kind, reason=reason.strip())
    require(approvals.kind_of(ReferralVerdict).can_propose(actor, item))
    if is_fraudulent(client_id) == (kind == VerdictKind.FRAUD):
        raise DomainError(_("Nothing changes: this is the verdict in force."))
    return approvals.propose(item, actor=actor)


def is_fraudulent(client_id: int) -> bool:
    """Whether a client's referral is found fraudulent."""
    return ClientForfeit.objects.filter(client_id=client_id, cause=ForfeitCause.FRAUD, lifted_at__isnull=True).exists()


class VerdictApproval(approvals.ApprovalKind[ReferralVerdict]):
    """Commissions of the client's trades are taken back from the whole upline, or restored."""

    model = ReferralVerdict
    code = "referral-verdict"
    label = gettext_lazy("Verdict on a referral")
    asks, decides = "ib.manage_partners", "ib.settle_commissions"
    proposed, approved = IbAction.VERDICT_PROPOSED, IbAction.VERDICT_APPROVED
    rejected, withdrawn = IbAction.VERDICT_REJECTED, IbAction.VERDICT_WITHDRAWN
    notice = IbNotice.VERDICT_PROPOSED
    brand_path = "client__brand_id"
    related = ("client__brand",)
    one_open = ("client",)
    done = gettext_lazy("Verdict approved. Commissions adjusted.")

    def apply(self, item: ReferralVerdict, actor: User, **given: Any) -> None:
        effect = declare if item.kind == VerdictKind.FRAUD else lift
        effect(client_id=item.client_id, cause=ForfeitCause.FRAUD)

    def title(self, item: ReferralVerdict) -> LocalizedText:
        return phrase("Verdict on the referral of client #%(client)s") % {"client": str(item.client_id)}

    def url(self, item: ReferralVerdict) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def changes(self, item: ReferralVerdict) -> Sequence[Change]:
        return [Change(_("Client"), f"#{item.client_id}"), Change(_("Effect"), str(VerdictKind(item.kind).label))]

    def after(self, item: ReferralVerdict) -> dict[str, Any]:
        return {"client": item.client_id, "kind": item.kind}

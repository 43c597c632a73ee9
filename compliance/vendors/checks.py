"""What is to be asked of a vendor: one check per client and party, due now, every night, or after a notice.

Until the vendor has answered about the data as they are, the client is frozen (a payer or payee holds withdrawals): a vendor that
is away lets nobody pass. Everybody's nightly check holds nobody who was answered or is new to the vendor: it is shown as behind.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from compliance import holds
from compliance.audit_codes import ComplianceAction
from compliance.choices import RestrictionCause, RestrictionKind, ScreeningTrigger
from compliance.models import Restriction, ScreenedParty, ScreeningVendor, VendorCheck
from compliance.parties.choices import BLOCKED, PartyRole
from compliance.vendors.choices import PENDING, CheckState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import Brand, User
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit
from crm.security.policies import require

TASK: Final = "compliance.ask_vendors"
WANT_CLIENTS: Final = """
INSERT INTO compliance_vendorcheck AS c (vendor_id, client_id, reference, state, trigger, is_bulk, wanted_at, due_at,
  sent_hash, answered_hash, attempts, problem)
SELECT %(vendor)s, p.id, replace(gen_random_uuid()::text, '-', ''), 'waiting', %(trigger)s, true, %(now)s, %(now)s,
  '', '', 0, ''
FROM clients_client p
WHERE p.brand_id = %(brand)s AND p.stage NOT IN ('lead', 'closed') AND (p.first_name <> '' OR p.last_name <> '')
ON CONFLICT (vendor_id, client_id) WHERE party_id IS NULL DO UPDATE
SET state = 'waiting', trigger = excluded.trigger, is_bulk = true, wanted_at = excluded.wanted_at, due_at = excluded.due_at,
  attempts = 0, problem = ''
WHERE c.state IN ('answered', 'refused', 'ended')
"""
WANT_PARTIES: Final = """
INSERT INTO compliance_vendorcheck AS c (vendor_id, client_id, party_id, reference, state, trigger, is_bulk, wanted_at, due_at,
  sent_hash, answered_hash, attempts, problem)
SELECT %(vendor)s, p.id, s.id, replace(gen_random_uuid()::text, '-', ''), 'waiting', %(trigger)s, true, %(now)s, %(now)s,
  '', '', 0, ''
FROM compliance_screenedparty s JOIN clients_client p ON p.id = s.client_id
WHERE p.brand_id = %(brand)s AND p.stage NOT IN ('lead', 'closed') AND s.is_current
ON CONFLICT (vendor_id, party_id) WHERE party_id IS NOT NULL DO UPDATE
SET state = 'waiting', trigger = excluded.trigger, is_bulk = true, wanted_at = excluded.wanted_at, due_at = excluded.due_at,
  attempts = 0, problem = ''
WHERE c.state IN ('answered', 'refused', 'ended')
"""


def want(
    vendor: ScreeningVendor,
    client: Client,
    *,
    data_hash: str,
    trigger: ScreeningTrigger | str,
    party: ScreenedParty | None = None,
) -> VendorCheck:
    """Have a vendor asked about a client, or a party of theirs, as they are now. The caller holds the client's lock.

    data_hash: of what is compared; while it isn't the one that was answered, what a match would block is held.
    """
    now = timezone.now()
    check, is_new = VendorCheck.objects.get_or_create(
        vendor=vendor, client=client, party=party, defaults={"trigger": trigger, "wanted_at": now, "due_at": now}
    )
    check = lock(VendorCheck, check.pk, "hold")
    check.client, check.party, check.vendor = client, party, vendor
    if not is_new and check.state not in (CheckState.SENT, CheckState.WAITING):
        check.move_to(CheckState.WAITING)
    if check.state == CheckState.WAITING:
        check.due_at = now
    # Sent and unanswered, it is asked again after the answer where the data aren't those that were sent.
    check.trigger, check.is_bulk, check.wanted_at = trigger, False, now
    check.attempts, check.problem = 0, ""
    if check.hold is None and trigger != ScreeningTrigger.LIST and check.answered_hash != data_hash:
        check.hold = _hold(check)
    check.save()
    enqueue_soon_on_commit(TASK)
    return check


def _hold(check: VendorCheck) -> Restriction:
    kind = BLOCKED[PartyRole(check.party.role)] if check.party else RestrictionKind.FROZEN
    reason = phrase("Screening pending: %(vendor)s hasn't answered yet") % {"vendor": check.vendor.name}
    restriction = Restriction.objects.create(
        client=check.client,
        kind=kind,
        cause=RestrictionCause.VENDOR_PENDING,
        reason=localize(reason),
        placed_at=timezone.now(),
    )
    holds.note_placed(restriction, actor=None)
    return restriction


def release(check: VendorCheck, *, reason: str) -> None:
    """Lift what a check holds; the caller holds the client's lock and the check's, and saves the check."""
    restriction = check.hold
    if restriction is None:
        return
    check.hold = None
    if restriction.lifted_at is None:
        restriction.client = check.client
        restriction.lifted_at, restriction.lift_reason = timezone.now(), reason
        restriction.save(update_fields=["lifted_at", "lift_reason"])
        holds.note_lifted(restriction, actor=None)


def end(check: VendorCheck, *, reason: str) -> None:
    """End a check that nobody needs any more, with its hold. The caller holds the client's lock and the check's."""
    release(check, reason=reason)
    check.move_to(CheckState.ENDED)
    check.due_at, check.problem = None, ""
    check.save()


def want_everybody(brand: Brand, vendor: ScreeningVendor) -> int:
    """Have a vendor asked about all registered clients of a brand and their parties, behind whoever is new. Returns how many."""
    values: dict[str, Any] = {
        "vendor": vendor.pk,
        "brand": brand.pk,
        "now": timezone.now(),
        "trigger": ScreeningTrigger.LIST.value,
    }
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (WANT_CLIENTS, WANT_PARTIES):
            cursor.execute(statement, values)
            count += cursor.rowcount
    enqueue_soon_on_commit(TASK)
    return count


@transaction.atomic
def ask_again(*, check_id: int, actor: User) -> VendorCheck:
    """Ask a vendor again about somebody whose answer is unknown, or whom it refused.

    Who: `compliance.screen_client` in reach. Raises: NotAllowed, WrongState while nothing went wrong.
    """
    client_id = VendorCheck.objects.values_list("client_id", flat=True).get(pk=check_id)
    client = lock(Client, client_id, "brand", no_key=True)
    check = lock(VendorCheck, check_id, "vendor")
    require(can(actor, client, "compliance.screen_client"))
    if check.state not in (CheckState.UNKNOWN, CheckState.REFUSED):
        raise WrongState(_("The vendor is asked already, or has answered."))
    before = check.state
    check.move_to(CheckState.WAITING)
    check.due_at, check.attempts, check.problem, check.is_bulk = timezone.now(), 0, "", False
    check.save(update_fields=["state", "due_at", "attempts", "problem", "is_bulk"])
    audit.record(
        actor=actor,
        action=ComplianceAction.VENDOR_ASKED_AGAIN,
        target=check,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"state": before},
        after={"state": check.state, "vendor": check.vendor.code},
    )
    enqueue_soon_on_commit(TASK)
    return check


def check_of(client: Client) -> VendorCheck | None:
    """Find the check about a client themselves, of the vendor that was wanted last."""
    rows = VendorCheck.objects.filter(client=client, party=None).select_related("vendor")
    return rows.defer("vendor__sealed_credentials").order_by("-wanted_at").first()


def is_pending(*, client_id: int, role: PartyRole, name: str) -> bool:
    """Tell whether a vendor hasn't answered yet about a payer, payee or partner of a client."""
    parties = {"party__role": role, "party__name": " ".join(name.split())}
    return VendorCheck.objects.filter(client=client_id, hold__isnull=False, state__in=PENDING, **parties).exists()

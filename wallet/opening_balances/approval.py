"""Opening balances before a second person: totals, the file and its lines, which nobody can change any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.errors import WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import DataImport, User
from crm.money.amounts import Money
from crm.queue.enqueue import enqueue_on_commit
from wallet.audit_codes import WalletAction
from wallet.choices.month_end import PeriodState
from wallet.choices.notices import WalletNotice
from wallet.core.references import new_reference
from wallet.models import OpeningBalances, OpeningLine, OpeningPart, Period

LINES_NAMED = 5
DIGEST = """
SELECT encode(sha256(convert_to(coalesce(string_agg(
  l.line || '|' || l.client_id || '|' || l.currency || '|' || l.amount_minor || '|' || p.business_on, E'\n' ORDER BY l.line
), ''), 'UTF8')), 'hex')
FROM wallet_openingline l JOIN wallet_openingpart p ON p.id = l.part_id WHERE l.data_import_id = %s
"""
MOVED_SINCE = """
SELECT l.line FROM wallet_openingline l
JOIN wallet_account a ON a.client_id = l.client_id AND a.kind = 'client_wallet' AND a.currency = l.currency
JOIN wallet_balance b ON b.account_id = a.id AND b.version > 0
WHERE l.data_import_id = %s ORDER BY l.line LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What the lines of one currency add up to."""

    currency: str
    lines: int
    total: Money


def totals_of(data_import_id: int) -> list[CurrencyTotal]:
    """Add up the lines of an import per currency."""
    rows = OpeningPart.objects.filter(data_import_id=data_import_id).values("currency").order_by("currency")
    return [
        CurrencyTotal(row["currency"], row["wallets"], Money.of_minor(row["total"], row["currency"]))
        for row in rows.annotate(wallets=Sum("line_count"), total=Sum("total_minor"))
    ]


def digest_of(data_import_id: int) -> str:
    """Hash an import's lines as they are stored."""
    with connection.cursor() as cursor:
        cursor.execute(DIGEST, [data_import_id])
        return str(cursor.fetchone()[0])


def propose(batch: DataImport) -> OpeningBalances | None:
    """Ask for the approval of an import's lines, in the name of who imported them; None where there is no line.

    Who: `crm.import_data` for the whole brand. Raises: NotAllowed.
    """
    counts = OpeningLine.objects.filter(data_import=batch).aggregate(
        lines=Count("pk"), clients=Count("client", distinct=True)
    )
    if not counts["lines"] or batch.owner is None:
        return None
    opening = OpeningBalances(
        brand=batch.brand,
        data_import=batch,
        reference=new_reference("O"),
        line_count=counts["lines"],
        client_count=counts["clients"],
        digest=digest_of(batch.pk),
        reason=_("Balances of %(system)s from %(file)s") % {"system": batch.system, "file": batch.file_name},
    )
    return approvals.propose(opening, actor=batch.owner)


def require_unchanged(opening: OpeningBalances) -> None:
    """Refuse lines that aren't those of the proposal. Raises: WrongState."""
    if digest_of(opening.data_import_id) != opening.digest:
        raise WrongState(
            _("The lines aren't those that were proposed. Nothing was posted. Contact your administrator.")
        )


class OpeningApproval(approvals.ApprovalKind[OpeningBalances]):
    """Opening balances, posted in the background once a second person has approved them."""

    model = OpeningBalances
    code = "opening-balances"
    label = gettext_lazy("Opening balances")
    asks, decides = "crm.import_data", "wallet.post_manual_journal"
    proposed, approved = WalletAction.OPENING_BALANCES_PROPOSED, WalletAction.OPENING_BALANCES_APPROVED
    rejected, withdrawn = WalletAction.OPENING_BALANCES_REJECTED, WalletAction.OPENING_BALANCES_WITHDRAWN
    notice = WalletNotice.OPENING_BALANCES
    brand_path = "brand_id"
    related = ("brand", "data_import")
    confirm = gettext_lazy("Post these opening balances?")
    done = gettext_lazy("Opening balances approved. They are being posted.")

    def apply(self, item: OpeningBalances, actor: User, **given: Any) -> None:
        """Let the lines be posted. Raises: WrongState with what has changed since they were proposed."""
        if item.brand.archived_at is not None:
            raise WrongState(_("%(brand)s is archived. Restore it first.") % {"brand": item.brand})
        require_unchanged(item)
        _require_open_days(item)
        _require_no_movements(item)
        enqueue_on_commit("wallet.post_opening_balances", item.pk)

    def title(self, item: OpeningBalances) -> LocalizedText:
        return phrase("Opening balances %(reference)s") % {"reference": item.reference}

    def url(self, item: OpeningBalances) -> str:
        return item.get_absolute_url()

    def changes(self, item: OpeningBalances) -> Sequence[Change]:
        totals = [
            Change(
                _("Total in %(currency)s") % {"currency": total.currency},
                _("%(money)s in %(count)s wallets")
                % {"money": formats.money(total.total), "count": formats.number(total.lines, 0)},
            )
            for total in totals_of(item.data_import_id)
        ]
        return [
            *totals,
            Change(_("Clients"), formats.number(item.client_count, 0)),
            Change(_("File"), item.data_import.file_name),
            Change("SHA-256", item.data_import.sha256),
        ]

    def after(self, item: OpeningBalances) -> dict[str, Any]:
        return {
            "reference": item.reference,
            "import": item.data_import_id,
            "file_sha256": item.data_import.sha256,
            "lines_sha256": item.digest,
            "lines": item.line_count,
            "clients": item.client_count,
            "totals": [str(total.total) for total in totals_of(item.data_import_id)],
        }


def _require_open_days(item: OpeningBalances) -> None:
    closed = (
        Period.objects.filter(
            brand_id=item.brand_id,
            last_day__gte=OpeningPart.objects.filter(data_import_id=item.data_import_id)
            .order_by("business_on")
            .values("business_on")[:1],
        )
        .exclude(state=PeriodState.OPEN)
        .order_by("-last_day")
        .first()
    )
    if closed is not None:
        raise WrongState(
            _("The books are closed up to %(day)s. Reject this, and import the file again with a later day.")
            % {"day": closed.last_day.isoformat()}
        )


def _require_no_movements(item: OpeningBalances) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MOVED_SINCE, [item.data_import_id, LINES_NAMED + 1])
        lines = [str(row[0]) for row in cursor.fetchall()]
    if lines:
        named = ", ".join(lines[:LINES_NAMED]) + (" …" if len(lines) > LINES_NAMED else "")
        raise WrongState(
            _(
                "Clients have had movements since the import (lines %(lines)s). Reject this, and import the file again: "
                "those rows will be refused."
            )
            % {"lines": named}
        )

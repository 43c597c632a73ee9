"""Reads of money. Every one starts from what the user may see.

Functions that take a client trust the caller to have checked it.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import Http404

from crm.models import User
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from wallet.choices.reconciliation import WaitingState
from wallet.models import (
    Account,
    BonusGrant,
    Break,
    Deposit,
    Dispute,
    Exchange,
    FeeInvoice,
    Journal,
    ManualJournal,
    ManualJournalFile,
    OpeningBalances,
    OpeningLine,
    Period,
    Psp,
    ReportToConfirm,
    SettlementImport,
    Transfer,
    WebhookCount,
    WebhookMessage,
    Withdrawal,
)

REPORTS_WAITING_MAX = 20


AnyMovement = Deposit | Withdrawal | Transfer | Exchange


def of_reached_clients(user: User) -> Q:
    """Filter rows to clients in the user's books; for a client's login, to their own."""
    if not user or not user.is_authenticated:
        return Q(pk__in=[])
    if user.is_client:
        return Q(client__user_id=user.pk)
    if not user.is_team:
        return Q(pk__in=[])
    return Q(client__book_id__in=reach_of(user).books)


def deposits_visible_to(user: User) -> QuerySet[Deposit]:
    """Select the deposits of clients whom the user reaches."""
    return Deposit.objects.filter(of_reached_clients(user))


def withdrawals_visible_to(user: User) -> QuerySet[Withdrawal]:
    """Select the withdrawals of clients whom the user reaches."""
    return Withdrawal.objects.filter(of_reached_clients(user))


def transfers_visible_to(user: User) -> QuerySet[Transfer]:
    """Select the transfers of clients whom the user reaches."""
    return Transfer.objects.filter(of_reached_clients(user))


def disputes_visible_to(user: User) -> QuerySet[Dispute]:
    """Select the disputes of clients whom the user reaches."""
    return Dispute.objects.filter(of_reached_clients(user))


def bonuses_visible_to(user: User) -> QuerySet[BonusGrant]:
    """Select the bonuses of clients whom the user reaches."""
    return BonusGrant.objects.filter(of_reached_clients(user))


def invoices_visible_to(user: User) -> QuerySet[FeeInvoice]:
    """Select the fee invoices of clients whom the user reaches."""
    return FeeInvoice.objects.filter(of_reached_clients(user))


def exchanges_visible_to(user: User) -> QuerySet[Exchange]:
    """Select the currency exchanges of clients whom the user reaches."""
    return Exchange.objects.filter(of_reached_clients(user))


def psps_visible_to(user: User) -> QuerySet[Psp]:
    """Select the PSPs of brands that the user reaches as a whole."""
    return Psp.objects.filter(brand_id__in=reach_of(user).whole_brands)


def webhook_counts_visible_to(user: User) -> QuerySet[WebhookCount]:
    """Select the daily counts of webhooks of brands that the user reaches as a whole."""
    return WebhookCount.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def webhooks_visible_to(user: User) -> QuerySet[WebhookMessage]:
    """Select the webhook messages of brands that the user reaches as a whole."""
    return WebhookMessage.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def accounts_visible_to(user: User) -> QuerySet[Account]:
    """Select the ledger accounts of brands that the user reaches as a whole."""
    return Account.objects.filter(brand_id__in=reach_of(user).whole_brands)


def journals_visible_to(user: User) -> QuerySet[Journal]:
    """Select the journals of brands that the user reaches as a whole."""
    return Journal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def periods_visible_to(user: User) -> QuerySet[Period]:
    """Select the months of brands that the user reaches as a whole."""
    return Period.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_journals_visible_to(user: User) -> QuerySet[ManualJournal]:
    """Select the manual journals of brands that the user reaches as a whole."""
    return ManualJournal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_files_visible_to(user: User) -> QuerySet[ManualJournalFile]:
    """Select the files attached to manual journals of brands that the user reaches as a whole."""
    return ManualJournalFile.objects.filter(manual__brand_id__in=reach_of(user).whole_brands)


def opening_balances_visible_to(user: User) -> QuerySet[OpeningBalances]:
    """Select the opening balances of brands that the user reaches as a whole."""
    return OpeningBalances.objects.filter(brand_id__in=reach_of(user).whole_brands)


def opening_lines_visible_to(user: User) -> QuerySet[OpeningLine]:
    """Select the lines of opening balances of brands that the user reaches as a whole."""
    return OpeningLine.objects.filter(data_import__brand_id__in=reach_of(user).whole_brands)


def imports_visible_to(user: User) -> QuerySet[SettlementImport]:
    """Select the settlement reports of brands that the user reaches as a whole."""
    return SettlementImport.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def waiting_reports(user: User, *, is_statement: bool) -> list[ReportToConfirm]:
    """List the reports, or the statements, that wait for a person to confirm that they are complete."""
    rows = reports_to_confirm_visible_to(user).filter(state=WaitingState.WAITING, is_statement=is_statement)
    return list(rows.select_related("psp").defer("psp__sealed_credentials", "totals")[:REPORTS_WAITING_MAX])


def reports_to_confirm_visible_to(user: User) -> QuerySet[ReportToConfirm]:
    """Select the reports and statements whose end is unknown, of brands that the user reaches as a whole."""
    return ReportToConfirm.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def breaks_visible_to(user: User) -> QuerySet[Break]:
    """Select the reconciliation breaks of brands that the user reaches as a whole."""
    return Break.objects.filter(brand_id__in=reach_of(user).whole_brands)


Row = TypeVar("Row", bound=Model)


def one_of(rows: QuerySet[Row], pk: int, user: User, permission: str) -> Row:
    """Return one row; Http404 when it isn't visible, NotAllowed (403) when it is but the role lacks the right."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    if user.is_team:
        require_permission(user, permission)
    return row

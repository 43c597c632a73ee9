"""Reads of money. Every one starts from what the user may see; functions that take a client trust a client already fetched."""

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
    """Rows of clients in the user's books; for a client login, their own."""
    if not user or not user.is_authenticated:
        return Q(pk__in=[])
    if user.is_client:
        return Q(client__user_id=user.pk)
    if not user.is_team:
        return Q(pk__in=[])
    return Q(client__book_id__in=reach_of(user).books)


def deposits_visible_to(user: User) -> QuerySet[Deposit]:
    return Deposit.objects.filter(of_reached_clients(user))


def withdrawals_visible_to(user: User) -> QuerySet[Withdrawal]:
    return Withdrawal.objects.filter(of_reached_clients(user))


def transfers_visible_to(user: User) -> QuerySet[Transfer]:
    return Transfer.objects.filter(of_reached_clients(user))


def disputes_visible_to(user: User) -> QuerySet[Dispute]:
    return Dispute.objects.filter(of_reached_clients(user))


def bonuses_visible_to(user: User) -> QuerySet[BonusGrant]:
    return BonusGrant.objects.filter(of_reached_clients(user))


def invoices_visible_to(user: User) -> QuerySet[FeeInvoice]:
    return FeeInvoice.objects.filter(of_reached_clients(user))


def exchanges_visible_to(user: User) -> QuerySet[Exchange]:
    return Exchange.objects.filter(of_reached_clients(user))


def psps_visible_to(user: User) -> QuerySet[Psp]:
    return Psp.objects.filter(brand_id__in=reach_of(user).whole_brands)


def webhook_counts_visible_to(user: User) -> QuerySet[WebhookCount]:
    return WebhookCount.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def webhooks_visible_to(user: User) -> QuerySet[WebhookMessage]:
    return WebhookMessage.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def accounts_visible_to(user: User) -> QuerySet[Account]:
    return Account.objects.filter(brand_id__in=reach_of(user).whole_brands)


def journals_visible_to(user: User) -> QuerySet[Journal]:
    return Journal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def periods_visible_to(user: User) -> QuerySet[Period]:
    return Period.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_journals_visible_to(user: User) -> QuerySet[ManualJournal]:
    return ManualJournal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_files_visible_to(user: User) -> QuerySet[ManualJournalFile]:
    return ManualJournalFile.objects.filter(manual__brand_id__in=reach_of(user).whole_brands)


def imports_visible_to(user: User) -> QuerySet[SettlementImport]:
    return SettlementImport.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def waiting_reports(user: User, *, is_statement: bool) -> list[ReportToConfirm]:
    rows = reports_to_confirm_visible_to(user).filter(state=WaitingState.WAITING, is_statement=is_statement)
    return list(rows.select_related("psp").defer("psp__sealed_credentials", "totals")[:REPORTS_WAITING_MAX])


def reports_to_confirm_visible_to(user: User) -> QuerySet[ReportToConfirm]:
    return ReportToConfirm.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def breaks_visible_to(user: User) -> QuerySet[Break]:
    return Break.objects.filter(brand_id__in=reach_of(user).whole_brands)


Row = TypeVar("Row", bound=Model)


def one_of(rows: QuerySet[Row], pk: int, user: User, permission: str) -> Row:
    """One row, or 404 when it is not visible, NotAllowed (403) when it is but the role lacks the right."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    if user.is_team:
        require_permission(user, permission)
    return row

"""Posting approved opening balances: part by part, each one journal in one transaction, so that it can be killed anywhere."""

from __future__ import annotations

import datetime as dt
import time

from django.db import connection, transaction
from django.utils import timezone

from clients.choices import TimelineKind
from clients.models import TimelineEntry
from clients.timeline import entry_texts
from crm.choices import ApprovalState
from crm.db.bulk import copy_models
from crm.i18n.localized_text import phrase
from crm.money.amounts import Money
from crm.security import audit
from wallet.audit_codes import WalletAction
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Journal, OpeningBalances, OpeningLine, OpeningPart
from wallet.opening_balances.approval import require_unchanged, totals_of

SECONDS_MAX = 120  # of one task; the next one goes on
LEFT_SECONDS = 30
OPEN_WALLETS = """
INSERT INTO wallet_account (brand_id, kind, currency, client_id, subject, is_bounded, created_at)
SELECT %s, 'client_wallet', currency, client_id, '', true, now() FROM wallet_openingline WHERE part_id = %s
ORDER BY client_id ON CONFLICT DO NOTHING
"""


def due_openings() -> list[int]:
    """List approved opening balances that a worker should have posted by now."""
    rows = OpeningBalances.objects.filter(
        state=ApprovalState.APPROVED, posted_at=None, decided_at__lt=timezone.now() - dt.timedelta(seconds=LEFT_SECONDS)
    )
    return list(rows.order_by("decided_at").values_list("pk", flat=True)[:20])


def post_opening_balances(opening_id: int) -> int:
    """Post what isn't posted yet; return how many parts were. Killed or called twice, each part is posted once.

    Raises: WrongState where the lines aren't the approved ones.
    """
    opening = OpeningBalances.objects.get(pk=opening_id)
    if opening.state != ApprovalState.APPROVED or opening.posted_at is not None:
        return 0
    require_unchanged(opening)
    done, ends = 0, time.monotonic() + SECONDS_MAX
    while time.monotonic() < ends and _post_next_part(opening_id):
        done += 1
    return done


def posted_parts(opening: OpeningBalances) -> int:
    """Count the parts that are in the ledger: they are posted in order."""
    return Journal.objects.filter(idempotency_key__startswith=f"opening:{opening.reference}:").count()


@transaction.atomic
def _post_next_part(opening_id: int) -> bool:
    """Post the next part, or note that the last one is posted. False: it is, or another worker is at it."""
    waiting = OpeningBalances.objects.filter(pk=opening_id, state=ApprovalState.APPROVED, posted_at=None)
    opening = waiting.select_for_update(of=("self",), skip_locked=True).select_related("decided_by").first()
    if opening is None:
        return False
    number = posted_parts(opening) + 1
    part = OpeningPart.objects.filter(data_import_id=opening.data_import_id, number=number).first()
    if part is None:
        _finish(opening)
        return False
    _post(opening, part)
    return True


def _post(opening: OpeningBalances, part: OpeningPart) -> None:
    lines = list(OpeningLine.objects.filter(part=part).order_by("line"))
    wallets = _wallets(opening, part)
    source = posting.house(AccountKind.OPENING_BALANCES, brand_id=opening.brand_id, currency=part.currency)
    posting.post_many(
        [
            Entry(
                key=f"opening:{opening.reference}:{part.number}",
                kind=JournalKind.OPENING,
                brand_id=opening.brand_id,
                lines=[
                    Line(source, -part.total_minor),
                    *(Line(wallets[line.client_id], line.amount_minor) for line in lines),
                ],
                business_on=part.business_on,
                description=f"{opening.reference} · {part.business_on.isoformat()}",
            )
        ],
        actor=opening.decided_by,
    )
    now = timezone.now()
    copy_models([_entry(opening, line, now) for line in lines])


def _wallets(opening: OpeningBalances, part: OpeningPart) -> dict[int, Account]:
    """Open the missing wallets of a part, and return all by client."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_WALLETS, [opening.brand_id, part.pk])
    rows = Account.objects.filter(
        brand_id=opening.brand_id,
        kind=AccountKind.CLIENT_WALLET,
        currency=part.currency,
        client__in=OpeningLine.objects.filter(part=part).values("client"),
    )
    return {account.client_id: account for account in rows if account.client_id is not None}


def _entry(opening: OpeningBalances, line: OpeningLine, at: dt.datetime) -> TimelineEntry:
    title = phrase("Opening balance: %(money)s") % {"money": Money(line.amount, line.currency)}
    return TimelineEntry(
        client_id=line.client_id,
        kind=TimelineKind.PAYMENT,
        actor_id=opening.decided_by_id,
        at=at,
        url=opening.get_absolute_url(),
        dedupe_key=f"opening:{opening.pk}:{line.currency}",
        is_visible_to_client=True,
        **entry_texts(title=title, body=opening.reference),
    )


def _finish(opening: OpeningBalances) -> None:
    opening.posted_at = timezone.now()
    opening.save(update_fields=["posted_at"])
    audit.record(
        actor=opening.decided_by,
        action=WalletAction.OPENING_BALANCES_POSTED,
        target=opening,
        brand_id=opening.brand_id,
        after={
            "reference": opening.reference,
            "lines": opening.line_count,
            "lines_sha256": opening.digest,
            "totals": [str(total.total) for total in totals_of(opening.data_import_id)],
        },
    )

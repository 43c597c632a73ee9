"""A receipt for a deposit that arrived: what was paid, what it cost, what the wallet got. One page, to be shown to others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.errors import NotAllowed, WrongState
from crm.models import Actor, Job
from crm.money.amounts import Money
from crm.rendering.report import Fingerprint
from crm.security import access_log
from crm.security.policies import require
from wallet.choices.deposits import DEPOSIT_ARRIVED
from wallet.choices.documents import DocumentKind
from wallet.core.policies import is_own
from wallet.core.queries import deposits_visible_to
from wallet.documents.making import gathers, language_of, order
from wallet.documents.policies import can_have_documents
from wallet.documents.store import Draft
from wallet.models import Deposit


def content_hash(deposit: Deposit) -> str:
    """Hash what the receipt states; after a refund or chargeback the receipt is another one."""
    mark = Fingerprint(f"receipt:{deposit.reference}")
    received = Money.of_minor(deposit.received_minor or 0, deposit.received_currency)
    mark.row(
        [
            deposit.settled_at,
            received,
            deposit.fee,
            deposit.credited,
            deposit.psp.code,
            deposit.method,
            deposit.instrument,
            deposit.payer_name,
            deposit.psp_reference,
            deposit.refunded_minor,
            deposit.charged_back_minor,
        ]
    )
    return mark.hexdigest()


def draft_of(deposit: Deposit, language: str) -> Draft:
    """Gather a deposit's receipt. Raises WrongState for a deposit that has not arrived."""
    if deposit.settled_at is None or deposit.state not in DEPOSIT_ARRIVED:
        raise WrongState(_("The receipt is available once the money has arrived."))
    client, currency = deposit.client, deposit.received_currency
    with translation.override(language):
        title = _("Receipt %(reference)s") % {"reference": deposit.reference}
    context = {
        "deposit": deposit,
        "client": client,
        "made_at": timezone.now(),
        "title": title,
        "received": Money.of_minor(deposit.received_minor or 0, currency),
        "credited": deposit.credited,
        "fee": Money.of_minor(deposit.fee_minor, currency),
        "given_back": Money.of_minor(deposit.refunded_minor + deposit.charged_back_minor, currency),
        "converted": deposit.credited.currency != currency,
    }
    return Draft(
        kind=DocumentKind.RECEIPT,
        brand=client.brand,
        client=client,
        subject=f"deposit:{deposit.reference}",
        title=title,
        file_name=f"receipt-{deposit.reference}.pdf",
        language=language,
        template="wallet/documents/pdf/receipt.html",
        content_hash=content_hash(deposit),
        context=context,
    )


@gathers(DocumentKind.RECEIPT)
def draft_for(owner: Any, parameters: Mapping[str, Any]) -> Draft:
    """Gather the receipt of a document job; the owner's rights are checked again. Raises: NotAllowed, WrongState."""
    rows = deposits_visible_to(owner).select_related("client__brand", "psp", "wallet", "payment_method")
    deposit = rows.filter(pk=parameters["deposit_id"]).first()
    if deposit is None:
        raise NotAllowed(_("You don't have access to this client."))
    require(can_have_documents(owner, deposit.client))
    return draft_of(deposit, parameters["language"])


def order_receipt(*, deposit: Deposit, actor: Actor, language: str = "") -> Job:
    """Start the job that makes a receipt. Who: the client, or staff in reach who may make documents. Raises: WrongState."""
    require(can_have_documents(actor, deposit.client))
    if deposit.state not in DEPOSIT_ARRIVED:
        raise WrongState(_("The receipt is available once the money has arrived."))
    if not is_own(actor, deposit.client):
        access_log.note(
            user=actor,
            kind=AccessKind.EXPORT,
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            target=f"wallet.receipt:{deposit.reference}",
        )
    return order(
        DocumentKind.RECEIPT,
        owner=actor,
        title=_("Receipt %(reference)s") % {"reference": deposit.reference},
        parameters={"deposit_id": deposit.pk, "language": language or language_of(deposit.client)},
    )

"""Payouts through Adyen's classic Payout API, which takes no new customers: submitted by one API user, confirmed by another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from Adyen.services.payouts.initialization_api import InitializationApi
from Adyen.services.payouts.reviewing_api import ReviewingApi
from django.utils.translation import gettext as _

from wallet.models import Psp
from wallet.psp.adyen.notifications import UNITS
from wallet.psp.adyen.transport import Doors, bank_account_of, translate_errors
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.values import PayoutOrder


def submit(psp: Psp, doors: Doors, order: PayoutOrder, *, merchant: str, keys: Mapping[str, str]) -> str:
    """Submit and confirm it; returns Adyen's reference. Before the confirmation nothing is paid."""
    if not all(keys.values()):
        raise PspRefused(
            _("%(psp)s can't pay out: neither transfers nor its payout keys and e-mail address are set up.")
            % {"psp": psp}
        )
    iban, holder = bank_account_of(order)
    body = {
        "merchantAccount": merchant,
        "reference": order.reference,
        "amount": {"value": UNITS.to_psp(order.amount_minor, order.currency), "currency": order.currency},
        "bank": {"iban": iban, "ownerName": holder, "countryCode": iban[:2]},
        "recurring": {"contract": "PAYOUT"},
        "shopperReference": f"payee-{hashlib.sha256(iban.encode()).hexdigest()[:24]}",
        "shopperEmail": keys["payout_email"],
    }
    with translate_errors(psp):
        initialization = doors.open(InitializationApi, keys["payout_key"])
        answer = initialization.store_detail_and_submit_third_party(body, idempotency_key=order.reference).message
        submitted = str(answer["pspReference"])
        confirmation = {"merchantAccount": merchant, "originalReference": submitted}
        review = doors.open(ReviewingApi, keys["payout_review_key"])
    try:
        with translate_errors(psp):
            review.confirm_third_party(confirmation, idempotency_key=f"{order.reference}-confirm")
    except PspUnreachable as error:
        # Not confirmed by us, but it exists there and someone may confirm it in the Customer Area.
        raise PspUnknown(error.message) from error
    return submitted

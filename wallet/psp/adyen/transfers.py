"""Payouts to bank accounts through Adyen's Transfers API (balance platform, `btl/v4`).

One request moves money from our balance account; webhooks report its outcome, which can also be looked up by the
transfer's id or by our reference. A request that went out is never sent again.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from Adyen.services.transfers.transfers_api import TransfersApi
from django.utils import timezone
from django.utils.translation import gettext as _

from wallet.models import Psp, PspCall
from wallet.psp.adyen.notifications import UNITS, is_key
from wallet.psp.adyen.transfer_views import is_ours, view_of
from wallet.psp.adyen.transport import Doors, bank_account_of, translate_errors
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.values import Health, PayoutOrder, SentPayout, TransferView

KEYS = ("balance_account", "transfer_key", "transfer_webhook_secret")
BENEFICIARY_REFERENCE_MAX = 35
# What a name may contain; letters with marks are written without them.
NAME_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.;:-—/\\+&!?@()\"' ")
SPELT = str.maketrans({
    "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "’": "'", "‘": "'", "–": "-",
})  # fmt: skip  # a table of pairs
MARGIN = dt.timedelta(days=1)  # between our clock and theirs, and for a queue
WINDOW_MAX = dt.timedelta(days=180)  # Adyen takes six months
# A list is not promised to show at once what was taken: until then, what it does not show may still be there.
LISTED_AFTER = dt.timedelta(hours=1)
PAGE = 100


class Transfers:
    """The Transfers API for one PSP row."""

    def __init__(self, psp: Psp, doors: Doors) -> None:
        self._psp, self._doors = psp, doors
        self._keys = {name: str(psp.credentials.get(name) or "").strip() for name in KEYS}
        self.balance_account = self._keys["balance_account"]

    @property
    def is_set_up(self) -> bool:
        """All three are there: then payouts go this way."""
        return all(self._keys.values())

    @property
    def webhook_keys(self) -> list[str]:
        previous = self._psp.credentials.get("previous_transfer_webhook_secret")
        return [self._keys["transfer_webhook_secret"], str(previous or "").strip()]

    def start(self, order: PayoutOrder) -> TransferView:
        """Send it, once, under our reference."""
        body = self._body(order)
        with translate_errors(self._psp):
            data = self._api().transfer_funds(body, idempotency_key=order.reference).message
            view = view_of(data)
            if view.reference != order.reference:
                raise ValueError("the answer is about another transfer")
            return view

    def _body(self, order: PayoutOrder) -> dict[str, Any]:
        iban, holder = bank_account_of(order)
        return {
            "amount": {"value": UNITS.to_psp(order.amount_minor, order.currency), "currency": order.currency},
            "balanceAccountId": self.balance_account,
            "category": "bank",
            "counterparty": {
                "bankAccount": {
                    "accountHolder": {"fullName": latin_name(holder)},
                    "accountIdentification": {"type": "iban", "iban": iban},
                }
            },
            "priority": "regular",
            "reference": order.reference,
            # Letters and digits only.
            "referenceForBeneficiary": "".join(sign for sign in order.reference if sign.isascii() and sign.isalnum())[
                :BENEFICIARY_REFERENCE_MAX
            ],
        }

    def find(self, payout: SentPayout) -> TransferView | None:
        """Find a payout by its id where we know it, else among the transfers of its time; None only once it can't appear."""
        if payout.psp_reference and (data := self._by_id(payout.psp_reference)):
            with translate_errors(self._psp):
                if str(data["reference"]) == payout.reference:
                    return view_of(data)
        transfers = self._by_reference(payout.reference, payout.sent_at)
        if len(transfers) > 1:
            raise PspUnknown(
                _("%(psp)s has several transfers with reference %(reference)s. Check them manually.")
                % {"psp": self._psp, "reference": payout.reference}
            )
        if not transfers and payout.sent_at and timezone.now() - payout.sent_at < LISTED_AFTER:
            raise PspUnknown(_("%(psp)s doesn't list it yet.") % {"psp": self._psp})
        return transfers[0] if transfers else None

    def _by_id(self, transfer_id: str) -> Mapping[str, Any] | None:
        try:
            with translate_errors(self._psp):
                transfer: Mapping[str, Any] = self._api().get_transfer(quote(transfer_id, safe="")).message
                return transfer
        except PspRefused as refused:
            if refused.status in (404, 422):
                return None
            raise

    def _by_reference(self, reference: str, sent_at: dt.datetime | None) -> list[TransferView]:
        now = timezone.now()
        since = sent_at - MARGIN if sent_at else now + MARGIN - WINDOW_MAX
        listed = self._list(since, min(now + MARGIN, since + WINDOW_MAX), reference=reference, limit=str(PAGE))
        with translate_errors(self._psp):
            own = [
                transfer
                for transfer in listed
                if transfer.get("reference") == reference and is_ours(transfer, self.balance_account)
            ]
            return [view_of(transfer) for transfer in own]

    def _list(self, since: dt.datetime, until: dt.datetime, **filters: str) -> list[Mapping[str, Any]]:
        query = {
            "balanceAccountId": self.balance_account,
            "createdSince": _moment(since),
            "createdUntil": _moment(until),
            **filters,
        }
        with translate_errors(self._psp):
            quoted = {name: quote(value, safe="") for name, value in query.items()}  # the SDK does not
            return list(self._api().get_all_transfers(query_parameters=quoted).message["data"])

    def check(self) -> Health | None:
        """Check the set-up of transfers; None where nothing is wrong.

        Asks for the transfers of the last hour: a look-up needs that right too.
        """
        if not any(self._keys.values()):
            return None
        if not self.is_set_up:
            return Health(
                False,
                _("Payouts by transfer need all three: the balance account, its API key and its webhook's HMAC key."),
            )
        if not is_key(self._keys["transfer_webhook_secret"]):
            return Health(False, _("The HMAC key of the transfer webhook isn't hexadecimal, so no payouts are booked."))
        now = timezone.now()
        try:
            self._list(now - dt.timedelta(hours=1), now, limit="1")
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            if getattr(error, "status", 0) == 401:
                return Health(
                    False,
                    _(
                        "Adyen doesn't recognise the API key for transfers. Create a new one in the balance "
                        "platform's Customer Area."
                    ),
                )
            if isinstance(error, PspRefused):
                return Health(
                    False,
                    _("The API key has no access to the transfers of balance account %(account)s: %(words)s")
                    % {"account": self.balance_account, "words": error.message},
                )
            return Health(False, error.message)
        return None

    def _api(self) -> TransfersApi:
        return self._doors.open(TransfersApi, self._keys["transfer_key"])


def is_payout_api_order(psp: Psp, reference: str) -> bool:
    """Was this payout submitted through the Payout API, before Transfers were set up? Its calls are kept."""
    return PspCall.objects.filter(psp=psp, reference=reference, operation__contains="/Payout/").exists()


def latin_name(name: str) -> str:
    """Write a holder's name in the characters that Adyen takes.

    Raises: PspRefused (it can't be written so).
    """
    spelt = unicodedata.normalize("NFKD", name.translate(SPELT))
    plain = " ".join("".join(sign for sign in spelt if not unicodedata.combining(sign)).split())
    if not plain or not NAME_SIGNS.issuperset(plain):
        raise PspRefused(_("Enter the account holder's name in Latin letters, as the bank writes it."))
    return plain


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Owners of payout accounts other than the client, for screening."""

from __future__ import annotations

from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note
from wallet.choices.withdrawals import Purpose, WithdrawalRoute
from wallet.deposits.payer_match import is_payer
from wallet.models import Withdrawal
from wallet.withdrawals.destinations import destination_of


def screen_payees(request_reference: str) -> None:
    """Have whoever is to be paid by a request screened, where the account isn't in the client's name.

    A possible match blocks the client's withdrawals, this one too: restrictions are checked again on approval.
    """
    parts = Withdrawal.objects.filter(
        request_reference=request_reference, way=WithdrawalRoute.PAYOUT, purpose=Purpose.WITHDRAWAL
    )
    for part in parts.select_related("client").order_by("pk"):
        client, holder = part.client, destination_of(part).get("holder", "")
        if not is_payer(client.first_name, client.last_name, holder):
            note(client_id=client.pk, role=PartyRole.PAYEE, named=Named(name=holder, subject=part.reference))

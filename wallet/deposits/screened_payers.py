"""Payers other than the client, for screening, and what a possible match of one holds."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note
from compliance.parties.queries import is_held
from crm.errors import WrongState
from wallet.deposits.payer_match import is_payer
from wallet.models import Deposit

PAYER_HELD: Final = gettext_lazy("The payer may be on a watchlist. Compliance has to review the match first.")


def screen_payer(deposit: Deposit) -> None:
    """Have whoever paid in screened, where the name isn't the client's. Read the deposit with its client."""
    client = deposit.client
    if not is_payer(client.first_name, client.last_name, deposit.payer_name):
        named = Named(name=deposit.payer_name, subject=deposit.reference)
        note(client_id=client.pk, role=PartyRole.PAYER, named=named)


def require_clear_payer(deposit: Deposit) -> None:
    """Screen the payer now, before the money moves: the handler that does so may not have run yet.

    The caller has locked deposit and client. Raises: WrongState, which takes the match back; the handler finds it again.
    """
    screen_payer(deposit)
    if is_payer_held(deposit):
        raise WrongState(str(PAYER_HELD))


def is_payer_held(deposit: Deposit) -> bool:
    """Tell whether the payer may be on a watchlist: the money is neither credited nor returned until that is decided."""
    return bool(deposit.payer_name) and is_held(
        client_id=deposit.client_id, role=PartyRole.PAYER, name=deposit.payer_name
    )

"""Setting an exchange up, proposed by one person and approved by another, and the phones that agents are rung on."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.canonical import canonical_phone
from clients.choices import ClientsNotice
from clients.models import AgentPhone, PhoneExchange, PhoneExchangeProposal
from clients.telephony import own_phones, policies
from clients.telephony.adapters import ADAPTERS
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.db.locking import lock_first
from crm.errors import DomainError, outcome_of
from crm.models import User
from crm.security import audit
from crm.security.policies import require_permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSetup(ConnectionSetup):
    """An exchange as it shall be."""

    caller_number: str


class PhoneExchangeApproval(ConnectionApproval[PhoneExchange, PhoneExchangeProposal]):
    """A connection to a phone exchange."""

    model, connection, adapters = PhoneExchangeProposal, PhoneExchange, ADAPTERS
    code = "phone-exchange"
    label = gettext_lazy("Phone exchange")
    path = "/phone/exchanges/"
    own = ("caller_number",)
    asks = decides = policies.SETS_UP
    proposed, approved = ClientsAction.PHONE_EXCHANGE_PROPOSED, ClientsAction.PHONE_EXCHANGE_APPROVED
    rejected, withdrawn = ClientsAction.PHONE_EXCHANGE_REJECTED, ClientsAction.PHONE_EXCHANGE_WITHDRAWN
    tested = ClientsAction.PHONE_EXCHANGE_TESTED
    notice = ClientsNotice.PHONE_EXCHANGE_PROPOSED
    done = gettext_lazy("Phone exchange set up. Test the connection to be sure.")
    adapter_label, choose = gettext_lazy("Exchange"), gettext_lazy("Choose an exchange.")
    another_in_use = gettext_lazy("Another phone exchange of this brand is in use. Switch it off first.")

    def check(self, setup: ExchangeSetup) -> None:
        if not setup.caller_number or canonical_phone(setup.caller_number) != setup.caller_number:
            raise DomainError(_("Enter the number with its country code, e.g. +442071838750."))

    def shown(self, row: PhoneExchange | PhoneExchangeProposal) -> dict[str, str]:
        return {_("Our number"): row.caller_number}


def propose_exchange(
    *, brand_id: int, setup: ExchangeSetup, actor: User, reason: str, exchange_id: int | None = None
) -> PhoneExchangeProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_policies` on the whole brand. Raises: as `ConnectionApproval.propose`, DomainError (number).
    """
    kind = PhoneExchangeApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=exchange_id)


def test_connection(*, exchange_id: int, actor: User) -> str:
    """Ask the exchange for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_policies` on the whole brand.
    """
    return PhoneExchangeApproval().test(exchange_id, actor)


@transaction.atomic
def set_own_phone(*, actor: User, address: str, takes_unknown: bool = False) -> AgentPhone:
    """Set where a person is rung: a number in E.164 or a SIP address. takes_unknown: also for callers without an owner.

    Who: `clients.log_call`, for oneself. Raises: NotAllowed; DomainError for an address that is neither, or that none of
    the person's brands allows (`own_phones`).
    """
    require_permission(actor, policies.CALLS)
    address = own_phones.canonical_address(address)
    if not address:
        raise DomainError(_("Enter a number with its country code, or a SIP address such as sip:anna@pbx.example.com."))
    _require_a_brand_allows(address, actor)
    values = {"address": address, "takes_unknown": takes_unknown, "changed_at": timezone.now()}
    phone, _is_new = AgentPhone.objects.update_or_create(user=actor, defaults=values)
    after = {"address": address, "takes_unknown": takes_unknown}
    audit.record(actor=actor, action=ClientsAction.AGENT_PHONE_SET, target=phone, after=after)
    return phone


@transaction.atomic
def remove_phone(*, user_id: int, actor: User) -> int:
    """Stop ringing a person who leaves: incoming calls of their clients go to whoever takes them. Returns how many numbers.

    The caller has decided that the actor may.
    """
    phone = lock_first(AgentPhone.objects.filter(user_id=user_id))
    if phone is None:
        return 0
    audit.record(actor=actor, action=ClientsAction.AGENT_PHONE_REMOVED, target=phone, before={"address": phone.address})
    phone.delete()
    return 1


def _require_a_brand_allows(address: str, actor: User) -> None:
    """Refuse an address that no brand of the person allows, with the first brand's reason. Raises: DomainError."""
    refusals = []
    for brand in own_phones.brands_of(actor):
        allowed = outcome_of(functools.partial(own_phones.require_allowed, address, brand))
        if allowed:
            return
        refusals.append(allowed.error)
    if refusals:
        raise refusals[0]

"""Which phone an agent may be rung on: a number in the brand's countries, or an address at one of its own SIP hosts.

Every call to a client is first a call to this phone: an expensive or foreign number costs the broker money, and a stranger's
SIP host would hear the clients.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from clients.brand_policies import AGENT_PHONE_COUNTRIES, AGENT_SIP_HOSTS
from clients.canonical import canonical_phone, country_of_phone, parse_phone
from clients.models import PhoneExchange
from crm.errors import DomainError
from crm.models import Brand, User
from crm.security.scope import reach_of

if TYPE_CHECKING:
    import phonenumbers

SIP: Final = re.compile(r"sip:[\w.+-]{1,60}@([A-Za-z0-9.-]{1,50})")


def countries_of(brand: Brand) -> frozenset[str]:
    """Return where agents' numbers may be: as the policy says, else where the brand's own numbers are; empty: anywhere."""
    chosen = AGENT_PHONE_COUNTRIES.of(brand)
    if chosen:
        return chosen
    numbers = PhoneExchange.objects.filter(brand=brand, is_enabled=True).values_list("caller_number", flat=True)
    return frozenset(filter(None, map(country_of_phone, numbers)))


def require_allowed(address: str, brand: Brand) -> None:
    """Refuse an address that agents of this brand may not be rung on. Raises: DomainError, which says what may be entered."""
    sip = SIP.fullmatch(address)
    if sip is not None:
        if sip[1].lower() not in AGENT_SIP_HOSTS.of(brand):
            raise DomainError(
                _("Calls to %(host)s aren't allowed at this brand. Ask an administrator to add it.") % {"host": sip[1]}
            )
        return
    number = parse_phone(address)
    if number is None:
        return  # no phone at all: the exchange says so
    if _is_expensive(number):
        raise DomainError(_("Premium-rate and shared-cost numbers can't be used."))
    countries = countries_of(brand)
    if countries and country_of_phone(address) not in countries:
        raise DomainError(
            _("Numbers of this country aren't allowed at this brand. Allowed: %(countries)s.")
            % {"countries": ", ".join(sorted(countries))}
        )


def _is_expensive(number: phonenumbers.PhoneNumber) -> bool:
    from phonenumbers import PhoneNumberType, number_type

    return number_type(number) in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER)


def canonical_address(given: str) -> str:
    """Write a phone as it is kept: a SIP address as it is, a number in E.164; "" for what is neither."""
    address = given.strip()
    return address if SIP.fullmatch(address) else canonical_phone(address)


def brands_of(user: User) -> list[Brand]:
    """List the brands whose clients a person may call."""
    return list(Brand.objects.filter(pk__in=reach_of(user).brands).order_by("pk"))

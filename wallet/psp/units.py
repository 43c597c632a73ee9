"""Minor units as a provider counts them, where they differ from ISO 4217."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from crm.money.amounts import exponent
from wallet.psp.errors import PspRefused


def _power(places: int) -> int:
    """10 to a number of places that is not below zero."""
    power: int = 10**places
    return power


class MinorUnits:
    """`exceptions`: the provider's own number of decimals for the currencies where it differs from ours."""

    def __init__(self, exceptions: Mapping[str, int]) -> None:
        self._exceptions = exceptions

    def to_psp(self, amount_minor: int, currency: str) -> int:
        """Ours → theirs, exactly. Raises PspRefused for an amount that they can't write."""
        places = self.places(currency) - exponent(currency)
        if places >= 0:
            return amount_minor * _power(places)
        whole, rest = divmod(amount_minor, _power(-places))
        if rest:
            raise PspRefused(_("Too many decimal places in %(currency)s for this PSP.") % {"currency": currency})
        return whole

    def to_ours(self, amount: int, currency: str) -> int:
        """Theirs → ours, exactly. Raises ValueError for what our books can't hold."""
        places = exponent(currency) - self.places(currency)
        if places >= 0:
            return int(amount) * _power(places)
        whole, rest = divmod(int(amount), _power(-places))
        if rest:
            raise ValueError(f"{amount} is finer than the smallest unit of {currency}")
        return whole

    def places(self, currency: str) -> int:
        return self._exceptions.get(currency, exponent(currency))

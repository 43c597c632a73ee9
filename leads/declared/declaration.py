"""Reading what a lead declares: by form, by API, by hand or in a file, with the same bounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError, outcome_of
from crm.models import Brand, FxRate
from crm.money.amounts import exponent, quantize
from crm.rates import fx
from leads.choices import Experience
from leads.models import Lead

# Of the amount as it was declared and of what it is in the brand's base currency.
INTENDED_MAX: Final = Decimal(10) ** 12
AMOUNT_CHARS_MAX: Final = 40
RATES_OF: Final = dt.timedelta(days=400)
# What files call it, beside the codes themselves.
WORDS: Final[dict[str, Experience]] = {
    **dict.fromkeys(("no", "0", "beginner", "keine", "nein", "anfänger", "ninguna"), Experience.NONE),
    **dict.fromkeys(("little", "medium", "etwas", "wenig", "mittel", "alguna"), Experience.SOME),
    **dict.fromkeys(("expert", "advanced", "erfahren", "fortgeschritten", "experte", "mucha"), Experience.EXPERIENCED),
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What somebody declared. `in_base`: the amount in the brand's base currency, at the rate of the day."""

    experience: str = ""
    amount: Decimal | None = None
    currency: str = ""
    in_base: Decimal | None = None

    def __bool__(self) -> bool:
        return bool(self.experience) or self.amount is not None

    def columns(self) -> dict[str, Any]:
        """Return it as columns of a lead."""
        return {
            "experience": self.experience,
            "intended_deposit": self.amount,
            "intended_currency": self.currency,
            "intended_in_base": self.in_base,
        }

    def as_audit(self) -> dict[str, str]:
        """Write it for an audit row's body, which is encrypted under the client's key."""
        amount = {} if self.amount is None else {"intended_deposit": f"{self.amount:f} {self.currency}"}
        return {**({"experience": self.experience} if self.experience else {}), **amount}

    def as_json(self) -> dict[str, str]:
        """Write it into the row of a file, from which `of_json` reads it."""
        if not self:
            return {}
        numbers = {"amount": self.amount, "in_base": self.in_base}
        amounts = {name: f"{number:f}" for name, number in numbers.items() if number is not None}
        return {"experience": self.experience, "currency": self.currency, **amounts}

    @classmethod
    def of_json(cls, kept: Mapping[str, str]) -> Declaration:
        """Read what `as_json` wrote."""
        if not kept:
            return NOTHING
        amount, in_base = (Decimal(kept[name]) if name in kept else None for name in ("amount", "in_base"))
        return cls(kept["experience"], amount, kept["currency"], in_base)


NOTHING: Final = Declaration()


def declared_of(lead: Lead) -> Declaration:
    """Return what a lead declared with its enquiry."""
    return Declaration(lead.experience, lead.intended_deposit, lead.intended_currency, lead.intended_in_base)


class Reader:
    """Reads what leads of a brand declare. Rates are looked up once per currency.

    loads_rates: read all of them first and none later, for files, whose lines are read while a COPY holds the connection.
    """

    def __init__(self, brand: Brand, *, loads_rates: bool = False) -> None:
        self.brand, self.has_loaded = brand, loads_rates
        self.rates: dict[str, fx.Rate | None] = {}
        if loads_rates:
            today = timezone.now().date()
            known = (
                FxRate.objects.filter(on__gte=today - RATES_OF).order_by().values_list("currency", flat=True).distinct()
            )
            self.rates = fx.rates_into(brand.base_currency, {*known, "EUR"}, on=today)

    def read(self, experience: str, amount: Any, currency: str) -> Declaration:
        """Check what was declared; nothing may be. Raises: DomainError for what can't be understood or has no rate."""
        given = self._amount(amount)
        if given is None:
            return Declaration(read_experience(experience))
        base = self.brand.base_currency
        currency = currency.strip().upper() or base
        if not self.brand.offers_currency(currency):
            raise DomainError(
                _("%(brand)s has no accounts in “%(currency)s”.") % {"brand": self.brand, "currency": currency[:10]}
            )
        if round(given, exponent(currency)) != given:
            raise DomainError(_("Too many decimal places for %(currency)s.") % {"currency": currency})
        in_base = quantize(given, base) if currency == base else self._rate(currency).convert(given)
        if not 0 < in_base <= INTENDED_MAX:
            raise DomainError(_("Enter a realistic intended deposit."))
        return Declaration(read_experience(experience), given, currency, in_base)

    def _rate(self, currency: str) -> fx.Rate:
        if currency not in self.rates and not self.has_loaded:
            found = outcome_of(
                lambda: fx.rate(currency, self.brand.base_currency, on=timezone.now().date()), only=fx.NoRate
            )
            self.rates[currency] = found.result if found else None
        rate = self.rates.get(currency)
        if rate is None:
            raise DomainError(_("There is no exchange rate for “%(currency)s”.") % {"currency": currency[:10]})
        return rate

    @staticmethod
    def _amount(given: Any) -> Decimal | None:
        if isinstance(given, str):
            given = given.strip()
        if given is None or given == "":
            return None
        text = str(given)
        try:
            number = Decimal(text if len(text) <= AMOUNT_CHARS_MAX and "_" not in text else "NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 < number <= INTENDED_MAX:
            raise DomainError(_("Enter the intended deposit as a number above zero, e.g. 2500 or 2500.50."))
        return number


def read_experience(given: str) -> str:
    """Read a code, a label or what files call it; empty for none given. Raises: DomainError for anything else."""
    word = given.strip().lower()
    if not word:
        return ""
    for choice in Experience:
        if word in (choice.value, str(choice.label).lower()):
            return choice.value
    if word in WORDS:
        return WORDS[word].value
    raise DomainError(
        _("Unknown trading experience “%(value)s”: use one of %(known)s.")
        % {"value": given.strip()[:40], "known": ", ".join(Experience.values)}
    )

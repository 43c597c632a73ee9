"""Types of a policy's value: what is stored (as JSON), what a person enters and reads, and its bounds."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.territories import country_names, sorted_countries
from crm.money.amounts import exponent, from_minor, to_minor
from crm.money.numbers import is_whole

if TYPE_CHECKING:
    from crm.models import Brand

V = TypeVar("V")
Label: TypeAlias = str | Promise
ENTRIES_MAX: Final = 300
AMOUNT_MAX_MINOR: Final = 10**13
HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,10}[a-z]{2,63}", re.ASCII)


class Kind(Generic[V]):
    """How a value is stored, read, entered and written out. `stored` is JSON: what `clean` returns and `read` takes."""

    def read(self, stored: Any) -> V:
        """Return the value that code works with."""
        return stored  # type: ignore[no-any-return]

    def clean(self, given: Any) -> Any:
        """Check a value and return what is stored. Raises: DomainError, which names the bound."""
        raise NotImplementedError

    def field(self, brand: Brand) -> forms.Field:
        """Build the form's field. `entered` turns what it returns into a value for `clean`."""
        raise NotImplementedError

    def entered(self, value: Any, brand: Brand) -> Any:
        """Turn what the form's field returns into what `clean` takes."""
        return value

    def initial(self, stored: Any, brand: Brand) -> Any:
        """Turn a stored value into what the form's field shows."""
        return stored

    def show(self, stored: Any, brand: Brand) -> str:
        """Write a stored value for a reader, with its unit."""
        raise NotImplementedError


@dataclass(frozen=True)
class Switch(Kind[bool]):
    """Yes or no."""

    def read(self, stored: Any) -> bool:
        return bool(stored)

    def clean(self, given: Any) -> bool:
        if given not in (True, False, "yes", "no"):  # 1 and 0 too
            raise DomainError(_("Choose yes or no."))
        return given == "yes" if isinstance(given, str) else bool(given)

    def field(self, brand: Brand) -> forms.Field:
        return forms.ChoiceField(choices=[("yes", _("Yes")), ("no", _("No"))])

    def initial(self, stored: Any, brand: Brand) -> str:
        return "yes" if stored else "no"

    def show(self, stored: Any, brand: Brand) -> str:
        return _("Yes") if stored else _("No")


@dataclass(frozen=True)
class Count(Kind[int]):
    """A whole number with its unit: days, hours, seconds, a level."""

    minimum: int
    maximum: int
    unit: Label = ""

    def clean(self, given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not self.minimum <= given <= self.maximum:
            raise DomainError(
                _("Enter a whole number from %(minimum)s to %(maximum)s.")
                % {"minimum": formats.number(self.minimum), "maximum": formats.number(self.maximum)}
            )
        return given

    def field(self, brand: Brand) -> forms.Field:
        return forms.IntegerField(min_value=self.minimum, max_value=self.maximum)

    def show(self, stored: Any, brand: Brand) -> str:
        return f"{formats.number(stored)} {self.unit}".strip()


@dataclass(frozen=True)
class Amount(Kind[int]):
    """Money of the brand's base currency, in minor units."""

    maximum: int = AMOUNT_MAX_MINOR

    def clean(self, given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= self.maximum:
            raise DomainError(_("Enter an amount from zero on; this one is out of range."))
        return given

    def field(self, brand: Brand) -> forms.Field:
        return forms.DecimalField(min_value=0, max_digits=15, decimal_places=exponent(brand.base_currency))

    def entered(self, value: Any, brand: Brand) -> int:
        return to_minor(value, brand.base_currency)

    def initial(self, stored: Any, brand: Brand) -> Decimal:
        return from_minor(stored, brand.base_currency)

    def show(self, stored: Any, brand: Brand) -> str:
        return formats.money(from_minor(stored, brand.base_currency), brand.base_currency)


@dataclass(frozen=True)
class Share(Kind[int]):
    """A percentage, stored in basis points."""

    minimum: int
    maximum: int

    def clean(self, given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not self.minimum <= given <= self.maximum:
            raise DomainError(
                _("Enter a percentage from %(minimum)s to %(maximum)s.")
                % {"minimum": self._written(self.minimum), "maximum": self._written(self.maximum)}
            )
        return given

    def field(self, brand: Brand) -> forms.Field:
        return forms.DecimalField(
            min_value=Decimal(self.minimum) / 100, max_value=Decimal(self.maximum) / 100, max_digits=7, decimal_places=2
        )

    def entered(self, value: Any, brand: Brand) -> int:
        return int(value * 100)

    def initial(self, stored: Any, brand: Brand) -> Decimal:
        return Decimal(stored) / 100

    def show(self, stored: Any, brand: Brand) -> str:
        return self._written(stored)

    @staticmethod
    def _written(points: int) -> str:
        return f"{formats.number(Decimal(points) / 100)} %"


@dataclass(frozen=True)
class Fraction(Kind[Decimal]):
    """A number with decimal places between two bounds, such as a threshold; stored as text, so that it stays exact."""

    minimum: Decimal
    maximum: Decimal
    places: int

    def read(self, stored: Any) -> Decimal:
        return Decimal(stored)

    def clean(self, given: Any) -> str:
        if not isinstance(given, Decimal) or not given.is_finite() or not self.minimum <= given <= self.maximum:
            raise DomainError(
                _("Enter a number from %(minimum)s to %(maximum)s.")
                % {"minimum": formats.number(self.minimum), "maximum": formats.number(self.maximum)}
            )
        return str(round(given, self.places))

    def field(self, brand: Brand) -> forms.Field:
        return forms.DecimalField(
            min_value=self.minimum, max_value=self.maximum, max_digits=self.places + 6, decimal_places=self.places
        )

    def show(self, stored: Any, brand: Brand) -> str:
        return formats.number(Decimal(stored).normalize(), None)


@dataclass(frozen=True)
class Choice(Kind[str]):
    """One of a few named ways."""

    choices: Mapping[str, Label]

    def clean(self, given: Any) -> str:
        if given not in self.choices:
            raise DomainError(_("Choose one of the options."))
        return str(given)

    def field(self, brand: Brand) -> forms.Field:
        return forms.ChoiceField(choices=list(self.choices.items()))

    def show(self, stored: Any, brand: Brand) -> str:
        return str(self.choices.get(stored, stored))


@dataclass(frozen=True)
class Choices(Kind[frozenset[str]]):
    """Any of a few named ways; none is a choice too."""

    choices: Mapping[str, Label]

    def read(self, stored: Any) -> frozenset[str]:
        return frozenset(stored)

    def clean(self, given: Any) -> list[str]:
        if not set(given) <= set(self.choices):
            raise DomainError(_("Choose one of the options."))
        return [code for code in self.choices if code in given]

    def field(self, brand: Brand) -> forms.Field:
        return forms.MultipleChoiceField(
            choices=list(self.choices.items()), widget=forms.CheckboxSelectMultiple, required=False
        )

    def initial(self, stored: Any, brand: Brand) -> list[str]:
        return sorted(stored)

    def show(self, stored: Any, brand: Brand) -> str:
        return ", ".join(str(self.choices.get(code, code)) for code in stored) or _("None")


@dataclass(frozen=True)
class Counts(Kind[tuple[int, ...]]):
    """A few whole numbers with their unit, largest first: days ahead of which something is sent."""

    minimum: int
    maximum: int
    unit: Label = ""
    most: int = 6

    def read(self, stored: Any) -> tuple[int, ...]:
        return tuple(stored) if isinstance(stored, list) else (stored,)

    def clean(self, given: Any) -> list[int]:
        numbers = given if isinstance(given, list | tuple) else [given]
        fits = all(type(number) is int and self.minimum <= number <= self.maximum for number in numbers)
        if not fits or not 1 <= len(set(numbers)) <= self.most:
            raise DomainError(
                _("Enter one to %(most)s whole numbers from %(minimum)s to %(maximum)s, separated by commas.")
                % {
                    "most": formats.number(self.most),
                    "minimum": formats.number(self.minimum),
                    "maximum": formats.number(self.maximum),
                }
            )
        return sorted(set(numbers), reverse=True)

    def field(self, brand: Brand) -> forms.Field:
        return forms.CharField(max_length=60)

    def entered(self, value: Any, brand: Brand) -> list[int]:
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        return [int(part) if is_whole(part) and len(part) < 6 else -1 for part in parts]

    def initial(self, stored: Any, brand: Brand) -> str:
        return ", ".join(map(str, self.read(stored)))

    def show(self, stored: Any, brand: Brand) -> str:
        return f"{', '.join(map(formats.number, self.read(stored)))} {self.unit}".strip()


@dataclass(frozen=True)
class Countries(Kind[frozenset[str]]):
    """A set of countries, as ISO 3166-1 codes."""

    def read(self, stored: Any) -> frozenset[str]:
        return frozenset(stored)

    def clean(self, given: Any) -> list[str]:
        unknown = sorted(set(given) - set(country_names()))
        if unknown:
            raise DomainError(_("Unknown country: %(code)s.") % {"code": unknown[0][:5]})
        return sorted(set(given))

    def field(self, brand: Brand) -> forms.Field:
        return forms.MultipleChoiceField(choices=sorted_countries(), required=False)

    def initial(self, stored: Any, brand: Brand) -> list[str]:
        return sorted(stored)

    def show(self, stored: Any, brand: Brand) -> str:
        names = country_names()
        return ", ".join(sorted(names.get(code, code) for code in stored)) or "–"


class Lines(Kind[tuple[str, ...]]):
    """A list that is entered one a line. A subclass checks a line and names what it is."""

    hint: Label = ""

    def clean_line(self, text: str) -> str:
        """Return a line in its canonical form. Raises: ValueError."""
        raise NotImplementedError

    def read(self, stored: Any) -> tuple[str, ...]:
        return tuple(stored)

    def clean(self, given: Iterable[str]) -> list[str]:
        entries = [text.strip() for text in given if text.strip()]
        if len(entries) > ENTRIES_MAX:
            raise DomainError(_("Enter at most %(count)s lines.") % {"count": ENTRIES_MAX})
        return list(dict.fromkeys(self._line(text) for text in entries))

    def _line(self, text: str) -> str:
        problem = DomainError(_("“%(entry)s” isn't valid here. %(hint)s") % {"entry": text[:60], "hint": self.hint})
        try:
            return self.clean_line(text)
        except ValueError:
            raise problem from None

    def field(self, brand: Brand) -> forms.Field:
        return forms.CharField(
            required=False, max_length=ENTRIES_MAX * 64, widget=forms.Textarea({"rows": 4}), help_text=str(self.hint)
        )

    def entered(self, value: Any, brand: Brand) -> list[str]:
        return str(value).splitlines()

    def initial(self, stored: Any, brand: Brand) -> str:
        return "\n".join(stored)

    def show(self, stored: Any, brand: Brand) -> str:
        return ", ".join(stored) or "–"


class Networks(Lines):
    """IP networks in CIDR notation."""

    hint = gettext_lazy("One network a line, such as 203.0.113.0/24.")

    def clean_line(self, text: str) -> str:
        return str(ipaddress.ip_network(text, strict=False))


class Hosts(Lines):
    """Host names of the web."""

    hint = gettext_lazy("One host name a line, such as trade.example.com.")

    def clean_line(self, text: str) -> str:
        if len(text) > 253 or not HOST.fullmatch(text.lower()):
            raise ValueError(text)
        return text.lower()

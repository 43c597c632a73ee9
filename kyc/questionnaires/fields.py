"""A form field for each type of question. What they clean is stored as JSON, and read again by `scoring` and `wording`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from clients.countries import country_choices, country_name
from crm.i18n import formats
from crm.models import Brand
from crm.money.amounts import to_minor
from crm.money.numbers import read_amount
from crm.rates import fx
from crm.ui.forms import DayInput
from kyc.questionnaires.choices import NoTinReason, QuestionType
from kyc.questionnaires.content import RESIDENCES_MAX, Question
from kyc.questionnaires.tax_numbers import TIN_MAX, is_plausible

NUMBER_CHARS, AMOUNT_MAX = 24, Decimal(10) ** 12
FEW_CHOICES: Final = 8
YEARS: Final = (1900, 2100)
Row = dict[str, str]


def name_of(question: Question) -> str:
    """Name a question's form field."""
    return f"q_{question.id}"


def field_for(question: Question, brand: Brand) -> forms.Field:
    """Make the field of a question. None is required for Django: which are, depends on what is asked."""
    field = _bare(question, brand)
    field.required = False
    field.label, field.help_text = question.label, question.hint
    return field


def _bare(question: Question, brand: Brand) -> forms.Field:
    choices = [(choice.id, choice.label) for choice in question.choices]
    match question.type:
        case QuestionType.SINGLE if len(choices) <= FEW_CHOICES:
            return forms.ChoiceField(choices=choices, widget=forms.RadioSelect)
        case QuestionType.SINGLE:
            return forms.ChoiceField(choices=[("", _("Choose")), *choices])
        case QuestionType.MULTIPLE:
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple)
        case QuestionType.NUMBER:
            return NumberField(question.minimum, question.maximum)
        case QuestionType.MONEY:
            return MoneyField(brand, question.minimum, question.maximum)
        case QuestionType.DATE:
            return PlainDateField()
        case QuestionType.COUNTRY:
            return forms.ChoiceField(choices=country_choices(blank=_("Choose")))
        case QuestionType.DECLARATION:
            return forms.BooleanField()
        case QuestionType.TAX:
            return TaxResidencesField()
        case _:
            return PlainTextField(question.chars_max)


def _number(text: str, least: Decimal | None, most: Decimal | None) -> Decimal:
    """Read a number as the reader's language writes it. Raises: ValidationError."""
    try:
        number = Decimal(read_amount(text, get_format("DECIMAL_SEPARATOR"))) if len(text) <= NUMBER_CHARS else None
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite() or number.adjusted() > 12:
        raise forms.ValidationError(_("Enter a number."))
    if least is not None and number < least:
        raise forms.ValidationError(_("Enter at least %(value)s.") % {"value": formats.number(least)})
    if most is not None and number > most:
        raise forms.ValidationError(_("Enter at most %(value)s.") % {"value": formats.number(most)})
    return number


class NumberField(forms.CharField):
    """A number; stored as text."""

    def __init__(self, least: Decimal | None, most: Decimal | None) -> None:
        super().__init__(widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}))
        self.least, self.most = least, most

    def clean(self, value: Any) -> str | None:
        text = str(value or "").strip()
        if not text:
            return None
        number = _number(text, self.least, self.most)
        if -number.as_tuple().exponent > 4:  # type: ignore[operator]
            raise forms.ValidationError(_("Enter at most 4 decimal places."))
        return str(number)

    def prepare_value(self, value: Any) -> Any:
        return value


class PlainTextField(forms.CharField):
    """A text; several lines where it may be long."""

    def __init__(self, chars_max: int) -> None:
        widget = forms.TextInput() if chars_max <= 120 else forms.Textarea({"rows": 3})
        super().__init__(max_length=chars_max, widget=widget)

    def clean(self, value: Any) -> str | None:
        return str(super().clean(value)) or None


class PlainDateField(forms.DateField):
    """A date; stored in the ISO form."""

    widget = DayInput

    def clean(self, value: Any) -> str | None:
        day: dt.date | None = super().clean(value)
        if day is None:
            return None
        if not YEARS[0] <= day.year <= YEARS[1]:
            raise forms.ValidationError(_("Enter a valid date."))
        return day.isoformat()


class MoneyWidget(forms.MultiWidget):
    """An amount beside its currency."""

    template_name = "kyc/questionnaires/_money_input.html"

    def __init__(self, currencies: Sequence[str]) -> None:
        amount = forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "aria-label": _("Amount")})
        select = forms.Select({"aria-label": _("Currency")}, choices=[(code, code) for code in currencies])
        super().__init__([amount, select])

    def decompress(self, value: Any) -> list[Any]:
        return [value.get("amount"), value.get("currency")] if isinstance(value, Mapping) else [None, None]


class MoneyField(forms.Field):
    """An amount with its currency; stored with its worth in the brand's base currency, which conditions compare."""

    def __init__(self, brand: Brand, least: Decimal | None, most: Decimal | None) -> None:
        self.base = brand.base_currency
        self.currencies = list(dict.fromkeys([self.base, "EUR", "USD", "GBP", "CHF"]))
        super().__init__(widget=MoneyWidget(self.currencies))
        self.least, self.most = least, most

    def clean(self, value: Any) -> dict[str, str] | None:
        text, currency = (str(value[0] or "").strip(), str(value[1] or "")) if isinstance(value, list) else ("", "")
        if not text:
            return None
        if currency not in self.currencies:
            raise forms.ValidationError(_("Choose a currency."))
        amount = _number(text, Decimal(0), AMOUNT_MAX)
        try:
            to_minor(amount, currency)
        except ValueError:
            raise forms.ValidationError(
                _("Too many decimal places for %(currency)s.") % {"currency": currency}
            ) from None
        try:
            worth = fx.convert(amount, currency, self.base, on=timezone.now().date())
        except fx.NoRate:
            raise forms.ValidationError(_("Choose another currency.")) from None
        _number(str(worth), self.least, self.most)
        return {"amount": str(amount), "currency": currency, "base": str(worth)}


class TaxResidencesWidget(forms.Widget):
    """A row for each tax residence, and one more while there is room: country, number, or the reason why there is none."""

    template_name = "kyc/questionnaires/_tax_input.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        rows = [
            {
                part: str(data.get(f"{name}-{number}-{part}", ""))[:200].strip()
                for part in ("country", "tin", "reason", "why")
            }
            for number in range(RESIDENCES_MAX)
        ]
        return [row for row in rows if any(row.values())]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-0-country" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows: list[Row] = list(value or [])
        context["rows"] = [*rows, {}][:RESIDENCES_MAX]
        context["rows_given"] = len(rows)
        context["countries"] = country_choices(blank=_("Choose"))
        context["reasons"] = NoTinReason.choices
        context["is_invalid"] = "is-invalid" in str(context["widget"]["attrs"].get("class", ""))
        return context


class TaxResidencesField(forms.Field):
    """Where somebody is resident for tax purposes, as CRS and FATCA self-certifications ask: a number, or a reason A, B or C."""

    widget = TaxResidencesWidget

    def clean(self, value: Any) -> list[Row] | None:
        rows: list[Row] = value or []
        known = dict(country_choices())
        for row in rows:
            self._check(row, known)
        countries = [row["country"] for row in rows]
        if len(set(countries)) != len(countries):
            raise forms.ValidationError(_("Enter each country once."))
        return rows or None

    @staticmethod
    def _check(row: Row, known: Mapping[str, str]) -> None:
        if row["country"] not in known:
            raise forms.ValidationError(_("Choose the country of each tax residence."))
        name = country_name(row["country"])
        if row["tin"]:
            if len(row["tin"]) > TIN_MAX or not is_plausible(row["country"], row["tin"]):
                raise forms.ValidationError(
                    _("This isn't a valid tax number of %(country)s. Check it, or choose why you don't have one.")
                    % {"country": name}
                )
            row["reason"] = row["why"] = ""
            return
        # A self-certification with neither is invalid: CRS section IV, and FATCA by analogy (IEIM402183 of HMRC).
        if row["reason"] not in NoTinReason.values:
            raise forms.ValidationError(
                _("Enter your tax number of %(country)s, or choose why you don't have one.") % {"country": name}
            )
        if row["reason"] == NoTinReason.B and not row["why"]:
            raise forms.ValidationError(_("Explain why you can't obtain a tax number."))

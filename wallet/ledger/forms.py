"""The form of a manual journal: its head, and its lines as they were typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import outcome_of
from crm.models import Brand, User
from crm.money.amounts import from_minor
from crm.money.numbers import read_amount
from crm.ui.forms import DayInput
from wallet.choices import account_owners
from wallet.core import queries
from wallet.core.amounts import minor_of
from wallet.core.file_forms import FileField
from wallet.ledger.manual_journals import LINES_MAX
from wallet.ledger.posting import Line
from wallet.models import Account

BLANK_LINES = 4


def _day(label: Any, **kwargs: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=DayInput(), **kwargs)


class JournalForm(forms.Form):
    """Everything but the lines."""

    brand = forms.ModelChoiceField(queryset=Brand.objects.none(), label=gettext_lazy("Brand"), empty_label=None)
    business_on = _day(gettext_lazy("Business day"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Describe what happened and name the supporting document. The approver will see this."),
    )
    rate = forms.DecimalField(
        label=gettext_lazy("Rate"),
        required=False,
        max_digits=24,
        decimal_places=12,
        help_text=gettext_lazy("Only for lines in two currencies"),
    )
    rate_on = _day(gettext_lazy("Rate date"), required=False)
    request_key = forms.CharField(max_length=80, widget=forms.HiddenInput)
    reverses = forms.IntegerField(required=False, widget=forms.HiddenInput)
    file = FileField(
        label=gettext_lazy("Evidence"),
        required=False,
        help_text=gettext_lazy("Invoice or statement page, up to 10 MB, stored encrypted. You can add more later."),
    )

    def __init__(self, *args: Any, brands: QuerySet[Brand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]


class EvidenceForm(forms.Form):
    """One more file for a journal that waits."""

    file = FileField(label=gettext_lazy("File"))


@dataclass(slots=True)
class TypedLine:
    """A line of the form: what was typed, how it was read, or what is wrong with it."""

    account_text: str = ""
    debit: str = ""
    credit: str = ""
    account: Account | None = None
    minor: int = 0
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.account_text or self.debit or self.credit)


def account_text(account: Account) -> str:
    """Write an account for the form; its number is what counts."""
    return f"{account.pk} · {account}"


def shown_lines(lines: Sequence[Line]) -> list[TypedLine]:
    """Fill the form with lines that exist already."""
    account_owners.warm([line.account for line in lines])
    typed = []
    for line in lines:
        amount = str(abs(from_minor(line.amount_minor, line.account.currency)))
        is_credit = line.amount_minor > 0
        typed.append(
            TypedLine(
                account_text(line.account),
                "" if is_credit else amount,
                amount if is_credit else "",
                line.account,
                line.amount_minor,
            )
        )
    return typed


def read_lines(post: QueryDict, *, brand_id: int, user: User) -> list[TypedLine]:
    """Read the typed lines, blank ones left out; accounts of the brand in reach only, in one query."""
    columns = [post.getlist(name)[: LINES_MAX + 1] for name in ("account", "debit", "credit")]
    typed = [TypedLine(*(text.strip() for text in row)) for row in zip(*columns, strict=False)]
    typed = [line for line in typed if not line.is_blank]
    numbers = {line.account_text: _number(line.account_text) for line in typed}
    accounts = {
        account.pk: account
        for account in queries.accounts_visible_to(user)
        .filter(brand_id=brand_id, pk__in=[number for number in numbers.values() if number])
        .select_related("client", "psp")
        .defer("client__search_text", "psp__sealed_credentials")
    }
    account_owners.warm(list(accounts.values()))
    for line in typed:
        line.account = accounts.get(numbers[line.account_text] or 0)
        _read(line)
    return typed


def _number(text: str) -> int | None:
    """Return the account number that the text starts with."""
    digits = text.partition("·")[0].strip().lstrip("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 18 else None


def _read(line: TypedLine) -> None:
    if line.account is None:
        line.error = _("Select an account of this brand from the list.")
        return
    if bool(line.debit) == bool(line.credit):
        line.error = _("Enter either a debit or a credit.")
        return
    typed, sign, currency = line.debit or line.credit, (1 if line.credit else -1), line.account.currency
    try:
        minor = outcome_of(lambda: minor_of(Decimal(read_amount(typed, get_format("DECIMAL_SEPARATOR"))), currency))
    except InvalidOperation:
        line.error = _("Enter an amount in figures, for example 250.")
    else:
        line.minor, line.error = sign * (minor.result or 0), minor.message


class RateForm(forms.Form):
    """An exchange rate by hand: units of a currency for one euro."""

    currency = forms.CharField(label=gettext_lazy("Currency"), min_length=3, max_length=5)
    rate = forms.DecimalField(
        label=gettext_lazy("Rate per 1 EUR"),
        max_digits=22,
        decimal_places=12,
        min_value=Decimal("1e-12"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    on = _day(gettext_lazy("Day"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Source of the rate. The approver will see this."),
    )
    is_far = forms.BooleanField(
        label=gettext_lazy("I confirm this rate, which differs from the last one by more than 5 %"), required=False
    )

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].strip().upper()
        return currency

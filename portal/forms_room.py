"""Forms inside the client portal."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from clients.models import Client
from crm.money.numbers import read_amount
from crm.ui.forms import DayInput
from kyc.choices import COMPANY_KINDS, DocumentKind
from portal.forms import DateOfBirthWidget
from portal.platforms import password_rule
from portal.profile import IDENTITY, identity_is_fixed
from trading.accounts.request_rules import against_password, is_possible, password_permission, types_to_change_to
from trading.choices import RequestKind
from trading.leverage.caps import Ladder
from trading.models import AccountType, TradingAccount, TradingServer
from wallet.deposits.method_offers import Offer
from wallet.models import PaymentMethod


class DetailsForm(forms.Form):
    """Who the client is and where they live. What a document has fixed is shown and can't be typed over."""

    first_name = forms.CharField(
        label=_("First name"), max_length=80, help_text=_("As shown in your passport or identity card.")
    )
    last_name = forms.CharField(label=_("Last name"), max_length=80)
    date_of_birth = forms.DateField(label=_("Date of birth"), widget=DateOfBirthWidget)
    nationality = forms.ChoiceField(label=_("Citizenship"))
    phone = forms.CharField(
        label=_("Phone"), max_length=40, widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"})
    )
    address_line = forms.CharField(
        label=_("Street and number"), max_length=160, widget=forms.TextInput({"autocomplete": "street-address"})
    )
    postal_code = forms.CharField(
        label=_("Postal code"), max_length=20, widget=forms.TextInput({"autocomplete": "postal-code"})
    )
    city = forms.CharField(label=_("City"), max_length=80, widget=forms.TextInput({"autocomplete": "address-level2"}))

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        initial = {name: getattr(client, name) for name in self.base_fields}
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        self.client = client
        self.fields["nationality"].choices = country_choices(blank=gettext("Choose"))  # type: ignore[attr-defined]
        self.is_fixed = identity_is_fixed(client)
        if self.is_fixed:
            for name in IDENTITY:
                if initial[name]:
                    self.fields[name].disabled = True


# What a client may send beside what is required, in the order in which the page offers it.
OFFERED: dict[str, tuple[DocumentKind, ...]] = {
    "more": (DocumentKind.SELFIE, DocumentKind.SOURCE_OF_FUNDS, DocumentKind.OTHER),
    "company_more": (*COMPANY_KINDS[1:], DocumentKind.SOURCE_OF_FUNDS, DocumentKind.OTHER),
}


class AmountField(forms.DecimalField):
    """An amount in major units; comma or point, as the reader writes it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Amount"))
        super().__init__(
            max_digits=18,
            decimal_places=8,
            widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
            **kwargs,
        )
        self.error_messages["invalid"] = _("Enter an amount in digits, for example 250.")

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str):
            value = read_amount(value, get_format("DECIMAL_SEPARATOR"))
        return super().to_python(value)

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        if amount is not None and amount <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        return amount


class KeyedForm(forms.Form):
    """A form that moves money: its key makes a second click the same request."""

    request_key = forms.CharField(max_length=60, widget=forms.HiddenInput)


class DepositForm(KeyedForm):
    currency = forms.ChoiceField(label=_("Currency"), widget=forms.Select({"data-autosubmit-get": ""}))
    amount = AmountField()
    method = forms.ModelChoiceField(
        PaymentMethod.objects.none(), label=_("Payment method"), empty_label=None, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, currencies: list[str], offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]
        offered = PaymentMethod.objects.filter(pk__in=[offer.method.pk for offer in offers]).select_related("psp")
        self.fields["method"].queryset = offered  # type: ignore[attr-defined]


class TransferForm(KeyedForm):
    """Between a wallet and a trading account. A wallet in another currency is exchanged at a quoted rate."""

    account = forms.ModelChoiceField(TradingAccount.objects.none(), label=_("Trading account"), empty_label=None)
    wallet = forms.ChoiceField(label=_("Wallet"), required=False)
    amount = AmountField()

    def __init__(self, *args: Any, accounts: list[TradingAccount], currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same = ("", gettext("Same as the account's currency"))
        self.fields["wallet"].choices = [same, *((code, code) for code in currencies)]  # type: ignore[attr-defined]
        self.fields["account"].queryset = TradingAccount.objects.filter(  # type: ignore[attr-defined]
            pk__in=[account.pk for account in accounts]
        ).select_related("server")
        self.fields["account"].label_from_instance = account_label  # type: ignore[attr-defined]


class ExchangeForm(KeyedForm):
    given = forms.ChoiceField(label=_("From wallet"))
    got = forms.ChoiceField(label=_("To wallet"))
    amount = AmountField()

    def __init__(self, *args: Any, given: list[str], got: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["given"].choices = [(code, code) for code in given]  # type: ignore[attr-defined]
        self.fields["got"].choices = [(code, code) for code in got]  # type: ignore[attr-defined]


def account_label(account: TradingAccount) -> str:
    """Name a trading account with its platform and balance, for a choice."""
    from crm.i18n import formats

    return f"{account.login} · {account.server} · {formats.money(account.balance, account.currency)}"


class StatementForm(forms.Form):
    first = forms.DateField(label=_("From"), widget=DayInput())
    last = forms.DateField(label=pgettext_lazy("day", "To"), widget=DayInput())

    @staticmethod
    def last_month(client: Client) -> dict[str, dt.date]:
        today = timezone.now().astimezone(zoneinfo.ZoneInfo(client.brand.time_zone)).date()
        last = today.replace(day=1) - dt.timedelta(days=1)
        return {"first": last.replace(day=1), "last": today}


class OpenAccountForm(KeyedForm):
    account_type = forms.ModelChoiceField(AccountType.objects.none(), label=_("Account type"), empty_label=None)
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int)

    def __init__(self, *args: Any, chosen: AccountType, ladder: Ladder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_type"].queryset = AccountType.objects.filter(pk=chosen.pk)  # type: ignore[attr-defined]
        self.fields["leverage"].choices = [(n, f"1:{n}") for n in ladder.steps]  # type: ignore[attr-defined]
        self.fields["leverage"].initial = ladder.default
        self.fields["leverage"].help_text = ladder.reason


class PlatformPasswordForm(forms.Form):
    """A password of one's own for the platform; left empty we make one up. Shown once, kept nowhere."""

    password = forms.CharField(
        label=_("New trading password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, server: TradingServer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_rule(server)


class RequestForm(forms.Form):
    """What a client may ask for on an account: the choice belongs to the kind, the words are their own."""

    reason = forms.CharField(label=_("Reason (optional)"), max_length=200, required=False)

    def __init__(self, *args: Any, account: TradingAccount, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"id_{kind}_%s", **kwargs})  # several of them are on one page
        self.is_possible = kind in RequestKind.values
        if kind == RequestKind.LEVERAGE:
            steps = account.account_type.ladder if account.account_type else []
            self._offer("leverage", _("New leverage"), [(n, f"1:{n}") for n in steps if n != account.leverage])
        elif kind == RequestKind.TYPE:
            types = types_to_change_to(account)
            self._offer("account_type", _("New account type"), [(one.pk, str(one)) for one in types])
        elif kind == RequestKind.PASSWORD:
            self.is_possible = bool(against_password(account)) and password_permission(account) is None
        self.is_possible = self.is_possible and bool(is_possible(account, RequestKind(kind)))
        self.order_fields(["leverage", "account_type", "reason"])

    def _offer(self, name: str, label: Any, choices: list[tuple[int, str]]) -> None:
        self.is_possible = bool(choices)
        self.fields[name] = forms.TypedChoiceField(label=label, coerce=int, choices=choices)

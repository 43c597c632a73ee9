"""What people type in on trading's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trading import caps
from trading.choices import Ability
from trading.models import TradingAccount, TradingServer
from trading.queries import Offer


class OpenAccountForm(forms.Form):
    """An account type that may be opened, and a leverage that it offers."""

    account_type = forms.ChoiceField(label=_("Account type"))
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [offer.account_type for offer in offers if offer.decision]
        account_type, leverage = self.fields["account_type"], self.fields["leverage"]
        assert isinstance(account_type, forms.ChoiceField) and isinstance(leverage, forms.ChoiceField)
        account_type.choices = [(one.pk, f"{one} · {one.server}") for one in allowed]
        ladder = sorted({n for offer in offers if offer.decision for n in offer.ladder.steps})
        leverage.choices = [("", _("As the account type says")), *((n, f"1:{n}") for n in ladder)]


class LeverageForm(forms.Form):
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int)

    def __init__(self, *args: Any, account: TradingAccount, ladder: caps.Ladder | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["leverage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(n, f"1:{n}") for n in (ladder.steps if ladder else [account.leverage])]
        field.help_text = ladder.reason if ladder else ""
        field.initial = account.leverage


class DecideForm(forms.Form):
    """What a person found out about an operation that the platform does not answer for."""

    ticket = forms.IntegerField(
        label=_("Ticket on the platform"), required=False, min_value=1,
        help_text=_("Leave empty to declare that it never happened."),
    )  # fmt: skip
    reason = forms.CharField(label=_("What you found"), max_length=200)


class CloseIssueForm(forms.Form):
    resolution = forms.CharField(label=_("How it was settled"), max_length=300)


class ServerForm(forms.ModelForm):
    """A server and how to reach it. The password is written only; empty keeps the one that is stored."""

    crypt_method = forms.ChoiceField(
        label=_("Encryption"),
        choices=[("AES256OFB", _("AES-256")), ("NONE", _("None (tunnel only)"))],
        help_text=_("Of raw TCP. HTTPS brings its own."),
    )
    password = forms.CharField(
        label=_("Manager API password"), required=False, max_length=64, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("From the manager account's security tab. Stored encrypted, never shown again."),
    )  # fmt: skip

    export_url = forms.CharField(
        label=_("SQL export"), required=False, max_length=300, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Read deals from the broker's export: postgresql://reader:password@host/database, or mysql://, mssql://, "
                    "oracle://, sqlite://. "
                    "Stored encrypted, never shown again; empty keeps it, a dash (-) takes it away."),
    )  # fmt: skip

    withheld = forms.MultipleChoiceField(
        label=_("The manager may not"), choices=Ability.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("What the broker does not let this manager do. Pages then offer it no more, and say so."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.reads_export:
            self.fields["export_url"].widget.attrs["placeholder"] = _("An address is stored")

    class Meta:
        model = TradingServer
        help_texts = {"transport": _("As the broker's access server offers it. Raw TCP belongs into a tunnel.")}
        widgets = {"certificate": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}
        fields = (
            "name", "kind", "host", "port", "manager_login", "password", "transport", "crypt_method", "certificate",
            "path_prefix",
            "balance_command", "withheld", "export_url", "time_zone", "group_mask", "first_login", "last_login", "is_demo",
            "is_enabled",
        )  # fmt: skip
        labels = {
            "name": _("Name"), "kind": _("Platform"), "host": _("Access server"), "port": _("Port"),
            "manager_login": _("Manager login"), "transport": _("Form of the Web API"),
            "certificate": _("Certificate"), "path_prefix": _("Path before the commands"), "balance_command": _("Balance command"),
            "time_zone": _("Time zone of the server's clock"),
            "group_mask": _("Groups to read"), "first_login": _("First login of our range"),
            "last_login": _("Last login of our range"), "is_demo": _("Demo server"), "is_enabled": _("Switched on"),
        }  # fmt: skip

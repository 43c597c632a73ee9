"""The form of a trading server: what every platform needs, and what only one kind has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import ModelForm
from trading.choices import Ability, PlatformKind
from trading.models import ServerAddressChange, TradingServer
from trading.platforms import capabilities
from trading.platforms.base import EXPORTS
from trading.platforms.options import Option
from trading.platforms.pool import kind_of, option_value

ONLY_OF: Final = {PlatformKind.MT5.value: ("transport", "crypt_method", "path_prefix", "balance_command")}
"""Fields of a row that one kind of platform uses; what the others need beside the common ones are their options."""


KEEP_EET: Final = (PlatformKind.MT5.value, PlatformKind.MT4.value)
"""Most brokers' MetaTrader servers keep the time of Athens and Helsinki; others usually keep UTC."""
ADDRESSES: Final = {
    PlatformKind.MT5.value: "mt5.broker.example",
    PlatformKind.MT4.value: "bridge.vendor.example",
    PlatformKind.CTRADER.value: "live-broker.webapi.ctrader.com",
    PlatformKind.MATCHTRADER.value: "broker-api-v2.broker.example",
    PlatformKind.SIRIX.value: "restapi-real1.sirixtrader.com",
}
PORTS: Final = {PlatformKind.CTRADER.value: 8443}
"""Where servers of a kind usually answer, when that is not 443."""
MANAGERS: Final = {
    PlatformKind.MT5.value: _("A number; an account in the Managers group."),
    PlatformKind.MT4.value: _("As shown in the bridge's admin interface."),
    PlatformKind.CTRADER.value: _("A number; a manager with access to accounts, cashier, history and positions."),
    PlatformKind.MATCHTRADER.value: _("For your own records: only the key is used to sign in."),
    PlatformKind.SIRIX.value: _("For your own records: only the token is used to sign in."),
}


def _shaped(option: Option) -> Callable[[str], None]:
    """Make a validator of the option's pattern, the verb's own check, so that the error appears at its field."""

    def check(value: str) -> None:
        if value and option.pattern and not re.fullmatch(option.pattern, value):
            raise ValidationError(
                _("“%(value)s” isn't a valid value for %(name)s.") % {"name": option.label, "value": value}
            )

    return check


class ServerForm(ModelForm[TradingServer]):
    """A server and how to reach it. Secrets are written only; empty keeps what is stored."""

    crypt_method = forms.ChoiceField(
        label=_("Encryption"),
        choices=[("AES256OFB", _("AES-256")), ("NONE", _("None (tunnel only)"))],
        help_text=_("For raw TCP. HTTPS has its own."),
    )
    password = forms.CharField(
        label=_("Manager API password"),
        required=False,
        max_length=4000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again."),
    )
    export_url = forms.CharField(
        label=_("SQL export"),
        required=False,
        max_length=300,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Read deals from the broker's export: postgresql://reader:password@host/database, or "
            "mysql://, mssql://, oracle://, sqlite://. Stored encrypted and never shown again; empty "
            "keeps it, a dash (-) removes it."
        ),
    )
    withheld = forms.MultipleChoiceField(
        label=_("Blocked for this manager"),
        choices=Ability.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the broker doesn't allow this manager to do. Keelson then hides these actions."),
    )

    reason = forms.CharField(
        label=_("Reason for new address"),
        required=False,
        max_length=300,
        help_text=_(
            "Required only if the address or the export changes. A second person approves it and enters the secrets."
        ),
    )

    class Meta:
        model = TradingServer
        help_texts = {
            "transport": _("As offered by the broker's access server. Use raw TCP only inside a tunnel."),
            "first_login": _("Keelson assigns logins from this range to new accounts. Don't use it anywhere else."),
            "is_demo": _("All accounts on this server are demo accounts."),
            "is_enabled": _("Off: no data is read or sent."),
        }
        widgets = {"certificate": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), "kind": forms.HiddenInput()}
        fields = (
            "name",
            "kind",
            "host",
            "port",
            "manager_login",
            "password",
            "transport",
            "crypt_method",
            "certificate",
            "path_prefix",
            "balance_command",
            "withheld",
            "export_url",
            "time_zone",
            "group_mask",
            "first_login",
            "last_login",
            "is_demo",
            "is_enabled",
        )
        labels = {
            "name": _("Name"),
            "kind": _("Platform"),
            "host": _("Address"),
            "port": _("Port"),
            "manager_login": _("Manager login"),
            "transport": _("Form of the Web API"),
            "certificate": _("Certificate"),
            "path_prefix": _("Command path prefix"),
            "balance_command": _("Balance command"),
            "time_zone": _("Time zone of the server's clock"),
            "group_mask": _("Groups to read"),
            "first_login": _("First login in our range"),
            "last_login": _("Last login in our range"),
            "is_demo": _("Demo server"),
            "is_enabled": _("Enabled"),
        }

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.platform_kind, self.platform, self.platform_name = kind, kind_of(kind), PlatformKind(kind).label
        self.fields["kind"].initial = kind
        self._leave_out(kind)
        self._label()
        for option in self.platform.options:
            self.fields[f"option_{option.name}"] = self._option_field(option)
        if "export_url" in self.fields and self.instance.reads_export:
            self.fields["export_url"].widget.attrs["placeholder"] = _("Address stored")

    def _leave_out(self, kind: str) -> None:
        """Remove the fields that this platform doesn't have: another's own, an export, a zone, a range of logins."""
        left_out = [name for owner, names in ONLY_OF.items() if owner != kind for name in names]
        if kind not in EXPORTS:
            left_out.append("export_url")
        if self.platform.time_zone:
            left_out.append("time_zone")
        if not self.instance.pk:
            left_out.append("reason")
        if not self.platform.capabilities.own_logins:
            left_out += ["first_login", "last_login"]
        for name in left_out:
            del self.fields[name]
        if not self.platform.capabilities.lists_accounts:
            self.fields["group_mask"].help_text = _(
                "This platform doesn't list accounts. Of the broker's accounts there, those in these groups are read."
            )
        if "time_zone" in self.fields and kind not in KEEP_EET and not self.instance.pk:
            self.fields["time_zone"].initial = self.initial["time_zone"] = "UTC"
        withheld = self.fields["withheld"]
        assert isinstance(withheld, forms.MultipleChoiceField)
        never = capabilities.not_there(self.platform.capabilities)
        withheld.choices = [(ability.value, ability.label) for ability in Ability if ability not in never]

    def _label(self) -> None:
        manager, secret, host = self.fields["manager_login"], self.fields["password"], self.fields["host"]
        manager.help_text = MANAGERS.get(self.platform_kind, "")
        host.widget.attrs["placeholder"] = ADDRESSES.get(self.platform_kind, "")
        if self.platform.manager_label:
            manager.label = self.platform.manager_label
        if self.platform.secret_label:
            secret.label = self.platform.secret_label
        if self.instance.pk:
            secret.help_text = _("Stored encrypted and never shown again; empty keeps it.")
            secret.widget.attrs["placeholder"] = _("Secret stored")
        else:
            secret.required = True
            secret.error_messages["required"] = _("%(name)s is required.") % {"name": secret.label}
            self.fields["port"].initial = self.initial["port"] = PORTS.get(self.platform_kind, 443)

    def _option_field(self, option: Option) -> forms.Field:
        """Make an option's field. Secrets are never filled in; others show what is saved, else the default as a hint."""
        must = option.is_required and not option.default and not (option.is_secret and self._has_secret(option))
        common: dict[str, Any] = {
            "label": option.label,
            "help_text": option.help,
            "required": must,
            "validators": [_shaped(option)],
            "error_messages": {"required": _("%(name)s is required.") % {"name": option.label}},
        }
        if option.is_secret:
            secret = forms.PasswordInput(attrs={"autocomplete": "off"})
            if self._has_secret(option):
                secret.attrs["placeholder"] = _("Secret stored")
            return forms.CharField(max_length=8000, strip=False, widget=secret, **common)
        stored = self.instance.options.get(option.name, "") if self.instance.pk else ""
        if option.choices:
            return forms.ChoiceField(choices=option.choices, initial=stored or option.default, **common)
        field = forms.CharField(max_length=1000, initial=stored, **common)
        field.widget.attrs["placeholder"] = option.default
        return field

    def _has_secret(self, option: Option) -> bool:
        return bool(self.instance.pk and option_value(self.instance, option.name))

    @property
    def option_fields(self) -> list[Any]:
        return [self[f"option_{option.name}"] for option in self.platform.options]

    def values(self) -> dict[str, Any]:
        """Collect for the verbs: the row's fields, the options, the secrets."""
        data = self.cleaned_data
        options = {option.name: data.get(f"option_{option.name}", "") for option in self.platform.options}
        secret = {option.name for option in self.platform.options if option.is_secret}
        fields = {name: value for name, value in data.items() if not name.startswith("option_")}
        return {
            **fields,
            "options": {name: value for name, value in options.items() if name not in secret},
            "secret_options": {name: value for name, value in options.items() if name in secret},
        }


class ApproveAddressForm(forms.Form):
    """The secrets of a server once more, for its new address; none is sent back to the browser."""

    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, server: TradingServer, change: ServerAddressChange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = kind_of(server.kind)
        self.secret_names = [
            option.name for option in kind.options if option.is_secret and option_value(server, option.name)
        ]
        asked = {"password": kind.secret_label or _("Manager API password")}
        asked |= {f"option_{option.name}": option.label for option in kind.options if option.name in self.secret_names}
        if change.export_place:
            asked["export_url"] = _("SQL export with user and password")
        for name, label in asked.items():
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=8000,
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "password": data["password"],
            "export_url": data.get("export_url", ""),
            "note": data["note"],
            "secret_options": {name: data[f"option_{name}"] for name in self.secret_names},
        }

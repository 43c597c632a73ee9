"""What people type in when they take accounts over from a platform."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.forms import ModelChoiceField
from trading.choices import PlatformKind
from trading.imports.attach import NO_TYPE
from trading.models import AccountType, StagedLogin, TradingServer
from trading.platforms.pool import capabilities_of


class ServerChoice(ModelChoiceField[TradingServer]):
    """A server with its platform."""

    def label_from_instance(self, obj: TradingServer) -> str:
        return f"{obj.name} · {obj.get_kind_display()}"


class ImportForm(forms.Form):
    """Which server, and which of its logins."""

    server = ServerChoice(label=_("Trading server"), queryset=TradingServer.objects.none())
    mask = forms.CharField(
        label=_("Groups"),
        max_length=300,
        required=False,
        widget=forms.TextInput({"class": "mono", "spellcheck": "false"}),
        help_text=_(
            "Leave empty to use the groups in the server's settings. Otherwise, enter a list with * "
            "as a wildcard and ! to exclude: real*,!real\\\test. For all groups, enter *."
        ),
    )
    first_login = forms.IntegerField(
        label=_("First login"), required=False, min_value=1, help_text=_("Leave empty to start with the first login")
    )
    last_login = forms.IntegerField(
        label=_("Last login"), required=False, min_value=1, help_text=_("Leave empty to read up to the last login")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        servers = TradingServer.objects.filter(is_enabled=True).order_by("name")
        kinds = set(servers.order_by().values_list("kind", flat=True).distinct())
        silent = sorted(kind for kind in kinds if not capabilities_of(kind).lists_accounts)
        servers = servers.exclude(kind__in=silent)
        self.fields["server"].queryset = servers  # type: ignore[attr-defined]
        self.fields["server"].initial = servers.first()
        if silent:
            self.fields["server"].help_text = _(
                "%(platforms)s doesn't list its accounts, so they can't be imported."
            ) % {"platforms": ", ".join(str(PlatformKind(kind).label) for kind in silent)}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("server") is not None and not (data.get("mask") or "").strip():
            data["mask"] = data["server"].group_mask
        return data


class AttachForm(forms.Form):
    """Whose a login is: one of those that fit, or somebody found by number or e-mail; and as which type."""

    client = forms.TypedChoiceField(
        label=_("Client"), coerce=int, required=False, empty_value=None, widget=forms.RadioSelect
    )
    other = forms.CharField(
        label=_("Another client"),
        max_length=254,
        required=False,
        help_text=_("Client number or registered e-mail address"),
    )
    account_type = forms.TypedChoiceField(label=_("Account type"), coerce=int, required=False, empty_value=None)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_(
            "Required only if the platform's data doesn't match the client. A second person must then approve it."
        ),
    )

    def __init__(self, *args: Any, row: StagedLogin, clients: dict[int, Client], user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.row = user, row
        choice, account_type = self.fields["client"], self.fields["account_type"]
        assert isinstance(choice, forms.ChoiceField) and isinstance(account_type, forms.ChoiceField)
        fitting = [clients[reason["client"]] for reason in row.reasons if reason["client"] in clients]
        choice.choices = [(client.pk, str(client)) for client in fitting]
        choice.initial = row.client_id or (fitting[0].pk if len(fitting) == 1 else None)
        types = AccountType.objects.filter(server_id=row.server_id, currency=row.currency).select_related("brand")
        account_type.choices = [
            ("", _("The account type with this group")),
            *(
                (kind.pk, f"{kind.brand} · {kind} · {kind.group}")
                for kind in types.order_by("brand__name", "position")[:100]
            ),
            (NO_TYPE, _("None: keep group and leverage")),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        other = data.get("other", "").strip()
        if other:
            visible = clients_visible_to(self.user)
            number = other.removeprefix("#")
            matches = (
                visible.filter(pk=int(number))
                if is_whole(number) and len(number) < 18
                else visible.filter(email=other.lower())
            )
            ids = list(matches.values_list("pk", flat=True)[:2])
            if len(ids) != 1:
                self.add_error(
                    "other", _("Not found, or found at two brands. Enter the number shown on the client's page.")
                )
            else:
                data["client"] = ids[0]
        elif data.get("client") is None:
            self.add_error(None, _("Choose a client or enter another one."))
        return data

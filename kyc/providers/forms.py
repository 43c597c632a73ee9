"""The form of a connection: its keys as the adapter names them, its address, level and signatures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from crm.models import Brand
from kyc.models import KycProvider
from kyc.providers.adapters import ADAPTERS, adapter_class
from kyc.providers.setup import ProviderSetup

ADDRESS_HELP = _("Leave empty for the provider's default. “sandbox:” is the sandbox of this installation.")
KEPT = _("Stored. Leave empty to keep it.")


class ProviderForm(forms.Form):
    """A new connection, or a change of one. Secrets are written and never shown."""

    brand: forms.ModelChoiceField[Brand] = forms.ModelChoiceField(queryset=None, label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("Clients read it: they are sent there"))
    code = forms.SlugField(
        label=_("Code"),
        max_length=30,
        required=False,
        help_text=_("Part of the webhook's address; empty: generated from the name"),
    )
    base_url = forms.CharField(label=_("API address"), max_length=200, required=False, help_text=ADDRESS_HELP)
    level_name = forms.CharField(
        label=_("Verification level"), max_length=100, help_text=_("As it is called at the provider")
    )
    webhook_algorithms = forms.MultipleChoiceField(
        label=_("Webhook signatures"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Messages signed with another algorithm are refused."),
    )
    is_enabled = forms.BooleanField(label=_("In use"), required=False, initial=True)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(
        self, data: Any = None, *, adapter: str, brands: QuerySet[Brand], provider: KycProvider | None
    ) -> None:
        start = {name: getattr(provider, name) for name in FIELDS_SHOWN} if provider is not None else None
        super().__init__(data, initial=start)
        self.adapter, self.provider = adapter, provider
        known = adapter_class(adapter)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        algorithms = self.fields["webhook_algorithms"]
        algorithms.choices = list(known.algorithms)  # type: ignore[attr-defined]
        if provider is None:
            self.fields["name"].initial = known.title
            algorithms.initial = ["HMAC_SHA256_HEX", "HMAC_SHA512_HEX"]
        else:
            del self.fields["brand"], self.fields["code"]
        for key in known.keys:
            self.fields[key.name] = forms.CharField(
                label=str(key.label),
                required=provider is None,
                help_text=KEPT if provider is not None else str(key.help_text),
                max_length=300,
                # A browser would fill in the password that it knows for this site, over the stored key.
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )
        keys = [key.name for key in known.keys]
        self.order_fields(
            ["brand", "name", *keys, "level_name", "base_url", "webhook_algorithms", "is_enabled", "code", "reason"]
        )

    @property
    def setup(self) -> ProviderSetup:
        """The connection as entered."""
        entered = self.cleaned_data
        return ProviderSetup(
            adapter=self.adapter,
            code=(entered.get("code") or slugify(entered["name"]))[:30],
            name=entered["name"],
            base_url=entered["base_url"].strip().rstrip("/"),
            level_name=entered["level_name"].strip(),
            webhook_algorithms=entered["webhook_algorithms"],
            is_enabled=entered["is_enabled"],
            keys={key.name: entered.get(key.name, "") for key in adapter_class(self.adapter).keys},
        )


FIELDS_SHOWN = ("name", "base_url", "level_name", "webhook_algorithms", "is_enabled")
DEFAULT_ADAPTER = next(iter(ADAPTERS))

"""The form of a connection: its keys as the adapter names them, its address, and what its kind adds."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from crm.connections.models import Connection
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.models import Brand

CODE_CHARS_MAX: Final = 20
KEPT: Final = _("Stored. Leave empty to keep it.")


class ConnectionForm(forms.Form):
    """A new connection, or a change of one. Secrets are written and never shown. A kind adds its own fields."""

    kind: ClassVar[type[ConnectionApproval[Any, Any]]]
    setup_class: ClassVar[type[ConnectionSetup]]

    brand: forms.ModelChoiceField[Brand] = forms.ModelChoiceField(queryset=None, label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=60)
    base_url = forms.CharField(
        label=_("API address"),
        max_length=200,
        required=False,
        help_text=_("Leave empty for the default address. “sandbox:” is the sandbox of this installation."),
    )
    is_enabled = forms.BooleanField(label=_("In use"), required=False, initial=True)
    code = forms.SlugField(
        label=_("Code"),
        max_length=CODE_CHARS_MAX,
        required=False,
        help_text=_("Part of the webhook's address; empty: generated from the name"),
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(
        self, data: Any = None, *, brands: QuerySet[Brand], connection: Connection | None, adapter: str = ""
    ) -> None:
        self.connection, own = connection, self.kind.own
        shown = ("name", "base_url", "is_enabled", *own)
        super().__init__(
            data, initial={name: getattr(connection, name) for name in shown} if connection is not None else None
        )
        chosen = adapter if adapter in self.kind.adapters else next(iter(self.kind.adapters))
        self.adapter = connection.adapter if connection is not None else chosen
        self.known = self.kind.adapters[self.adapter]
        if connection is None:
            self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
            self.fields["name"].initial = self.known.title.split(" (")[0]
        else:
            del self.fields["brand"], self.fields["code"]
        self.key_names = [key.name for key in self.known.keys]
        stored = connection.stored_keys if connection is not None else frozenset()
        removable = [key for key in self.known.keys if not key.is_required and key.name in stored]
        self.removals = {f"remove_{key.name}": key.name for key in removable}
        for key in self.known.keys:
            self.fields[key.name] = forms.CharField(
                label=str(key.label),
                required=connection is None and key.is_required,
                help_text=KEPT if key.name in stored else str(key.help_text),
                max_length=300,
                # A browser would fill in the password that it knows for this site, over the stored key.
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )
        for key in removable:
            label = _("Remove %(key)s") % {"key": key.label}
            self.fields[f"remove_{key.name}"] = forms.BooleanField(
                label=label, required=False, help_text=str(key.help_text)
            )
        self.order_fields(
            ["brand", "name", *self.key_names, *self.removals, *own, "base_url", "is_enabled", "code", "reason"]
        )

    @property
    def setup(self) -> ConnectionSetup:
        """The connection as entered."""
        entered = self.cleaned_data
        return self.setup_class(
            adapter=self.adapter,
            code=(entered.get("code") or slugify(entered["name"]))[:CODE_CHARS_MAX],
            name=entered["name"],
            base_url=entered["base_url"].strip().rstrip("/"),
            is_enabled=entered["is_enabled"],
            keys={name: entered.get(name, "") for name in self.key_names},
            removed=tuple(key for name, key in self.removals.items() if entered.get(name)),
            **{name: entered[name] for name in self.kind.own},
        )

"""Forms of e-mail: a mailbox, what becomes of an unknown e-mail, and the suppression list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.messages.setup import MailboxApproval, MailboxSetup
from crm.connections.forms import ConnectionForm
from crm.models import Brand, User


class MailboxForm(ConnectionForm):
    kind, setup_class = MailboxApproval, MailboxSetup

    address = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("Where clients write to. Replies come to it with a mark of their thread."),
    )
    auth_server = forms.CharField(
        label=_("Server that checks senders"),
        max_length=120,
        required=False,
        help_text=_(
            "The name with which your mail server begins its Authentication-Results header, such as mx.example.com. "
            "Empty: no sender counts as proved."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["base_url"]
        field.label, field.required = _("Server"), True
        field.help_text = _("For example imaps://imap.example.com. “sandbox:” is the sandbox of this installation.")


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class SuppressionForm(ReasonForm):
    brand: forms.ModelChoiceField[Brand] = forms.ModelChoiceField(queryset=None, label=_("Brand"), empty_label=None)
    address = forms.EmailField(label=_("E-mail address"))
    field_order = ("brand", "address", "reason")

    def __init__(self, data: Any = None, *, brands: Any) -> None:
        super().__init__(data)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]


class ForwardForm(forms.Form):
    """Who gets an e-mail forwarded, and what is written above it."""

    colleague = forms.ModelChoiceField(label=_("Colleague"), queryset=User.objects.none(), required=False)
    address = forms.ChoiceField(label=_("Address outside the company"), required=False)
    is_confirmed = forms.BooleanField(label=_("The client's personal data may leave the company"), required=False)
    note = forms.CharField(label=_("Note"), max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    with_files = forms.BooleanField(label=_("With its files"), required=False, initial=True)

    def __init__(self, *args: Any, people: Any, addresses: Sequence[str], has_files: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["colleague"].queryset = people
        fields["address"].choices = [("", _("None")), *((address, address) for address in addresses)]
        if not addresses:
            del fields["address"], fields["is_confirmed"]
        if not has_files:
            del fields["with_files"]

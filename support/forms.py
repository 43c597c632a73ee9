"""Forms of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.choices import WorkPriority
from crm.models import User
from support.choices import ENTERED, TicketCategory, TicketChannel
from support.models import Ticket
from support.talk.conversation import TEXT_MAX
from support.tickets import SUBJECT_MAX


class TicketForm(forms.Form):
    """A new ticket as a client, or staff for them, enter it."""

    category = forms.ChoiceField(label=_("What is it about?"), choices=TicketCategory.choices)
    subject = forms.CharField(label=_("Subject"), max_length=SUBJECT_MAX)
    text = forms.CharField(label=_("Message"), max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 6}))


class StaffTicketForm(TicketForm):
    """A ticket that staff enter for a client."""

    channel = forms.ChoiceField(
        label=_("How the client got in touch"), choices=[(one.value, one.label) for one in ENTERED]
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=[("", _("By category")), *WorkPriority.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )
    field_order = ["channel", "category", "priority", "subject", "text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].label = _("Category")
        self.fields["text"].label = _("What the client asks")
        self.fields["channel"].initial = TicketChannel.PHONE


class AssignForm(forms.Form):
    """To whom a ticket goes, and how urgent it is."""

    to = forms.ModelChoiceField(label=_("Assign to"), queryset=User.objects.none())
    priority = forms.TypedChoiceField(label=_("Priority"), choices=WorkPriority.choices, coerce=int)


class MergeForm(forms.Form):
    """Into which ticket of the client another one goes."""

    into = forms.ChoiceField(
        label=_("Merge into"), help_text=_("It then shows the messages of both. You can undo this.")
    )

    def __init__(self, *args: Any, others: Sequence[Ticket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = [(str(other.number), str(other)) for other in others]  # type: ignore[attr-defined]

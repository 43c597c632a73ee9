"""Forms of telephony: an exchange, one's own phone, and a call's outcome."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.choices import CallOutcome
from clients.forms import FollowUpFields
from clients.models import PhoneCall
from clients.telephony.choices import UNANSWERED_OUTCOMES, DoNotCallReason, PhoneState, outcome_by_exchange
from clients.telephony.setup import ExchangeSetup, PhoneExchangeApproval
from crm.connections.forms import ConnectionForm


class ExchangeForm(ConnectionForm):
    kind, setup_class = PhoneExchangeApproval, ExchangeSetup

    caller_number = forms.CharField(
        label=_("Our number"),
        max_length=20,
        help_text=_("With its country code. Shown to who is called, and rung by who calls back."),
    )


class OwnPhoneForm(forms.Form):
    address = forms.CharField(
        label=_("Your phone"),
        max_length=120,
        help_text=_("The exchange rings it first, then the client. A number with its country code, or a SIP address."),
    )
    takes_unknown = forms.BooleanField(
        label=_("Also ring for unknown callers"),
        required=False,
        help_text=_("And for clients whose owner has no phone here."),
    )


class DoNotCallForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=DoNotCallReason.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class LiftForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class OutcomeForm(FollowUpFields):
    """What came of a call. Its length is measured, so it isn't asked for."""

    outcome = forms.ChoiceField(label=_("Outcome"), widget=forms.RadioSelect)
    notes = forms.CharField(label=_("Notes"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))
    field_order = ("outcome", "notes", "follow_up_at", "follow_up_title")

    def __init__(self, data: Any = None, *, call: PhoneCall) -> None:
        super().__init__(data, initial={"outcome": outcome_by_exchange(call.state, call.end)})
        is_answered = call.state == PhoneState.ENDED
        field: Any = self.fields["outcome"]
        field.choices = CallOutcome.choices if is_answered else [(one.value, one.label) for one in UNANSWERED_OUTCOMES]

"""The form of a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.events.conditions import vocabulary_of
from crm.events.schemas import catalogue
from crm.models import Brand, User, WebhookEndpoint
from crm.models.webhooks import URL_CHARS_MAX
from crm.outbound.endpoints import EndpointDetails
from crm.staff.company import brands_to_set_up
from crm.ui.conditions import ConditionField
from crm.ui.events import grouped_events
from crm.ui.forms import ModelChoiceField


class EndpointForm(forms.Form):
    """A new webhook, or a change of one."""

    brand = ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=80)
    url = forms.CharField(
        label=_("Address"),
        max_length=URL_CHARS_MAX,
        help_text=_("An https address of your own system. Private networks and redirects are refused."),
    )
    events = forms.MultipleChoiceField(label=_("Events"), choices=lambda: grouped_events())

    def __init__(self, data: Any, *, actor: User, row: WebhookEndpoint | None = None) -> None:
        initial: dict[str, Any] = {}
        if row is not None:
            heard = row.subscription
            initial = {"name": row.name, "url": row.url, "events": heard.events, "condition": heard.condition or ""}
        super().__init__(data, initial=initial)
        self.fields["condition"] = ConditionField(
            vocabulary_of(catalogue()),
            label=_("Only where"),
            help_text=_("Asks the event's own data. Each chosen event needs the fields that you ask for."),
        )
        if row is not None:
            del self.fields["brand"]
        else:
            brand: Any = self.fields["brand"]
            brand.queryset = brands_to_set_up(actor).filter(archived_at=None).order_by("name")

    def details(self) -> EndpointDetails:
        """Give what was entered."""
        values = self.cleaned_data
        return EndpointDetails(values["name"], values["url"], values["events"], values["condition"])

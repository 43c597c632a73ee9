"""The form that asks for a replay."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.queries import clients_visible_to
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.forms import DayInput
from ib.models import Replay
from ib.queries import partners_visible_to


class ReplayForm(forms.Form):
    """Which commissions to calculate again: days in the brand's time zone, perhaps of one partner's network or one client."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    first = forms.DateField(label=_("From"), widget=DayInput())
    last = forms.DateField(label=_("To (inclusive)"), widget=DayInput())
    partner = forms.SlugField(
        required=False,
        label=_("Partner code"),
        help_text=_("Only deals of clients in this partner's network; all partners of these deals are compared."),
    )
    client = forms.IntegerField(
        required=False, min_value=1, label=_("Client number"), help_text=_("Only this client's deals")
    )
    reason = forms.CharField(max_length=200, label=_("Reason"))

    def __init__(self, *args: Any, user: User, again: Replay | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        brand = self.fields["brand"]
        assert isinstance(brand, forms.ModelChoiceField)
        brand.queryset = Brand.objects.filter(pk__in=reach_of(user).whole_brands)
        today = timezone.localdate()
        self.initial.update(first=today.replace(day=1), last=today)
        if again is not None:
            zone = ZoneInfo(again.brand.time_zone)
            self.initial.update(
                brand=again.brand_id,
                first=again.from_at.astimezone(zone).date(),
                last=(again.to_at - dt.timedelta(seconds=1)).astimezone(zone).date(),
                partner=again.partner.code if again.partner else "",
                client=again.client_id,
                reason=again.reason,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last, brand = cleaned.get("first"), cleaned.get("last"), cleaned.get("brand")
        if first and last and first > last:
            self.add_error("last", _("The last day can't be before the first day."))
        elif first and last and (last - first).days > 399:
            self.add_error("first", _("Choose a period of 400 days at most."))
        if brand and cleaned.get("partner"):
            partner = partners_visible_to(self.user).filter(brand=brand, code=cleaned["partner"]).first()
            if partner is None:
                self.add_error("partner", _("No partner of this brand has this code."))
            else:
                cleaned["partner_id"] = partner.pk
        if (
            brand
            and cleaned.get("client")
            and not clients_visible_to(self.user).filter(pk=cleaned["client"], brand=brand).exists()
        ):
            self.add_error("client", _("No client of this brand has this number."))
        return cleaned

    def request(self) -> dict[str, Any]:
        """Return what `request_replay` takes."""
        data = self.cleaned_data
        zone = ZoneInfo(data["brand"].time_zone)
        first, last = data["first"], data["last"] + dt.timedelta(days=1)
        return {
            "brand": data["brand"],
            "from_at": dt.datetime.combine(first, dt.time(), tzinfo=zone),
            "to_at": dt.datetime.combine(last, dt.time(), tzinfo=zone),
            "partner_id": data.get("partner_id"),
            "client_id": data.get("client"),
            "reason": data["reason"],
        }

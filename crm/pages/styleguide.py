"""Every component of the design system on one page: `?theme=dark`, `?dir=rtl`. For people who build pages."""

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from crm.choices import DeliveryState, JobState
from crm.ui.badges import TONES
from crm.ui.charts import Chart, Series
from crm.ui.forms import DayInput
from crm.ui.icons import icon_names
from crm.ui.views import staff_page

# A language written from right to left: it need not be translated to show the mirrored layout.
RIGHT_TO_LEFT = "ar"


class SampleForm(forms.Form):
    """Each kind of control once, one of them wrong."""

    name = forms.CharField(label=_("Name"), help_text=_("As in the passport"))
    email = forms.EmailField(label=_("E-mail"))
    kind = forms.ChoiceField(label=_("Type"), choices=[("a", _("Retail")), ("b", _("Professional"))])
    born_on = forms.DateField(label=_("Date of birth"), widget=DayInput(), required=False)
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)
    channel = forms.ChoiceField(
        label=_("Channel"), widget=forms.RadioSelect, choices=[("phone", _("Phone")), ("mail", _("E-mail"))]
    )
    agreed = forms.BooleanField(label=_("I have checked this"))


def sample() -> dict[str, Any]:
    """Return invented figures, the same on every visit."""
    today = timezone.localdate()
    days = [today - dt.timedelta(days=n) for n in range(89, -1, -1)]
    wave = [1200 + 90 * math.sin(n / 6) + n * 4 for n in range(90)]
    equity = Series(_("Equity"), wave, kind="area", unit="EUR")
    deposits = Series(
        _("Deposits"), [max(0, 300 * math.sin(n / 3)) for n in range(90)], tone="teal", kind="bars", unit="EUR"
    )
    return {
        "trend": [round(v) for v in wave[-20:]],
        "profits": [5, 9, -4, 12, 3, -8, -2, 6, 11, 4],
        "shares": [(_("Germany"), 420, "420"), (_("Spain"), 270, "270"), (_("Italy"), 96, "96")],
        "chart": Chart("equity", days, [equity, deposits], x_label=str(_("Day"))),
        "amount": Decimal("-1234.5"),
        "gain": Decimal("250"),
        "bitcoin": Decimal("0.01500000"),
        "now": timezone.now(),
        "earlier": timezone.now() - dt.timedelta(hours=3),
        "tabs": [
            {"slug": "a", "label": _("Overview"), "url": "#a"},
            {"slug": "b", "label": _("Trading"), "url": "#b", "count": 3},
        ],
        "states": [*JobState, *DeliveryState],
        "reasons": [_("The name differs from the account"), _("The document expires in 9 days")],
        "steps": [_("Details"), _("Identity"), _("Address"), _("Done")],
    }


@staff_page()
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every part of the design system, in a theme and direction of choice."""
    params: Mapping[str, str] = request.GET
    wrong = SampleForm({"name": "Clara Weber", "email": "clara@", "kind": "a", "channel": "phone"})
    theme = params.get("theme", "") if params.get("theme") in ("light", "dark") else ""
    context = {**sample(), "form": wrong, "tones": TONES, "icons": sorted(icon_names()), "theme_fixed": theme}
    with translation.override(RIGHT_TO_LEFT if params.get("dir") == "rtl" else translation.get_language()):
        return render(request, "crm/pages/styleguide.html", context)

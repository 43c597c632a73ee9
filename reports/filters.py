"""The filter bar of the dashboards: period, comparison, brand, desk, country and campaign, kept in the address.

What a person may not see is no choice: a brand, desk or campaign out of reach is an error at its field and left out, and
whatever is chosen only narrows the reach.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import lazy_choices
from crm.i18n import formats
from crm.models import Brand, Desk, User
from crm.ui.forms import DayInput
from leads.models import Campaign
from reports import figures, queries
from reports.figures import Reach

DAYS_MAX = 400
CAMPAIGNS_MAX = 500
# Nobody's figures are older; dates of the year 1 have no day before them.
EARLIEST = dt.date(2000, 1, 31)
DEFAULT_PERIOD, DEFAULT_COMPARISON = "30", "before"
PERIODS = [
    ("today", gettext_lazy("Today")),
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("month", gettext_lazy("This month")),
    ("last_month", gettext_lazy("Last month")),
    ("own", gettext_lazy("Custom")),
]
COMPARISONS = [
    ("before", gettext_lazy("Previous period")),
    ("year", gettext_lazy("Previous year")),
    ("none", gettext_lazy("No comparison")),
]
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Some days, both ends included."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> list[dt.date]:
        return figures.days_until(self.last, (self.last - self.first).days + 1)


def span_of(period: str, today: dt.date) -> Span:
    """Return the days of a named period that ends today."""
    if period == "today":
        return Span(today, today)
    if period == "month":
        return Span(today.replace(day=1), today)
    if period == "last_month":
        last = today.replace(day=1) - ONE_DAY
        return Span(last.replace(day=1), last)
    return Span(today - dt.timedelta(days=int(period) - 1), today)


def span_before(span: Span, period: str, comparison: str) -> Span | None:
    """Return what a period is compared with: as many days before it, a month the month before, or a year earlier."""
    if comparison == "none":
        return None
    if comparison == "year":
        return Span(_year_earlier(span.first), _year_earlier(span.last))
    if period in ("month", "last_month"):
        end = span.first - ONE_DAY
        first = end.replace(day=1)
        return Span(first, end if period == "last_month" else min(first + (span.last - span.first), end))
    length = span.last - span.first + ONE_DAY
    return Span(span.first - length, span.first - ONE_DAY)


def _year_earlier(day: dt.date) -> dt.date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@dataclass(frozen=True)
class Selection:
    """What a dashboard shows: whose figures, of which days, compared with which, narrowed to what."""

    reach: Reach
    span: Span
    before: Span | None
    brands: tuple[Brand, ...]
    chosen: Mapping[str, str]
    brand: Brand | None = None
    desk: Desk | None = None
    country: str = ""
    campaign: str = ""
    has_revenue: bool = False

    @property
    def currencies(self) -> list[str]:
        """List the base currencies of the brands that are shown: money is never added across them."""
        return sorted({brand.base_currency for brand in self.brands})

    @property
    def versus(self) -> str:
        """Name what the period is compared with."""
        if self.before is None:
            return ""
        return _("vs previous year") if self.chosen.get("compare") == "year" else _("vs previous period")

    @property
    def words(self) -> str:
        """Say the period as days: "Nov 1, 2026 – Nov 23, 2026"."""
        first, last = formats.day(self.span.first), formats.day(self.span.last)
        return first if first == last else f"{first} – {last}"

    def query(self, **more: str) -> str:
        """Return the choices for an address, the usual ones left out."""
        return urlencode({**self.chosen, **{name: value for name, value in more.items() if value}})

    @property
    def list_filters(self) -> dict[str, str]:
        """Return the same choices as the lists of people name them."""
        chosen = {
            "brand": str(self.brand.pk) if self.brand else "",
            "desk": str(self.desk.pk) if self.desk else "",
            "country": self.country,
            "campaign": self.campaign,
        }
        return {name: value for name, value in chosen.items() if value}


class FilterForm(forms.Form):
    """The filter bar. What makes no sense is reported at its field and left out."""

    period = forms.ChoiceField(required=False, label=gettext_lazy("Period"), choices=PERIODS, widget=forms.RadioSelect)
    first = forms.DateField(required=False, label=gettext_lazy("From"), widget=DayInput())
    last = forms.DateField(required=False, label=gettext_lazy("To (inclusive)"), widget=DayInput())
    compare = forms.ChoiceField(required=False, label=gettext_lazy("Compare with"), choices=COMPARISONS)
    brand = forms.ModelChoiceField(
        required=False,
        label=gettext_lazy("Brand"),
        queryset=Brand.objects.none(),
        empty_label=gettext_lazy("All brands"),
    )
    desk = forms.ModelChoiceField(
        required=False, label=gettext_lazy("Desk"), queryset=Desk.objects.none(), empty_label=gettext_lazy("All desks")
    )
    country = forms.ChoiceField(
        required=False, label=gettext_lazy("Country"), choices=[("", gettext_lazy("All countries")), *lazy_choices()]
    )
    campaign = forms.ChoiceField(required=False, label=gettext_lazy("Campaign"))

    def __init__(self, data: Any, *, user: User, narrows: tuple[str, ...] = ("brand", "desk", "country", "campaign")):
        self.reach = queries.reach_of_reports(user)
        self.has_revenue = queries.sees_revenue(user)
        self.today = figures.today_of(self.reach.brands or _brands_of(self.reach.desks))
        super().__init__(data or None)
        brands = brands_within(self.reach)
        fields: Any = self.fields
        fields["brand"].queryset = brands
        fields["desk"].queryset = Desk.objects.filter(
            Q(brand_id__in=self.reach.brands) | Q(pk__in=self.reach.desks)
        ).select_related("brand")
        campaigns = Campaign.objects.filter(brand__in=brands).order_by("name").values_list("code", "name")
        by_code = dict(campaigns[:CAMPAIGNS_MAX]) if "campaign" in narrows else {}
        fields["campaign"].choices = [("", _("All campaigns")), *by_code.items()]
        for name in ("brand", "desk", "country", "campaign"):
            if name not in narrows:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("The end date is before the start date."))
        elif first and (last or self.today) - first > dt.timedelta(days=DAYS_MAX):
            self.add_error("first", _("Choose a period of at most 400 days."))
        return cleaned

    @property
    def bar_value(self) -> str:
        """The period whose button is pressed."""
        return self.selection().chosen.get("period", DEFAULT_PERIOD)

    def selection(self) -> Selection:
        """Return what is chosen, the usual where nothing valid is."""
        if not hasattr(self, "_selection"):
            self._selection = self._read()
        return self._selection

    def _own_span(self, first: dt.date | None, last: dt.date | None) -> Span:
        """Return the days between two dates, this month's where one is missing: none to come, and no more than the limit."""
        last = max(EARLIEST, min(last or self.today, self.today))
        first = min(first or last.replace(day=1), last)
        return Span(max(first, last - dt.timedelta(days=DAYS_MAX)), last)

    def _read(self) -> Selection:
        if self.is_bound:
            self.is_valid()
        cleaned = self.cleaned_data if self.is_bound else {}
        period = cleaned.get("period") or ("own" if cleaned.get("first") or cleaned.get("last") else DEFAULT_PERIOD)
        if period == "own":
            span = self._own_span(cleaned.get("first"), cleaned.get("last"))
        else:
            span = span_of(period, self.today)
        comparison = cleaned.get("compare") or DEFAULT_COMPARISON
        brand, desk = cleaned.get("brand"), cleaned.get("desk")
        reach = _narrowed(self.reach, brand, desk)
        chosen = {
            "period": period if period != DEFAULT_PERIOD else "",
            "first": span.first.isoformat() if period == "own" else "",
            "last": span.last.isoformat() if period == "own" else "",
            "compare": comparison if comparison != DEFAULT_COMPARISON else "",
            "brand": str(brand.pk) if brand else "",
            "desk": str(desk.pk) if desk else "",
            "country": cleaned.get("country") or "",
            "campaign": cleaned.get("campaign") or "",
        }
        return Selection(
            reach=reach,
            span=span,
            before=span_before(span, period, comparison),
            brands=tuple(brands_within(reach)),
            chosen={name: value for name, value in chosen.items() if value},
            brand=brand,
            desk=desk,
            country=chosen["country"],
            campaign=chosen["campaign"],
            has_revenue=self.has_revenue,
        )


def brands_within(reach: Reach) -> QuerySet[Brand]:
    """Select the brands of which a reach has figures, whole or by a desk."""
    return Brand.objects.filter(Q(pk__in=reach.brands) | Q(desks__in=reach.desks)).distinct().order_by("pk")


def _brands_of(desks: frozenset[int]) -> frozenset[int]:
    return frozenset(Desk.objects.filter(pk__in=desks).values_list("brand_id", flat=True)) if desks else frozenset()


def _narrowed(reach: Reach, brand: Brand | None, desk: Desk | None) -> Reach:
    """Narrow a reach to a desk and a brand in it; a desk of another brand leaves nothing."""
    if desk is not None:
        fits = brand is None or desk.brand_id == brand.pk
        return Reach(brands=frozenset(), desks=frozenset({desk.pk} if fits else ()))
    if brand is None:
        return reach
    desks = Desk.objects.filter(pk__in=reach.desks, brand=brand).values_list("pk", flat=True) if reach.desks else ()
    return Reach(brands=reach.brands & {brand.pk}, desks=frozenset(desks))

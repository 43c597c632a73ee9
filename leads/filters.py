"""Filters of the list of leads."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.choices import SalesStatus
from clients.filters import YES_NO, PeopleFilter
from clients.models import Client
from leads.models import LeadFacts


class LeadFilter(PeopleFilter):
    # `distinct` would sort every matching row before the first is shown.
    sales_status = django_filters.MultipleChoiceFilter(label=_("Status"), choices=SalesStatus.choices, distinct=False)
    is_refused = django_filters.ChoiceFilter(label=_("Refused"), choices=YES_NO, method="filter_refused")

    def filter_refused(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        refused = LeadFacts.objects.filter(refusal__isnull=False).values("client_id")
        return rows.exclude(pk__in=refused) if value == "0" else rows.filter(pk__in=refused)

"""The page of the learned score: how good it is on months that it hadn't seen, and what it weighs."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.brand_policies import SCORE_THAT_ROUTES, RoutedBy
from leads.learned.features import FEATURES
from leads.models import LeadModel

VERSIONS = 12


@staff_page("leads.manage_rules")
def learned_score(request: UserRequest) -> HttpResponse:
    """Show the version in use beside the score by points, its calibration and weights, and which score routes for each brand."""
    versions = list(LeadModel.objects.order_by("-pk")[:VERSIONS])
    model = next((row for row in versions if row.is_active), None)
    brands = Brand.objects.filter(pk__in=reach_of(request.user).brands, archived_at=None).order_by("name")
    context = {
        "model": model,
        "versions": versions,
        "weights": [(FEATURES[name], weight) for name, weight in model.by_weight if name in FEATURES] if model else [],
        "routed": [(brand, RoutedBy(SCORE_THAT_ROUTES.of(brand)).label) for brand in brands],
    }
    return render(request, "leads/learned/score.html", context)

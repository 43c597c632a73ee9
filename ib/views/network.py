"""Rows of the network tree, which partners and staff open branch by branch."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.money.numbers import is_whole
from ib import figures
from ib.models import Partner
from ib.tree import LEVELS_MAX


def branch_rows(request: HttpRequest, partner: Partner, *, is_staff_page: bool) -> HttpResponse:
    """Show some of those directly below a partner; the address gives their level, and after whom the rows go on."""
    level, after = request.GET.get("level", ""), request.GET.get("after", "")
    branch = figures.branch(
        partner.pk,
        brand_id=partner.brand_id,
        level=min(int(level), LEVELS_MAX) if is_whole(level) else 2,
        after_id=int(after) if is_whole(after) else 0,
    )
    return render(request, "ib/_branch.html", {"branch": branch, "is_staff_page": is_staff_page})

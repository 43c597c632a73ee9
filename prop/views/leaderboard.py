"""Staff page: the leaderboard of a programme as its traders see it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from prop.choices import BoardPeriod
from prop.leaderboard.board import PLACES_MAX, chosen_board


@staff_page("prop.view_programme")
@require_safe
def leaderboard(request: UserRequest) -> HttpResponse:
    """Show what traders of brands in reach agreed to show; nothing else of them is read."""
    board = chosen_board(request.user, request.GET)
    context = {"board": board, "periods": BoardPeriod.choices, "places_max": PLACES_MAX}
    return render(request, "prop/leaderboard.html", context)

"""My day: what is overdue, what is due today, what comes next, and what I have done."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients.models import Task
from crm.models import User
from crm.ui import panels
from crm.ui.views import staff_page

MOST = 100
AHEAD = dt.timedelta(days=14)


@staff_page("clients.log_call")
def my_day(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    now = timezone.localtime()
    tonight = now.replace(hour=23, minute=59, second=59, microsecond=0)
    mine = Task.objects.filter(assignee=request.user).select_related("client", "assignee")
    still = list(mine.filter(done_at=None, due_at__lte=tonight + AHEAD).order_by("due_at", "id")[: MOST + 1])
    done = mine.filter(done_at__gte=now.replace(hour=0, minute=0, second=0, microsecond=0)).order_by("-done_at")
    context: dict[str, Any] = {
        "overdue": [task for task in still if task.due_at < now],
        "today": [task for task in still if now <= task.due_at <= tonight],
        "later": [task for task in still if task.due_at > tonight],
        "done": list(done[:20]),
        "is_cut": len(still) > MOST,
        "tiles": [
            {"tile": tile, "context": shown}
            for tile in panels.tiles_for(request.user, "my_day")
            if (shown := tile.load(request.user)) is not None
        ],
    }
    return render(request, "clients/my_day.html", context)

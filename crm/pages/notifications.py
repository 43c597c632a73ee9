"""The bell: what happened that this person should know. Clients and partners have it too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from crm.models import Notification, User
from crm.notices.notify import push_live
from crm.ui.tables import AgoColumn, Column, Empty, Table
from crm.ui.views import show_table

if TYPE_CHECKING:
    from crm.web.requests import UserRequest

RECENT = 12


class NotificationTable(Table):
    name = "notifications"
    title = _("Notifications")
    columns = [
        Column("title", _("Notification"), link=True, value=lambda row: row.reading["title"]),
        Column("body", _("Details"), css="muted", value=lambda row: row.reading["body"]),
        AgoColumn("created_at", _("When")),
    ]
    is_adjustable = False
    empty = Empty(
        _("No notifications yet"),
        _("New leads, documents to review, payments and alerts for you appear here and under the bell."),
        icon="bell",
    )

    def queryset(self) -> QuerySet[Notification]:
        return Notification.objects.filter(user=self.user, is_in_app=True)

    def row_url(self, row: Notification) -> str:
        return f"/notifications/{row.pk}/"

    def row_class(self, row: Notification) -> str:
        return "" if row.read_at else "fw-bold"


class OutsideTable(NotificationTable):
    """As clients and partners read it."""

    name = "notifications_outside"
    empty = Empty(
        _("No notifications yet"),
        _("News about your payments, documents, accounts and commissions appears here and under the bell."),
        icon="bell",
    )


@login_required
@require_GET
def notifications(request: UserRequest) -> HttpResponseBase:
    """List a person's notifications."""
    kind = NotificationTable if getattr(request.user, "is_team", False) else OutsideTable
    table = kind(request.user, request.GET, path=request.path)
    return show_table(request, table, "crm/pages/notifications.html")


@login_required
@require_GET
def recent(request: HttpRequest) -> HttpResponse:
    """Show the bell's menu: the newest notifications."""
    assert isinstance(request.user, User)
    rows = list(Notification.objects.filter(user_id=request.user.pk, is_in_app=True).order_by("-pk")[:RECENT])
    return render(request, "crm/pages/_bell.html", {"rows": rows})


@login_required
@require_GET
def unread(request: HttpRequest) -> HttpResponse:
    """Show the number at the bell, which the page asks for again when a notification comes."""
    return render(request, "crm/ui/_unread.html")


@login_required
@require_GET
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it read and go where it points. Only addresses of this site are followed."""
    row = get_object_or_404(Notification, pk=pk, user_id=request.user.pk)
    if row.read_at is None:
        Notification.objects.filter(pk=row.pk, read_at__isnull=True).update(read_at=timezone.now())
    if row.url and url_has_allowed_host_and_scheme(row.url, allowed_hosts=None):
        return redirect(row.url)
    return redirect("notifications")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all notifications of the person as read, in their other open pages too."""
    assert isinstance(request.user, User)
    unread = Notification.objects.filter(user=request.user, is_in_app=True, read_at__isnull=True)
    unread.update(read_at=timezone.now())
    push_live(request.user.pk, event="unread", data={})
    return redirect("notifications")

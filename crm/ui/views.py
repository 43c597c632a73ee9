"""Bases of staff pages: who may open them, and the page that shows a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import patch_vary_headers
from django.views import View

from crm.choices import AccessKind
from crm.models import Job, User
from crm.security import access_log
from crm.ui import exports
from crm.ui.panels import Permission, allows
from crm.ui.table_surroundings import FILTERS_OPEN
from crm.ui.tables import SHORTEST_SEARCH, Table

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


def wants_fragment(request: HttpRequest) -> bool:
    """Check whether HTMX asks for a part of the page: not on boosted visits or when it restores history."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type", "partial") == "partial"
        and not request.headers.get("HX-History-Restore-Request")
    )


def reload_page() -> HttpResponse:
    """Answer a part's request by having the whole page loaded again: a body that is swapped would run its scripts twice."""
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response


class StaffView(View):
    """A page for staff. Strangers go to the sign-in page; clients and partners get 404; staff without the right, 403.

    `permission` is a permission name, a function of the user, or None for all staff. The walker in the tests reads it.
    """

    request: UserRequest
    permission: ClassVar[Permission] = None
    audience: ClassVar[str] = "staff"

    def get_permission(self) -> Permission:
        return type(self).permission  # through the class: a function must not become a method

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not user.is_team:
            raise Http404
        if not allows(self.get_permission(), user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


def staff_page(
    permission: Permission = None,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Make a function a staff page, as `StaffView` does for a class: `@staff_page("leads.view_lead")`."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        class Guarded(StaffView):
            def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                return super().dispatch(request, *args, **kwargs)

            def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                return view(request, *args, **kwargs)

            post = get

        Guarded.permission = permission
        guarded = Guarded.as_view()
        guarded.__name__, guarded.__doc__, guarded.__module__ = view.__name__, view.__doc__, view.__module__
        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def may_open(user: User, address: str) -> bool:
    """Check whether a page's permission lets this member of staff in, before a link to it is shown."""
    try:
        view = resolve(urlsplit(address).path).func
    except Resolver404:
        return False
    page = getattr(view, "view_class", None)
    if page is not None and issubclass(page, TableView):
        return allows(page(**view.view_initkwargs).get_permission(), user)  # type: ignore[attr-defined]
    return allows(getattr(view, "permission", getattr(page, "permission", None)), user)


class TableView(StaffView):
    """A page with one table: whole, or its fragment for HTMX, or its export.

    `path("leads/", TableView.as_view(table=LeadTable), name="leads")`. A template of your own extends
    `crm/ui/table_page.html` and fills its blocks `actions` and `above`.
    """

    table: type[Table] = Table
    template_name = "crm/ui/table_page.html"

    def get_permission(self) -> Permission:
        return self.table.permission

    def get_context(self, table: Table) -> dict[str, Any]:
        """Return more for the template; override it."""
        return {}

    def get(self, request: UserRequest, **kwargs: Any) -> HttpResponseBase:
        table = self.table(request.user, request.GET, path=request.path, scope=kwargs)
        if not request.GET and table.layout.default is not None and not wants_fragment(request):
            return redirect(table.view_url(table.layout.default))
        return show_table(request, table, self.template_name, self.get_context)


def show_table(
    request: UserRequest,
    table: Table,
    template_name: str = "crm/ui/table_page.html",
    get_context: Callable[[Table], dict[str, Any]] | None = None,
) -> HttpResponseBase:
    """Answer with a table, its fragment or its export. Searches and exports are noted in the access log."""
    ending = request.GET.get("export", "")
    if ending:
        made = exports.export(table, ending)
        return redirect(reverse("job", args=[made.pk])) if isinstance(made, Job) else made
    if len(table.words) >= SHORTEST_SEARCH:
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target=f"table:{table.name}",
            rows=len(table.page.rows),
            reason=table.words,
        )
    if wants_fragment(request) and request.GET.get("filters", FILTERS_OPEN) != FILTERS_OPEN:
        drawn = table.conditions_html if request.GET["filters"] == "conditions" else ""
        response: HttpResponse = (
            HttpResponse(drawn) if drawn else render(request, "crm/ui/_filters.html", {"table": table})
        )
    elif wants_fragment(request):
        response = render(request, "crm/ui/table.html", {"table": table})
    else:
        response = render(request, template_name, {"table": table, **(get_context(table) if get_context else {})})
    patch_vary_headers(response, ["HX-Request"])
    return response


def embedded_table(request: UserRequest, table: Table) -> HttpResponseBase:
    """Answer with a table inside a tab: always the fragment, or its export."""
    return show_table(request, table, "crm/ui/table.html")

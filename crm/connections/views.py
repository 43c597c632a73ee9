"""The pages of a kind of connection, and the address of its webhooks. An app's views name rights and texts, and call these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm import approvals
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.connections.choices import WebhookState, WebhookVerdict
from crm.connections.forms import ConnectionForm
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.connections.setup import ConnectionApproval
from crm.connections.webhooks import BODY_BYTES_MAX, receive
from crm.models import Brand
from crm.security import access_log
from crm.security.request_context import current
from crm.security.scope import reach_of
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import may_open, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import declared_length

TEXT_SHOWN_MAX: Final = 40_000
Text = str | Promise
CHECKS: Final = gettext_lazy("Checks")


def _no_facts(_row: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class ConnectionPages:
    """What the pages of one kind say and do. templates: the folder with its `_brand.html`, `_alert.html` and `_facts.html`.

    list_name: of the list's address; name: of the others, as "vendor" for vendor_new, vendor_change and vendor_test. key: what the
    verbs call a connection's id. sees: the right to see the list; who proposes, changes and tests is the kind's to say.
    """

    kind: type[ConnectionApproval[Any, Any]]
    form: type[ConnectionForm]
    list_name: str
    name: str
    key: str
    proposes: Callable[..., object]
    tests: Callable[..., str]
    webhook: str  # the address's name; empty for a service that sends none
    messages_path: str
    reads: str  # the right to read checks and messages
    templates: str
    icon: str
    title: Text
    subtitle: Text
    propose: Text
    messages_title: Text
    steps: tuple[Text, ...]  # what happens after the approval
    unmatched: Text
    note: Text = ""
    checks_path: str = ""  # the list of what the service was asked; the kind's `checks/` by default
    checks_title: Text = CHECKS
    sees: Any = ""
    brand_facts: Callable[[Brand], dict[str, Any]] = _no_facts
    connection_facts: Callable[[Any], dict[str, Any]] = _no_facts

    @property
    def checks(self) -> str:
        return self.checks_path or f"{self.path}checks/"

    @property
    def path(self) -> str:
        return self.kind.path

    @property
    def brand_template(self) -> str:
        return f"{self.templates}/_brand.html"

    @property
    def alert_template(self) -> str:
        return f"{self.templates}/_alert.html"

    @property
    def facts_template(self) -> str:
        return f"{self.templates}/_facts.html"


def connections_visible_to(pages: ConnectionPages, request: UserRequest) -> QuerySet[Any]:
    """Select the connections of the brands that a person reaches as a whole; their keys aren't read."""
    rows = pages.kind.connection._default_manager.filter(brand__in=reach_of(request.user).whole_brands)
    visible: QuerySet[Any] = rows.select_related("brand").defer("sealed_credentials")
    return visible


def webhook(
    request: HttpRequest, code: str, *, kind: type[ConnectionApproval[Any, Any]], model: type[Webhook], task: str
) -> HttpResponse:
    """Store, judge and answer: 200 for what is believed, 400 for what isn't. No session and no CSRF token: a signature.

    A connection that isn't in use any more still gets messages about what was asked before.
    """
    connection = kind.connection._default_manager.filter(code=code).first()
    if connection is None:
        return HttpResponse(status=404)
    if declared_length(request) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    verdict = receive(
        model,
        connection,
        adapter=kind.adapters[connection.adapter](connection),
        task=task,
        body=request.body,
        headers={name.lower(): value for name, value in request.headers.items()},
        ip=current().ip,
    )
    # What is signed and unreadable is ours to look at: sending it again would not help.
    return HttpResponse(status=200 if verdict in (WebhookVerdict.ACCEPTED, WebhookVerdict.MALFORMED) else 400)


def paths(pages: ConnectionPages) -> list[URLPattern]:
    """Make the addresses of the list, a new connection, its change and its test."""
    sets_up = staff_page(pages.kind.asks)

    @staff_page(pages.sees or pages.kind.asks)
    def shown(request: UserRequest) -> HttpResponse:
        return list_page(request, pages)

    @sets_up
    def proposed(request: UserRequest, **ids: int) -> HttpResponseBase:
        return propose_page(request, pages, ids.get(pages.key))

    @require_POST
    @sets_up
    def tested(request: UserRequest, **ids: int) -> HttpResponseBase:
        return test_page(request, pages, ids[pages.key])

    root = pages.path.removeprefix("/")
    return [
        path(root, shown, name=pages.list_name),
        path(f"{root}new/", proposed, name=f"{pages.name}_new"),
        path(f"{root}<int:{pages.key}>/", proposed, name=f"{pages.name}_change"),
        path(f"{root}<int:{pages.key}>/test/", tested, name=f"{pages.name}_test"),
    ]


def list_page(request: UserRequest, pages: ConnectionPages) -> HttpResponse:
    """Show each brand that the person reaches as a whole with its connections, and what waits for a second person."""
    brands = list(brands_to_set_up(request.user).filter(archived_at=None).order_by("name"))
    connections = list(connections_visible_to(pages, request).order_by("name"))
    proposals = pages.kind.model._default_manager.filter(brand__in=brands)
    kind = approvals.kind_of(pages.kind.model)
    waiting = list(kind.awaiting(proposals.select_related("requested_by", "brand", "connection")))

    def shown(connection: Connection) -> dict[str, Any]:
        address = reverse(pages.webhook, kwargs={"code": connection.code}) if pages.webhook else ""
        return {
            "connection": connection,
            "title": pages.kind.adapters[connection.adapter].title,
            "webhook_address": request.build_absolute_uri(address) if address else "",
            **pages.connection_facts(connection),
        }

    def row(brand: Brand) -> dict[str, Any]:
        mine = [connection for connection in connections if connection.brand_id == brand.pk]
        proposal: ConnectionProposal | None = next((one for one in waiting if one.brand_id == brand.pk), None)
        return {
            "brand": brand,
            "is_any_used": any(connection.is_enabled for connection in mine),
            "connections": [shown(connection) for connection in mine],
            "proposal": proposal_of(proposal, request.user) if proposal is not None else None,
            **pages.brand_facts(brand),
        }

    context = {
        "pages": pages,
        "rows": [row(brand) for brand in brands],
        "may_set_up": request.user.has_perm(pages.kind.asks),
        "may_read": request.user.has_perm(pages.reads),
        "may_see_checks": may_open(request.user, pages.checks),
    }
    return render(request, "crm/connections/list.html", context)


def propose_page(request: UserRequest, pages: ConnectionPages, pk: int | None = None) -> HttpResponseBase:
    """Enter a new connection, or a change of one, and propose it."""
    connection = _find(request, pages, pk) if pk is not None else None
    brands = brands_to_set_up(request.user).filter(archived_at=None).order_by("name")
    adapter = request.GET.get("adapter", "")
    form = pages.form(request.POST or None, brands=brands, connection=connection, adapter=adapter)

    def work() -> object:
        brand_id = connection.brand_id if connection is not None else form.cleaned_data["brand"].pk
        reason = form.cleaned_data["reason"]
        return pages.proposes(brand_id=brand_id, setup=form.setup, actor=request.user, reason=reason, **{pages.key: pk})

    said = _("Connection proposed. Awaiting second approval.")
    if request.method == "POST" and run_action(request, work, said, form=form, show_forbidden=True):
        return redirect(pages.path)
    context = {
        "pages": pages,
        "form": form,
        "connection": connection,
        "title": form.known.title,
        "others": [] if connection is not None else _others(pages, form.adapter),
    }
    return render(request, "crm/connections/form.html", context, status=422 if form.errors else 200)


def _others(pages: ConnectionPages, chosen: str) -> list[dict[str, str]]:
    """List the adapters that a new connection may use instead."""
    adapters = pages.kind.adapters.items()
    return [{"code": code, "title": str(adapter.title)} for code, adapter in adapters if code != chosen]


def test_page(request: UserRequest, pages: ConnectionPages, pk: int) -> HttpResponseBase:
    """Test a connection; the answer is on the page."""
    connection = _find(request, pages, pk)
    done = run_action(request, lambda: pages.tests(actor=request.user, **{pages.key: connection.pk}))
    if done and done.result:
        messages.error(request, done.result)
    elif done:
        messages.success(request, _("%(service)s is connected.") % {"service": connection})
    return redirect(pages.path)


def _find(request: UserRequest, pages: ConnectionPages, pk: int) -> Any:
    connection = connections_visible_to(pages, request).filter(pk=pk).first()
    if connection is None:
        raise Http404
    return connection


def message_page(request: UserRequest, pages: ConnectionPages, message: Webhook | None) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    if message is None:
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        target=f"{message._meta.label_lower}:{message.pk}",
        client_id=message.client.pk if message.client is not None else None,
        brand_id=message.connection.brand_id,  # type: ignore[attr-defined]
    )
    context = {
        "pages": pages,
        "message": message,
        "body": message.body[:TEXT_SHOWN_MAX].decode("utf-8", "replace"),
        "may_retry": message.state == WebhookState.UNMATCHED,
    }
    return render(request, "crm/connections/message.html", context)


def retry_page(request: UserRequest, message: Webhook | None, retry: Callable[[int], object]) -> HttpResponseBase:
    """Process an unmatched message again."""
    if message is None:
        raise Http404
    run_action(request, lambda: retry(message.pk), _("The message is being processed again."))
    return redirect(message.get_absolute_url())  # type: ignore[attr-defined]

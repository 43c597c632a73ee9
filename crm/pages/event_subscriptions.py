"""Subscriptions to events: the list, a page to add one for each kind of target, and one to change, pause and archive it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.events.bus import label_of as event_label
from crm.events.conditions import vocabulary_of
from crm.events.schemas import catalogue
from crm.events.targets import TARGETS, Target, chosen_by_people
from crm.models import Brand, EventSubscription, User
from crm.staff import event_subscriptions as verbs
from crm.staff.company import brands_to_set_up, reaches_all_brands
from crm.ui.actions import run_action
from crm.ui.conditions import ConditionField, sentence_of
from crm.ui.events import grouped_events
from crm.ui.forms import ModelChoiceField
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest


class SubscriptionTable(Table):
    """Subscriptions of the brands that a person reaches as a whole; a fainter line for what is archived."""

    name = "crm.event_subscriptions"
    title = gettext_lazy("Event subscriptions")
    subtitle = gettext_lazy("Which events are sent where, beside what Keelson does with them itself.")
    permission = verbs.MANAGES
    columns: ClassVar[Sequence[Column]] = (
        Column("name", gettext_lazy("Name"), link=True),
        BadgeColumn("state", gettext_lazy("State")),
        Column("target", gettext_lazy("Target"), value=lambda row: label_of(row.target)),
        Column("events", gettext_lazy("Events"), value=lambda row: ", ".join(map(event_label, row.events)), css="clip"),
        Column(
            "condition",
            gettext_lazy("Only where"),
            value=lambda row: sentence_of(row.condition, vocabulary_of(catalogue())) if row.condition else "",
            css="clip",
        ),
        Column("brand", gettext_lazy("Brand"), value=lambda row: row.brand or _("All brands")),
        Column("created_by", gettext_lazy("Created by")),
        AgoColumn("created_at", gettext_lazy("Created")),
    )
    row_url_name = "event_subscription"
    is_searchable = False
    empty = Empty(
        gettext_lazy("No subscriptions yet"),
        gettext_lazy("Have people notified of events, such as failed deposits or expiring documents."),
        icon="bell-ring",
    )

    def queryset(self) -> QuerySet[EventSubscription]:
        return verbs.subscriptions_visible_to(self.user).select_related("brand", "created_by")

    def row_class(self, row: Any) -> str:
        return "faint" if row.archived_at else ""


def label_of(target: str) -> str:
    """Name a stored target for a reader; its code for one that no app declares any more."""
    return str(TARGETS[target].label) if target in TARGETS else target


class SubscriptionList(TableView):
    """The list, with a button per kind of target."""

    template_name = "crm/pages/event_subscriptions.html"
    table = SubscriptionTable

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"targets": list(chosen_by_people().values())}


class SubscriptionForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("The notice's title."))
    events = forms.MultipleChoiceField(label=gettext_lazy("Events"), choices=lambda: grouped_events())
    brand = ModelChoiceField(Brand.objects.none(), label=gettext_lazy("Brand"), required=False)

    def __init__(self, data: Any, *, actor: User, target: Target, row: EventSubscription | None = None) -> None:
        own = {"name": row.name, "events": row.events, "condition": row.condition or ""} if row else {}
        super().__init__(data, initial={**own, **target.initial(row)} if row else {})
        self.fields["condition"] = ConditionField(
            vocabulary_of(catalogue()),
            label=_("Only where"),
            help_text=_("Asks the event's own data. Each chosen event needs the fields that you ask for."),
        )
        self.target = target
        brand: Any = self.fields["brand"]
        brand.queryset = brands_to_set_up(actor).filter(archived_at=None).order_by("name")
        brand.empty_label, brand.required = _("All brands"), not reaches_all_brands(actor)
        if row is not None:
            del self.fields["brand"]
        self.fields.update(target.fields(actor))

    def details(self) -> verbs.SubscriptionDetails:
        """Give what was chosen. Raises: DomainError for options that the target refuses."""
        values = self.cleaned_data
        return verbs.SubscriptionDetails(
            values["name"], values["events"], self.target.read(values), values["condition"]
        )


@staff_page(verbs.MANAGES)
def subscription_new(request: UserRequest, target: str) -> HttpResponse:
    """Add a subscription that sends to a kind of target."""
    if target not in chosen_by_people():
        raise Http404
    form = SubscriptionForm(request.POST or None, actor=request.user, target=TARGETS[target])

    def create() -> EventSubscription:
        brand = form.cleaned_data["brand"]
        return verbs.create_subscription(
            brand_id=brand.pk if brand else None, target=target, actor=request.user, details=form.details()
        )

    done = run_action(request, create, _("Subscription added."), form=form, show_forbidden=True)
    if done:
        return redirect("event_subscription", pk=done.result.pk)
    return _page(request, form, target=TARGETS[target])


@staff_page(verbs.MANAGES)
def subscription(request: UserRequest, pk: int) -> HttpResponse:
    """Show and change a subscription."""
    row = _row(request, pk)
    target = TARGETS.get(row.target)
    form = SubscriptionForm(request.POST or None, actor=request.user, target=target, row=row) if target else None
    if form is not None and request.method == "POST":

        def change() -> EventSubscription:
            return verbs.change_subscription(subscription_id=pk, actor=request.user, details=form.details())

        if run_action(request, change, _("Saved."), form=form, show_forbidden=True):
            return redirect("event_subscription", pk=pk)
    return _page(request, form, row=row, target=target)


@staff_page(verbs.MANAGES)
@require_POST
def subscription_enabled(request: UserRequest, pk: int) -> HttpResponse:
    """Pause a subscription, or resume it."""
    row = _row(request, pk)
    is_enabled = not row.is_enabled
    run_action(
        request,
        lambda: verbs.set_subscription_enabled(subscription_id=pk, is_enabled=is_enabled, actor=request.user),
        _("Subscription resumed.") if is_enabled else _("Subscription paused."),
        show_forbidden=True,
    )
    return redirect("event_subscription", pk=pk)


@staff_page(verbs.MANAGES)
@require_POST
def subscription_archive(request: UserRequest, pk: int) -> HttpResponse:
    """Archive a subscription, with the reason for the audit log."""
    _row(request, pk)
    reason = request.POST.get("reason", "")[:300]
    run_action(
        request,
        lambda: verbs.archive_subscription(subscription_id=pk, actor=request.user, reason=reason),
        _("Subscription archived."),
        show_forbidden=True,
    )
    return redirect("event_subscription", pk=pk)


def _row(request: UserRequest, pk: int) -> EventSubscription:
    return get_object_or_404(verbs.subscriptions_visible_to(request.user).select_related("brand", "created_by"), pk=pk)


def _page(request: UserRequest, form: SubscriptionForm | None, **context: Any) -> HttpResponse:
    status = 422 if form is not None and form.errors else 200
    row = context.get("row")
    if row is not None:
        context["named"] = [(event_label(name), name) for name in row.events]
        context["only_where"] = sentence_of(row.condition, vocabulary_of(catalogue())) if row.condition else ""
    return render(request, "crm/pages/event_subscription.html", {"form": form, **context}, status=status)

"""Pages of spend by day: the rows, entry by hand, import of a file."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients.filters import HasUser, brands_in_reach
from clients.views import dialogs
from crm.i18n import formats
from crm.money.amounts import Money
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.tables import Column, CountryColumn, DateColumn, Empty, MoneyColumn, Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from leads.choices import AdNetwork
from leads.models import Campaign, CampaignSpend
from leads.spend import recording
from leads.spend.forms import SpendFileForm, SpendForm
from leads.spend.reading import BYTES_MAX


def _campaigns(request: HasUser | None) -> QuerySet[Campaign]:
    return Campaign.objects.filter(brand__in=brands_in_reach(request)).order_by("name")


class SpendFilter(django_filters.FilterSet):
    campaign = django_filters.ModelChoiceFilter(label=gettext_lazy("Campaign"), queryset=_campaigns)
    network = django_filters.ChoiceFilter(label=gettext_lazy("Ad network"), choices=AdNetwork.choices)
    day = django_filters.DateFromToRangeFilter(label=gettext_lazy("Day"))

    class Meta:
        model = CampaignSpend
        fields: list[str] = []


class SpendRows(Table):
    """What the campaigns of the brands in reach cost, by day."""

    name, title, permission = "campaign-spend", gettext_lazy("Campaign spend"), "leads.change_campaign"
    export_permission = "leads.change_campaign"
    columns = [
        DateColumn("day", gettext_lazy("Day"), sort=True),
        Column("campaign", gettext_lazy("Campaign"), link=True, place="name"),
        Column("network", gettext_lazy("Ad network"), value=lambda row: row.get_network_display(), place="state"),
        Column("network_campaign", gettext_lazy("Campaign at the network")),
        CountryColumn("country", gettext_lazy("Country")),
        MoneyColumn("charged", gettext_lazy("Charged"), currency="charged_currency", hidden=True),
        MoneyColumn("amount", gettext_lazy("Cost"), currency="campaign.brand.base_currency", total=True),
        Column("entered_by", gettext_lazy("Entered by"), hidden=True),
    ]
    filterset = SpendFilter
    default_order = "-day"
    empty = Empty(
        gettext_lazy("No spend by day yet"),
        gettext_lazy("Import the export of Google Ads or Meta Ads, or enter what a campaign cost."),
        icon="coins",
        action=gettext_lazy("Import spend"),
        url_name="campaign_spend_import",
        permission="leads.change_campaign",
    )

    def queryset(self) -> QuerySet[Any]:
        rows = CampaignSpend.objects.filter(campaign__brand_id__in=reach_of(self.user).brands)
        return rows.select_related("campaign__brand", "entered_by")

    def row_url(self, row: CampaignSpend) -> str:
        return f"/campaigns/{row.campaign_id}/"


@staff_page("leads.change_campaign")
def enter(request: UserRequest) -> HttpResponseBase:
    """Enter what a campaign cost on some days."""
    chosen = {"campaign": request.GET.get("campaign", "")}
    form = SpendForm(request.POST or None, actor=request.user, initial=chosen)

    def save() -> int:
        data = dict(form.cleaned_data)
        return recording.enter_spend(actor=request.user, campaign_id=data.pop("campaign").pk, **data)

    return dialogs.run(
        request,
        form,
        save,
        url="/campaigns/spend/",
        success_message=_("Spend saved."),
        title=_("Enter spend"),
        submit=_("Save"),
    )


@takes_files(file_bytes_max=BYTES_MAX, needs="leads.change_campaign")
@staff_page("leads.change_campaign")
def import_file(request: UserRequest) -> HttpResponseBase:
    """Import a table of spend."""
    form = SpendFileForm(request.POST or None, request.FILES or None, actor=request.user)

    def take() -> recording.SpendResult:
        upload = form.cleaned_data["file"]
        return recording.import_spend(
            actor=request.user, brand=form.cleaned_data["brand"], file_name=upload.name, content=upload.read()
        )

    if done := run_action(request, take, _result, form=form):
        return dialogs.back(request, "/campaigns/spend/")
    assert not done
    return render(request, "leads/spend/import.html", {"form": form}, status=422 if request.method == "POST" else 200)


def _result(result: recording.SpendResult) -> str:
    """Say what an import changed."""
    if not (result.new or result.changed or result.removed):
        return _("This spend was imported before; nothing has changed.")
    text = ngettext(
        "Spend of %(count)s campaign imported: %(total)s.",
        "Spend of %(count)s campaigns imported: %(total)s.",
        result.campaigns,
    ) % {"count": formats.number(result.campaigns, 0), "total": formats.money(Money(result.total, result.currency))}
    counts = _("New: %(new)s, changed: %(changed)s, unchanged: %(same)s, removed: %(removed)s") % {
        name: formats.number(getattr(result, name), 0) for name in ("new", "changed", "same", "removed")
    }
    return f"{text} {counts}."


@staff_page("leads.change_campaign")
def example(request: HttpRequest) -> HttpResponse:
    """Send a small file to start from."""
    text = "Day,Campaign,Currency,Country,Cost\r\n2026-09-01,autumn-search,EUR,DE,125.40\r\n"
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="campaign-spend.csv"'
    return response

"""News for partners: the staff's pages. Partners read them on their home."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from ib.models import PartnerNews
from ib.news import publishing
from ib.news.forms import LANGUAGES, NewsForm
from ib.news.tables import NewsTable
from ib.policies import can_manage_partners
from ib.tables import PartnerTable


class NewsList(TableView):
    table = NewsTable
    template_name = "ib/news.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_add": self.request.user.has_perm("ib.manage_partners")}


@staff_page("ib.manage_partners")
def new_news(request: UserRequest) -> HttpResponse:
    """Publish news for a brand's partners, one partner's network, or those selected in the list of partners."""
    chosen: list[int] = []
    if "ids" in request.POST or "all" in request.POST:
        chosen = list(PartnerTable.selected(request).values_list("pk", flat=True))
        if not chosen:
            messages.info(request, _("Choose at least one partner."))
            return redirect("ib_partners")
    data = None if chosen else request.POST or None
    form = NewsForm(data, user=request.user, initial={"chosen": ",".join(map(str, chosen)), "notifies": bool(chosen)})

    def publish() -> PartnerNews:
        data = form.cleaned_data
        return publishing.publish_news(
            brand_id=data["brand"].pk,
            audience=form.audience,
            texts=form.texts,
            days=(data["starts_on"], data["ends_on"]),
            notifies=data["notifies"],
            actor=request.user,
        )

    if run_action(request, publish, _("News published."), form=form, show_forbidden=True):
        return redirect("ib_news")
    return render(request, "ib/news_form.html", {"form": form}, status=422 if form.errors else 200)


@staff_page("ib.view_partner")
def news_page(request: UserRequest, news_id: int) -> HttpResponse:
    """Show what was published, in each language."""
    news = _visible(request, news_id)
    context = {
        "news": news,
        "chosen": len(news.chosen or ()),
        "texts": [(LANGUAGES.get(code, code), title, body) for code, (title, body) in news.texts.items()],
        "may_withdraw": news.withdrawn_at is None and bool(can_manage_partners(request.user, news.brand_id)),
    }
    return render(request, "ib/news_item.html", context)


@staff_page("ib.manage_partners")
@require_POST
def withdraw(request: UserRequest, news_id: int) -> HttpResponse:
    """Stop showing news before their last day."""
    news = _visible(request, news_id)
    run_action(
        request,
        lambda: publishing.withdraw_news(news_id=news.pk, actor=request.user),
        _("News withdrawn."),
        show_forbidden=True,
    )
    return redirect("ib_news_item", news.pk)


def _visible(request: UserRequest, news_id: int) -> PartnerNews:
    rows = publishing.news_visible_to(request.user).select_related("brand", "partner", "made_by", "withdrawn_by")
    news = rows.filter(pk=news_id).first()
    if news is None:
        raise Http404
    return news

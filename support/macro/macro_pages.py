"""Pages of macros: the list per brand, and one in a dialog."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.views import dialogs
from crm.models import Brand, User
from crm.money.numbers import is_whole
from crm.notices.notify import people_with
from crm.staff.company import brands_to_set_up
from crm.ui.tables import Column, Empty, Table, YesNoColumn
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from support import policies
from support.choices import TicketCategory
from support.macro import figures, macros
from support.macro.macros import MacroContent
from support.models import Macro
from support.talk.conversation import TEXT_MAX


class MacroTable(Table):
    name, title, permission = "ticket-macros", gettext_lazy("Macros"), policies.SEES
    subtitle = gettext_lazy("Replies that a brand has ready, and what they set")
    columns = [
        Column("name", gettext_lazy("Name"), link=True, place="name"),
        Column("brand", gettext_lazy("Brand"), value="brand.name"),
        Column("then", gettext_lazy("Then"), value=lambda row: row.get_then_display() or "–"),
        Column("category", gettext_lazy("Category"), value=lambda row: row.get_category_display() or "–"),
        Column("assign_to", gettext_lazy("Assign to"), value=lambda row: str(row.assign_to or "–")),
        YesNoColumn("is_active", gettext_lazy("Offered in tickets")),
    ]
    default_order, export_permission = "-pk", None
    empty = Empty(
        gettext_lazy("No macros"),
        gettext_lazy("Macros save typing: a text with the client's name, and what it sets."),
        "zap",
        gettext_lazy("Add macro"),
        "ticket_macro_new",
        policies.MANAGES_MACROS,
    )

    def queryset(self) -> QuerySet[Macro]:
        return macros.macros_visible_to(self.user).select_related("brand", "assign_to")

    def row_url(self, row: Macro) -> Any:
        return row.get_absolute_url()


class MacroForm(forms.Form):
    """A macro as people enter it."""

    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.objects.none())
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    text = forms.CharField(label=gettext_lazy("Text"), max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 6}))
    then = forms.ChoiceField(
        label=gettext_lazy("Then"),
        required=False,
        choices=[("", gettext_lazy("As chosen when sending")), *[(one.value, one.label) for one in macros.THEN]],
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category"),
        required=False,
        choices=[("", gettext_lazy("Unchanged")), *TicketCategory.choices],
    )
    assign_to = forms.ModelChoiceField(
        label=gettext_lazy("Assign to"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Unchanged"),
    )
    is_active = forms.BooleanField(label=gettext_lazy("Offered in tickets"), required=False, initial=True)

    def __init__(self, *args: Any, user: User, macro: Macro | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = brands_to_set_up(user).filter(archived_at=None).order_by("name")
        brands = brands.filter(pk=macro.brand_id) if macro else brands
        people = {pk for brand in brands for pk in people_with(policies.WORKS, brand_id=brand.pk)}
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["assign_to"].queryset = User.objects.filter(pk__in=people).order_by("first_name", "pk")  # type: ignore[attr-defined]
        names = ", ".join(f"{{{{ {name} }}}}" for name in macros.VARIABLES)
        self.fields["text"].help_text = _("Variables: %(names)s") % {"names": names}

    def content(self) -> MacroContent:
        """Return what was entered."""
        entered = self.cleaned_data
        return MacroContent(
            name=entered["name"],
            text=entered["text"],
            then=entered["then"],
            category=entered["category"],
            assign_to_id=entered["assign_to"].pk if entered["assign_to"] else None,
            is_active=entered["is_active"],
        )


@staff_page(policies.MANAGES_MACROS)
def macro(request: UserRequest, macro_id: int | None = None) -> HttpResponseBase:
    """Add or change a macro, in a dialog."""
    rows = macros.macros_visible_to(request.user).filter(brand__in=brands_to_set_up(request.user))
    row = get_object_or_404(rows, pk=macro_id) if macro_id is not None else None
    fields = ("brand", "name", "text", "then", "category", "assign_to", "is_active")
    initial = {name: getattr(row, name) for name in fields} if row is not None else {}
    form = MacroForm(request.POST or None, user=request.user, macro=row, initial=initial)

    def do() -> None:
        macros.save_macro(
            brand_id=form.cleaned_data["brand"].pk, actor=request.user, content=form.content(), macro_id=macro_id
        )

    return dialogs.run(
        request,
        form,
        do,
        url="/tickets/macros/",
        success_message=_("Macro saved."),
        title=_("Change macro") if row is not None else _("Add macro"),
        submit=_("Save macro"),
    )


@staff_page(policies.SEES_FIGURES)
def ticket_figures(request: UserRequest) -> HttpResponse:
    """Show first reply, solution and rating by agent and by category, for tickets opened in the last days."""
    given = request.GET.get("days", "")
    days = int(given) if is_whole(given) and len(given) < 4 and int(given) in figures.DAYS else figures.DAYS[1]
    rows = figures.opened_within(request.user, days)
    context = {
        "days": days,
        "choices": figures.DAYS,
        "tables": [
            (_("By agent who replied first"), _("Agent"), figures.by_agent(rows)),
            (_("By category"), _("Category"), figures.by_category(rows)),
        ],
    }
    return render(request, "support/figures.html", context)

"""Logo, address and tax number of each brand, as its documents show them."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.documents.forms import LOGO_BYTES_MAX, LetterheadForm
from wallet.documents.letterhead import TEXTS, change_letterhead
from wallet.models import Letterhead


def _brand(request: HttpRequest, brand_id: int) -> Brand:
    reach = reach_of(cast(User, request.user)).whole_brands
    brand = Brand.objects.filter(pk=brand_id, pk__in=reach).first()
    if brand is None:
        raise Http404
    return brand


@staff_page("wallet.manage_letterhead")
def letterhead_list(request: HttpRequest) -> HttpResponse:
    brands = Brand.objects.filter(pk__in=reach_of(cast(User, request.user)).whole_brands)
    return render(request, "wallet/documents/letterheads.html", {"brands": brands.select_related("letterhead")})


@takes_files(file_bytes_max=LOGO_BYTES_MAX)
@staff_page("wallet.manage_letterhead")
def letterhead_page(request: UserRequest, brand_id: int) -> HttpResponseBase:
    brand = _brand(request, brand_id)
    head = Letterhead.objects.filter(brand=brand).select_related("changed_by").first()
    start = {name: getattr(head, name) for name in TEXTS} if head else {}
    form = LetterheadForm(request.POST or None, request.FILES or None, initial=start)

    def change() -> Letterhead:
        values = form.cleaned_data
        logo = b"" if values["remove_logo"] else values["logo"] or None
        texts = {name: values[name] for name in TEXTS}
        return change_letterhead(brand_id=brand.pk, texts=texts, logo=logo, actor=request.user)

    message = _("Letterhead saved. It applies to new documents of %(brand)s.") % {"brand": brand}
    if run_action(request, change, message, form=form):
        return redirect("wallet:letterheads")
    context = {"form": form, "brand": brand, "head": head, "limit": LOGO_BYTES_MAX}
    return render(request, "wallet/documents/letterhead.html", context, status=422 if form.errors else 200)


@staff_page("wallet.manage_letterhead")
def logo(request: HttpRequest, brand_id: int) -> HttpResponse:
    head = Letterhead.objects.filter(brand=_brand(request, brand_id)).first()
    if head is None or not head.logo:
        raise Http404
    response = HttpResponse(bytes(head.logo), content_type="image/png")
    response["Cache-Control"] = "private, no-cache"
    return response

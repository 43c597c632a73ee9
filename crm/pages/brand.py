"""A brand's look: its colours as a stylesheet (the policy forbids style attributes), its logo and picture, and their form."""

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from crm.models import Brand, BrandLook
from crm.pages.company import brand_tabs
from crm.staff.brand_look import MANAGES, change_look
from crm.staff.brand_look_forms import FILE_BYTES_MAX, BrandLookForm
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files

PNG = b"\x89PNG\r\n\x1a\n"
HEX = re.compile(r"#[0-9a-fA-F]{6}")


def _luminance(colour: str) -> float:
    """Compute the WCAG relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def text_on(colour: str) -> str:
    """Choose white or near-black, whichever reads better on the colour."""
    light = _luminance(colour)
    return "#ffffff" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.06 else "#101418"


def css_of(brand: Brand) -> str:
    """Write a brand's colours as CSS variables, for light and dark; without a valid colour, ours."""
    colour = brand.colour if HEX.fullmatch(brand.colour) else "#1d4ed8"
    accent = brand.accent_colour if HEX.fullmatch(brand.accent_colour) else colour
    picture = ""
    if brand.picture_version:
        address = f"{reverse('brand_picture', args=[brand.code])}?v={brand.picture_version}"
        picture = f'\n  --k-brand-picture: url("{address}");'
    return f""":root {{{picture}
  --k-brand: {colour};
  --k-on-brand: {text_on(colour)};
  --k-brand-accent: {accent};
  --k-accent: light-dark(oklch(from {colour} min(l, 0.52) c h), oklch(from {colour} max(l, 0.74) min(c, 0.14) h));
  --k-accent-strong: light-dark(oklch(from {colour} calc(min(l, 0.52) - 0.08) c h), oklch(from {colour} 0.82 min(c, 0.12) h));
  --k-accent-soft: light-dark(oklch(from {colour} 0.955 min(c, 0.025) h), oklch(from {colour} 0.3 min(c, 0.05) h));
  --k-on-accent: light-dark(#ffffff, oklch(from {colour} 0.2 min(c, 0.03) h));
  --k-brand-dark: oklch(from {colour} 0.24 min(c, 0.09) h);
  --k-brand-deep: linear-gradient(150deg, oklch(from {colour} 0.24 min(c, 0.09) h), oklch(from {colour} 0.4 min(c, 0.14) h));
}}
.k-hero {{
  background: linear-gradient(160deg, oklch(from {colour} 0.25 min(c, 0.09) h), oklch(from {colour} 0.4 min(c, 0.13) h));
}}
"""


@require_GET
@cache_control(public=True, max_age=31536000, immutable=True)
def brand_css(request: HttpRequest, code: str) -> HttpResponse:
    """Serve a brand's colours. The address changes with them, so browsers may keep it for good."""
    return HttpResponse(css_of(get_object_or_404(Brand, code=code)), content_type="text/css; charset=utf-8")


@require_GET
@cache_control(public=True, max_age=31536000, immutable=True)
def brand_logo(request: HttpRequest, code: str) -> HttpResponse:
    """Serve a brand's logo; its version is in the address that pages use."""
    return _drawn(BrandLook.objects.filter(brand__code=code).values_list("logo", flat=True).first())


@require_GET
@cache_control(public=True, max_age=31536000, immutable=True)
def brand_picture(request: HttpRequest, code: str) -> HttpResponse:
    """Serve a brand's picture."""
    return _drawn(BrandLook.objects.filter(brand__code=code).values_list("picture", flat=True).first())


def _drawn(content: bytes | memoryview | None) -> HttpResponse:
    if not content:
        raise Http404
    is_png = bytes(content[:8]) == PNG
    response = HttpResponse(bytes(content), content_type="image/png" if is_png else "image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@takes_files(files=2, file_bytes_max=FILE_BYTES_MAX)
@staff_page(MANAGES)
def brand_look(request: UserRequest, brand_id: int) -> HttpResponseBase:
    """Change a brand's colours, logo and picture."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    start = {"colour": brand.colour, "accent_colour": brand.accent_colour}
    form = BrandLookForm(request.POST or None, request.FILES or None, initial=start)

    def change() -> Brand:
        data = {name: form.cleaned_data[name] for name in ("colour", "accent_colour", "logo", "picture")}
        return change_look(brand_id=brand.pk, actor=request.user, **data)

    if run_action(request, change, _("Brand look saved."), form=form):
        return redirect("brand_look", brand_id=brand.pk)
    tabs = brand_tabs(request.user, brand)
    context = {"form": form, "dressed": brand, "limit": FILE_BYTES_MAX, "tabs": tabs}
    return render(request, "crm/pages/brand_look.html", context, status=422 if form.errors else 200)

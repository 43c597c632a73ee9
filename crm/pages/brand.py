"""A brand's colours as a stylesheet: the policy forbids style attributes, so each brand has a small CSS file of its own."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from crm.models import Brand

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
    return f""":root {{
  --k-brand: {colour};
  --k-on-brand: {text_on(colour)};
  --k-brand-accent: {accent};
  --k-accent: light-dark(oklch(from {colour} min(l, 0.52) c h), oklch(from {colour} max(l, 0.74) min(c, 0.14) h));
  --k-accent-strong: light-dark(oklch(from {colour} calc(min(l, 0.52) - 0.08) c h), oklch(from {colour} 0.82 min(c, 0.12) h));
  --k-accent-soft: light-dark(oklch(from {colour} 0.955 min(c, 0.025) h), oklch(from {colour} 0.3 min(c, 0.05) h));
  --k-on-accent: light-dark(#ffffff, oklch(from {colour} 0.2 min(c, 0.03) h));
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

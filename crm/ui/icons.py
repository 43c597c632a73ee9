"""Icons as they are drawn in pages."""

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

SPRITE = "vendor/lucide/sprite.svg"


@lru_cache(maxsize=1)
def _shapes() -> dict[str, str]:
    """Read the drawing of each icon in the sprite."""
    text = (Path(settings.BASE_DIR) / "static" / SPRITE).read_text(encoding="utf-8")
    found = re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', text, re.S)
    return {name: drawing.replace(" />", "/>").replace("> <", "><") for name, drawing in found}


@lru_cache(maxsize=1)
def icon_names() -> frozenset[str]:
    """List the icons in the sprite."""
    return frozenset(_shapes())


@lru_cache(maxsize=2048)
def draw_icon(name: str, css: str = "") -> SafeString:
    """Draw an icon in the page itself, which asks for no file and is not laid out again when one arrives."""
    drawing = SafeString(_shapes().get(name) or _shapes()["circle"])
    return format_html('<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', css, drawing)

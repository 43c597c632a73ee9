"""`|with_code`: what stands between backticks in the API's descriptions, set as code."""

from __future__ import annotations

import re
from typing import Final

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE: Final = re.compile(r"`([^`]{1,200})`")


@register.filter
def with_code(text: str) -> SafeString:
    """Escape a text, and set as code what stands between backticks."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", conditional_escape(text)))  # noqa: S308  escaped before

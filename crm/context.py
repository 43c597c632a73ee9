"""What every page's frame needs: menu, brand, theme."""

from typing import Any

from django.http import HttpRequest


def page_furniture(request: HttpRequest) -> dict[str, Any]:
    return {}

"""Pages of the portal that an address can name, so that who registers or signs in by it lands there: a partner's link to the shop.

The address names a code, never a path, so that nobody is led anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.accounts.adapters import AFTER_SIGN_IN
from ib.partner_pages.sharing import PAGE, SharedPage, register_page
from prop.queries import is_on_sale

# The dot keeps them apart from landing pages, whose names have none.
CHALLENGES: Final = "portal.challenges"
PAGES: Final[Mapping[str, str]] = {CHALLENGES: "portal_challenges"}
register_page(SharedPage(CHALLENGES, _("Challenges"), is_on_sale))


def named_in(request: HttpRequest) -> str:
    """Return the code of the page that a request's address names; empty for none that there is."""
    code = request.GET.get(PAGE, "")
    return code if code in PAGES else ""


def path_of(code: str) -> str:
    """Return where a page is; empty without one."""
    return reverse(PAGES[code]) if code in PAGES else ""


def remember(request: HttpRequest) -> str:
    """Keep the page that a request's address names until its visitor is signed in. Returns its code."""
    code = named_in(request)
    if code:
        request.session[AFTER_SIGN_IN] = path_of(code)
    return code

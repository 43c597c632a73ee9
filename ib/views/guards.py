"""Who may open a partner's own pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm.accounts import second_factor
from crm.models import User
from crm.security import policies
from crm.security.policies import YES, no
from ib.choices import PartnerRight
from ib.team.rights import remember_access

View = Callable[..., HttpResponseBase]
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def partner_page(right: PartnerRight, *, change: PartnerRight | None = None) -> Callable[[View], View]:
    """Guard a partner's page: strangers go to sign in, everyone but a partner's team gets 404. The view gets the partner.

    right: what a team member's role needs to open it; change: what it needs to send its form. Team members have to show
    their second factor first. Templates read the rights as `request.partner_access.can`.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return redirect_to_login(request.get_full_path())
            access = remember_access(user)
            if access is None:
                raise Http404
            if not access.is_founder and not second_factor.has_passed(request):
                return redirect(second_factor.address_to_show(user))
            request.partner_access = access  # type: ignore[attr-defined]
            needed = right if request.method in READING else change or right
            policies.require(
                YES if needed in access.rights else no(_("Your role in the team doesn't include this page."))
            )
            return view(request, access.partner, *args, **kwargs)

        return guarded

    return guard

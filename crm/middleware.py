"""What every request passes: who acts and from where, a second factor for staff, and errors a person can act on."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.access_log import session_mark
from crm.errors import DomainError, NotAllowed
from crm.request_context import RequestContext, acting_in

GetResponse = Callable[[HttpRequest], HttpResponse]


def client_ip(request: HttpRequest) -> str | None:
    """The caller's address. Behind a proxy, gunicorn's `forwarded_allow_ips` decides whom to believe."""
    return request.META.get("REMOTE_ADDR") or None


class RequestContextMiddleware:
    """Keeps actor, address and request id for audit and access rows; speaks the user's language and time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        context = RequestContext(
            user_id=user.pk if user.is_authenticated else None,
            ip=client_ip(request),
            request_id=str(getattr(request, "id", "") or request.headers.get("x-request-id", ""))[:40],
            session=session_mark(request.session.session_key),
        )
        zone = getattr(user, "time_zone", "") or "UTC"
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
        if user.is_authenticated and user.is_team and user.language:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        try:
            with acting_in(context):
                return self.get_response(request)
        finally:
            timezone.deactivate()


class StaffSecondFactorMiddleware:
    """Staff reach nothing but the set-up of a second factor until they have one."""

    OPEN_PREFIXES = ("/accounts/", "/static/", "/i18n/", "/health/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            user.is_authenticated
            and user.is_team
            and not request.path.startswith(self.OPEN_PREFIXES)
            and not self._has_factor(request)
        ):
            messages.warning(request, _("Set up a second factor first: staff can't work without one."))
            return redirect(reverse("mfa_index"))
        return self.get_response(request)

    @staticmethod
    def _has_factor(request: HttpRequest) -> bool:
        """Looked up until it is there, then remembered in the session for its owner."""
        if request.session.get("second_factor_of") == request.user.pk:
            return True
        from allauth.mfa.models import Authenticator

        held = Authenticator.objects.filter(
            user_id=request.user.pk, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exists()
        if held:
            request.session["second_factor_of"] = request.user.pk
        return held


class DomainErrorMiddleware:
    """A DomainError that no form caught becomes a page (or an HTMX fragment) with its message, not a 500."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        status = 403 if isinstance(exception, NotAllowed) else 409
        return render(request, "crm/refused.html", {"error": exception}, status=status)

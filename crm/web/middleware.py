"""What every request passes: who acts and from where, sessions that time out, a second factor for staff, errors in words."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from structlog.contextvars import get_contextvars

from crm.accounts import home_url, second_factor, sessions, sign_in_url
from crm.accounts.network import client_ip, is_uncounted_proxy, may_work_from
from crm.choices import UserKind
from crm.errors import DomainError, NotAllowed, NotFound
from crm.i18n import formats
from crm.i18n.languages import variant_of
from crm.models import User
from crm.security.access_log import session_mark
from crm.security.request_context import RequestContext, acting_in, answering
from crm.web.requests import list_of_origin

__all__ = ["client_ip"]

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
# Assets, the language switch, the health probe: no page of ours. The live stream checks its session itself.
NO_PAGES = ("/static/", "/i18n/", "/health/", "/live/")


class CountedProxiesMiddleware:
    """Refuses to serve behind a proxy that nobody counted: all people would share its address, and with it every limit."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REFUSE_UNCOUNTED_PROXIES and is_uncounted_proxy(request):
            text = (
                "A proxy in front passes on addresses (X-Forwarded-For), but KEELSON_TRUSTED_PROXIES is 0. "
                "Set it to the number of proxies in front and restart."
            )
            logger.error(text)
            return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class RequestContextMiddleware:
    """Keeps actor, address and request id for audit and access rows; speaks the user's language and time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        context = RequestContext(
            user_id=user.pk if user.is_authenticated else None,
            user_kind=user.kind if isinstance(user, User) else "",
            ip=client_ip(request),
            # the log's own: from the header, or made by it
            request_id=str(get_contextvars().get("request_id", ""))[:40],
            session=session_mark(request.session.session_key),
            device=sessions.device_of(agent) if (agent := request.headers.get("User-Agent", "")) else "",
        )
        zone = getattr(user, "time_zone", "") or "UTC"
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
        language = variant_of(user.language) if isinstance(user, User) else ""
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        try:
            with acting_in(context), answering(), formats.dates_as(formats.preferred_dates(user)):
                return self.get_response(request)
        finally:
            timezone.deactivate()


class SessionGuardMiddleware:
    """Ends sessions that lie idle or come from a network the brand does not allow; remembers when somebody worked.

    A request that a page makes by itself (header `X-Keelson-Background`) keeps no session alive. An HTMX request that
    must go and sign in, or confirm who it is, moves the whole page instead of filling a fragment with a form.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = self._check(request)
        if refused is not None:
            return self._for_htmx(request, refused)
        return self._for_htmx(request, self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """allauth would repeat the request after the confirmation; a fragment's request is repeated by its page."""
        if not isinstance(exception, ReauthenticationRequired) or not getattr(request, "htmx", False):
            return None
        page = urlsplit(request.htmx.current_url or "")  # type: ignore[attr-defined]
        back = page.path + (f"?{page.query}" if page.query else "")
        return HttpResponseClientRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back or '/'})}")

    def _check(self, request: HttpRequest) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, User) or request.path.startswith(NO_PAGES):
            return None
        if not may_work_from(user, client_ip(request)):
            logout(request)
            return render(request, "account/wrong_network.html", {"address": client_ip(request)}, status=403)
        if sessions.is_idle_too_long(request, user):
            back = request.get_full_path() if request.method == "GET" and not getattr(request, "htmx", False) else ""
            address = sign_in_url(user)
            second_factor.end_session_row(request)
            logout(request)
            messages.info(request, _("You were signed out after a period of inactivity."))
            return redirect(f"{address}?{urlencode({'next': back})}" if back else address)
        if not request.headers.get("x-keelson-background"):
            sessions.touch(request, user)
        return None

    @staticmethod
    def _for_htmx(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not getattr(request, "htmx", False) or response.status_code not in (301, 302):
            return response
        if urlsplit(response["Location"]).path.startswith(("/accounts/", "/b/")):
            return HttpResponseClientRedirect(response["Location"])
        return response


class KindSessionMiddleware(SessionMiddleware):
    """Django's. Where a session ended while its request was answered, the page is asked for again instead of a bare 400.

    A password change sent twice is such a case: the first one gives the session a new key, and the browser has it by now.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            if request.headers.get("HX-Request") == "true":
                return HttpResponseClientRedirect(urlsplit(request.headers.get("HX-Current-URL", "/")).path or "/")
            again = HttpResponse(status=303)
            again["Location"] = request.path  # a path of ours that was just asked for
            return again


class NoStoreMiddleware:
    """What a signed-in person sees stays in no cache: not in the browser's after they signed out, not in a proxy's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        who = request.user.is_authenticated  # before the view: signing out is an answer of theirs, too
        response = self.get_response(request)
        if (who or request.user.is_authenticated) and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response


class AudienceMiddleware:
    """Outside the client portal a client is a stranger, and a partner outside the partner pages."""

    ROOMS = {UserKind.CLIENT: ("/portal/", "/accounts/", "/b/"), UserKind.PARTNER: ("/partners/", "/accounts/", "/b/")}
    SHARED = ("/notifications/", "/help/", "/tour/", "/profile/", "/jobs/", "/brand/", "/language/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and not user.is_team and not request.path.startswith(NO_PAGES):
            if request.path == "/":
                return redirect(home_url(user))
            if not request.path.startswith(self.ROOMS[UserKind(user.kind)] + self.SHARED):
                request.user = AnonymousUser()
        return self.get_response(request)


class UploadRedirectMiddleware:
    """Answers an upload with the next address instead of a redirect.

    A browser follows a redirect of a background request on its own: the next page would be made, its messages shown to
    nobody, and then made again for the person. See static/js/upload.js.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.headers.get("X-Upload") and response.status_code in (301, 302, 303):
            response["X-Location"] = response["Location"]
            del response["Location"]
            response.status_code = 204
        return response


class StaffSecondFactorMiddleware:
    """Staff reach nothing until this session has shown their second factor.

    Without one they are led to set it up. With one, a session that did not show it (whatever road it came by) can only
    show it or leave: it can't change factors or passwords.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            not isinstance(user, User)
            or not user.is_team
            or request.path.startswith(NO_PAGES)
            or second_factor.has_passed(request)
        ):
            return self.get_response(request)
        has_one = second_factor.factors_of(user).exists()
        if request.path.startswith(self._open_paths(has_one)):
            return self.get_response(request)
        return redirect(second_factor.address_to_show(user))

    @staticmethod
    def _open_paths(has_one: bool) -> tuple[str, ...]:
        leave = reverse("account_logout")
        if has_one:
            return leave, reverse("mfa_reauthenticate"), reverse("mfa_reauthenticate_webauthn")
        return (
            leave,
            reverse("second_factor_setup"),
            reverse("account_reauthenticate"),
            reverse("mfa_activate_totp"),
            reverse("mfa_add_webauthn"),
        )


class DomainErrorMiddleware:
    """A DomainError that no form caught becomes a page (or an HTMX fragment) with its message, not a 500.

    A bulk action names the list it was started from: its refusal is shown there, where the selection still is.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        status = 403 if isinstance(exception, NotAllowed) else 404 if isinstance(exception, NotFound) else 409
        start = list_of_origin(request)
        if status == 409 and start:
            messages.error(request, exception.message)
            return redirect(start)
        return render(request, "crm/refused.html", {"error": exception}, status=status)

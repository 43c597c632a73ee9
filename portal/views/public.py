"""The doors of the client portal: registering, proving the e-mail, signing in, a forgotten password. Per brand."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import LoginView
from allauth.core import ratelimit
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from clients.choices import Gate
from clients.country_rules.gates import may
from clients.models import Client
from crm.accounts import attempts, demo_mode, home_url, link_requests, links, login_name, username_for
from crm.accounts.forms import ForgottenPasswordForm
from crm.accounts.views import password_by_link
from crm.choices import LinkKind
from crm.errors import DomainError, outcome_of
from crm.models import Brand, User
from crm.security.policies import YES
from crm.ui.actions import run_action
from leads import attribution, guard, invitations, places
from portal import consents, registration
from portal.brands import brand_of_host, brand_page
from portal.choices import ConsentKind
from portal.forms import BrandSignInForm, ConfirmPasswordForm, RegistrationForm
from portal.views import destinations

REGISTERING = "portal_registering"


# ── finding the brand ───────────────────────────────────────────────────────────────────────────────────────────────


def brands(request: HttpRequest) -> HttpResponse:
    """Lead to a brand when none is named: the host's, the only one, or a choice."""
    code = brand_of_host(request)
    rows = list(Brand.objects.filter(archived_at=None).order_by("name")[:50])
    if not code and len(rows) == 1:
        code = rows[0].code
    if code:
        return redirect("portal_brand", brand=code)
    return render(request, "portal/brands.html", {"brands": rows})


@brand_page
def brand_home(request: HttpRequest, brand: Brand) -> HttpResponse:
    if isinstance(request.user, User) and request.user.brand_id == brand.pk and not request.user.is_team:
        return redirect(home_url(request.user))
    return redirect("portal_login", brand=brand.code)


def register_anywhere(request: HttpRequest) -> HttpResponse:
    """Lead from `/portal/register/?invitation=…` to the brand of the invitation, else of this browser."""
    token = request.GET.get("invitation", "")
    code = ""
    if token:
        link = outcome_of(lambda: invitations.look_at(token), only=invitations.LinkUnusable)
        if not link:
            return redirect("registration_link", token=token)
        code = link.result.client.brand.code
    code = code or brand_of_host(request) or request.COOKIES.get("brand", "")
    if not Brand.objects.filter(code=code).exists():
        return redirect("portal_brands")
    query = request.GET.urlencode()
    return redirect(reverse("portal_register_at", kwargs={"brand": code}) + (f"?{query}" if query else ""))


# ── registering ─────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@sensitive_post_parameters("password")
@brand_page
def register(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Show and take the registration form. Sent again with the same address it answers as if it were new."""
    if isinstance(request.user, User) and not request.user.is_team:
        return redirect(destinations.path_of(destinations.named_in(request)) or home_url(request.user))
    if brand.archived_at is not None:
        return render(request, "portal/closed_brand.html", {"brand": brand}, status=410)
    destinations.remember(request)
    token = request.POST.get("invitation") or request.GET.get("invitation", "")
    invitation = None
    if token:
        link = outcome_of(lambda: invitations.look_at(token), only=invitations.LinkUnusable)
        if not link:
            return redirect("registration_link", token=token)
        invitation = link.result
        if invitation.client.brand_id != brand.pk:
            raise Http404
    origin = attribution.unpack(request.POST.get("origin", "")) or attribution.origin_of(request)
    form = RegistrationForm(
        request.POST or None,
        brand=brand,
        texts=consents.current_texts(brand, request.LANGUAGE_CODE),
        invited_email=invitation.client.email if invitation else "",
        initial=_known(request, invitation),
    )
    if request.method == "POST":
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
        if limited is not None:
            return limited
        if request.POST.get(guard.HONEYPOT):
            return redirect("portal_registered", brand=brand.code)
        if form.is_valid():
            answer = _register(request, brand, form, token, origin)
            if answer is not None:
                return answer
    context = {
        "form": form,
        "brand": brand,
        "invitation": token,
        "origin": attribution.pack(origin),
        "honeypot": guard.HONEYPOT,
    }
    response = render(request, "portal/register.html", context, status=422 if form.errors else 200)
    attribution.remember(response, origin, request)
    return response


def _known(request: HttpRequest, invitation: Any) -> dict[str, Any]:
    """Fill the form's start: what an invited lead entered before, else the country the browser hints at."""
    if invitation is None:
        return {"country": places.region_of(request.headers.get("Accept-Language", ""))}
    client = invitation.client
    return {
        "first_name": client.first_name,
        "last_name": client.last_name,
        "phone": client.phone,
        "country": client.country,
        "date_of_birth": client.date_of_birth,
        "consent_marketing": client.marketing_consent,
    }


def _register(
    request: HttpRequest, brand: Brand, form: RegistrationForm, token: str, origin: attribution.Origin
) -> HttpResponse | None:
    data = form.cleaned_data

    def create_login() -> registration.Registered:
        return registration.register(
            brand=brand,
            application=registration.Application(
                email=data["email"],
                password=data["password"],
                first_name=data["first_name"].strip(),
                last_name=data["last_name"].strip(),
                phone=data["phone"],
                country=data["country"],
                date_of_birth=data["date_of_birth"],
                language=request.LANGUAGE_CODE,
                time_zone=places.zone_of(data["country"]) or "",
                given=form.given(),
                refused=form.refused(),
                invitation=token,
                origin=origin,
                referral_code=data["referral_code"],
                user_agent=request.headers.get("User-Agent", ""),
                destination=destinations.named_in(request),
            ),
        )

    try:
        done = run_action(request, create_login, form=form, show_forbidden=True)
    except ValidationError as weak:
        form.add_error("password", weak)
        return None
    if not done:
        return None
    registered = done.result
    request.session["portal_registered_email"] = data["email"]
    if registered.user is None:
        return redirect("portal_registered", brand=brand.code)
    if registered.is_proven:
        return _sign_in(request, registered.user)
    request.session[REGISTERING] = registered.user.pk
    return redirect("portal_registered", brand=brand.code)


def _sign_in(request: HttpRequest, user: User) -> HttpResponse:
    """Through allauth's stages, so that a second factor is asked where there is one."""
    response: HttpResponse = perform_password_login(request, {"username": user.username}, Login(user=user))
    return response


@never_cache
@brand_page
def registered(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Ask the client to look into their e-mail: the same page for a new address and a known one."""
    email = request.session.get("portal_registered_email", "")
    return render(request, "portal/registered.html", {"brand": brand, "email": email})


@never_cache
@brand_page
def confirm_email(request: HttpRequest, brand: Brand, token: str) -> HttpResponse:
    """Prove an e-mail by its link. Opening it only asks; the button proves (programs that look into mails open links).

    Anybody may have registered with this address: in another browser than theirs the password is asked for, so that the
    owner of the address never opens an account to which somebody else knows the password.
    """
    link = outcome_of(lambda: links.peek(token, kind=LinkKind.VERIFY_EMAIL), only=links.LinkProblem)
    if not link:
        return _confirm_link_problem(request, brand, link.error)
    owner = link.result.user
    if owner.brand_id != brand.pk:
        raise Http404
    destinations.remember(request)  # the e-mail may be opened in another browser than the one that registered
    form = None
    if request.session.get(REGISTERING) != owner.pk:
        form = ConfirmPasswordForm(request.POST or None, user=owner)
    if request.method == "POST" and form is not None:
        try:
            attempt = attempts.begin(request, login=owner.username, step="confirm")
        except attempts.TooManyAttempts:
            too_many: HttpResponse = ratelimit.respond_429(request)
            return too_many
        if form.is_valid():
            attempt.take_back()
    if request.method != "POST" or (form is not None and not form.is_valid()):
        context = {"brand": brand, "person": owner, "form": form}
        return render(request, "portal/confirm_email.html", context, status=422 if request.method == "POST" else 200)
    confirmed = outcome_of(lambda: registration.confirm_email(token=token), only=links.LinkProblem)
    if not confirmed:
        return _confirm_link_problem(request, brand, confirmed.error)
    request.session.pop(REGISTERING, None)
    return _sign_in(request, confirmed.result)


def _confirm_link_problem(request: HttpRequest, brand: Brand, problem: DomainError) -> HttpResponse:
    """Explain why a confirmation link no longer works, with a way to ask for another."""
    context = {
        "problem": problem,
        "sign_in": reverse("portal_login", kwargs={"brand": brand.code}),
        "ask_again": reverse("portal_confirm_again", kwargs={"brand": brand.code}),
    }
    return render(request, "account/link_problem.html", context, status=410)


@never_cache
@brand_page
def confirm_again(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Ask for the confirmation link once more; the answer is the same whoever asks."""
    start = {"email": request.session.get("portal_registered_email", "")}
    form = ForgottenPasswordForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].strip().lower()
        username = username_for(brand=brand, email=email)
        key = f"confirm:{attempts.link_key(request, username)}"
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password", key=key)
        if limited is not None:
            return limited
        if attempts.may_send_link(request, login=f"confirm:{username}"):
            link_requests.ask_for_link(kind=LinkKind.VERIFY_EMAIL, username=username)
        request.session["portal_registered_email"] = email
        return redirect("portal_registered", brand=brand.code)
    return render(request, "portal/confirm_again.html", {"brand": brand, "form": form})


@brand_page
def legal(request: HttpRequest, brand: Brand, kind: str) -> HttpResponse:
    """Show the document behind a consent, in the reader's language, with its version."""
    texts = consents.current_texts(brand, request.LANGUAGE_CODE)
    text = texts.get(ConsentKind(kind)) if kind in ConsentKind.values else None
    if text is None or not text.body:
        raise Http404
    others = [(other.value, other.label) for other, wording in texts.items() if wording.body]
    context = {"brand": brand, "text": text, "kind": ConsentKind(kind), "others": others}
    return render(request, "portal/legal.html", context)


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


class BrandLoginView(LoginView):
    """Clients and partners of one brand: password, then their second factor where they have one."""

    template_name = "portal/login.html"

    def get_form_class(self) -> type[BrandSignInForm]:
        return BrandSignInForm

    def get_form_kwargs(self) -> dict[str, Any]:
        for_partners = self.kwargs.get("for_partners", False)
        return {**super().get_form_kwargs(), "brand": self.kwargs["brand"], "for_partners": for_partners}

    def get_authenticated_redirect_url(self) -> str:
        assert isinstance(self.request.user, User)
        return home_url(self.request.user)

    def form_valid(self, form: Any) -> HttpResponse:
        if not registration.has_proven_email(form.user):
            self.request.session["portal_registered_email"] = form.user.email
            self.request.session[REGISTERING] = form.user.pk
            return redirect("portal_confirm_again", brand=self.kwargs["brand"].code)
        # Their own session isn't opened at all; the guard of the portal's pages refuses those that are open already.
        client = Client.objects.select_related("brand").filter(user_id=form.user.pk).first()
        allowed = may(client, Gate.LOGIN) if client is not None else YES
        if not allowed:
            form.add_error(None, allowed.reason)
            refused: HttpResponse = self.form_invalid(form)
            return refused
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        brand = self.kwargs["brand"]
        return {
            **super().get_context_data(**kwargs),
            "brand": brand,
            "demo_logins": demo_mode.brand_logins(brand),
            "for_partners": self.kwargs.get("for_partners", False),
            "forgotten": reverse("portal_forgotten", kwargs={"brand": brand.code})
            + ("?for=partners" if self.kwargs.get("for_partners") else ""),
        }


_login = BrandLoginView.as_view()


@brand_page
def login(request: HttpRequest, brand: Brand) -> HttpResponse:
    response: HttpResponse = _login(request, brand=brand)
    return response


@brand_page
def partner_login(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Show the sign-in page under the partners' title."""
    response: HttpResponse = _login(request, brand=brand, for_partners=True)
    return response


# ── a forgotten password ────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@brand_page
def forgotten(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Ask for a reset link. The answer is the same whether the login exists or not."""
    for_partners = request.GET.get("for") == "partners"
    sign_in = reverse("portal_partner_login" if for_partners else "portal_login", kwargs={"brand": brand.code})
    form = ForgottenPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].strip().lower()
        username = login_name(brand=brand, email=email, for_partners=for_partners)
        key = attempts.link_key(request, username)
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password", key=key)
        if limited is not None:
            return limited
        if attempts.may_send_link(request, login=username):
            link_requests.ask_for_link(kind=LinkKind.PASSWORD_RESET, username=username)
        return render(request, "account/password_forgotten_done.html", {"sign_in": sign_in})
    return render(request, "account/password_forgotten.html", {"form": form, "sign_in": sign_in})


@never_cache
@sensitive_post_parameters("password1", "password2")
@brand_page
def choose_password(request: HttpRequest, brand: Brand, token: str) -> HttpResponse:
    """Set a new password by a reset link. Whoever opens it holds the mailbox: the e-mail is proven too."""
    answer = password_by_link(
        request,
        token,
        kind=LinkKind.PASSWORD_RESET,
        template="account/choose_password.html",
        ask_again=reverse("portal_forgotten", kwargs={"brand": brand.code}),
    )
    if isinstance(answer, HttpResponse):
        return answer
    if answer.is_client:
        registration.mark_proven(user=answer)
    messages.success(request, _("Password changed. Sign in with your new password."))
    return redirect("portal_partner_login" if answer.is_partner else "portal_login", brand=brand.code)

"""API tokens of a person, service accounts of a brand: lists, forms, and the one page that shows a new secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.api import service_accounts, tokens
from crm.api.scopes import label_of, scopes_of
from crm.choices import Role
from crm.models import ApiToken, Brand, User
from crm.security.compression import keep_plain, sent_plain
from crm.security.policies import has_permission
from crm.security.scope import reach_of
from crm.staff import people
from crm.staff.queries import grants_of, requests_visible_to, service_accounts_visible_to
from crm.ui.actions import run_action
from crm.ui.forms import ModelChoiceField
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, Table, YesNoColumn
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest


def may_have_tokens(user: User) -> bool:
    """Whether the page has anything for this person: tokens of their own, or of service accounts."""
    return user.has_perm(tokens.USES) or user.has_perm(tokens.MANAGES)


class TokenTable(Table):
    """A person's own tokens; those of service accounts for whoever sets these up."""

    name = "crm.api_tokens"
    title = gettext_lazy("API tokens")
    subtitle = gettext_lazy("Keys for programs that read and write here with your rights, or with a service account's.")
    permission = may_have_tokens
    columns: ClassVar[Sequence[Column]] = (
        Column("name", gettext_lazy("Name"), sort=True, link=True),
        BadgeColumn("state", gettext_lazy("State")),
        Column("user", gettext_lazy("For"), value=lambda row: row.user),
        Column("hint", gettext_lazy("Begins with"), value=lambda row: f"{row.hint}…", css="mono"),
        Column("scopes", gettext_lazy("Scopes"), value=lambda row: ", ".join(row.scopes), css="clip"),
        AgoColumn("last_used_at", gettext_lazy("Last used")),
        AgoColumn("expires_at", gettext_lazy("Expires")),
        AgoColumn("created_at", gettext_lazy("Created"), hidden=True),
    )
    is_searchable = False
    empty = Empty(
        gettext_lazy("No API tokens yet"),
        gettext_lazy("A token lets a program read and write with your rights, within the scopes you choose."),
        icon="key-round",
    )

    def queryset(self) -> QuerySet[ApiToken]:
        return tokens.tokens_visible_to(self.user)

    def row_class(self, row: Any) -> str:
        return "faint" if row.revoked_at or row.expires_at <= timezone.now() else ""


class TokenList(TableView):
    template_name = "crm/api/tokens.html"
    table = TokenTable


class AccountTable(Table):
    """Service accounts of the brands that a person reaches."""

    name = "crm.service_accounts"
    title = gettext_lazy("Service accounts")
    subtitle = gettext_lazy(
        "Logins of programs: each has a brand and a role, signs in nowhere, and acts through its tokens."
    )
    permission = tokens.MANAGES
    columns: ClassVar[Sequence[Column]] = (
        Column("first_name", gettext_lazy("Name"), sort=True, link=True),
        Column("brand", gettext_lazy("Brand")),
        Column("client_id", gettext_lazy("Client ID"), value=lambda row: str(row.pk), css="mono"),
        YesNoColumn("is_active", gettext_lazy("Active")),
        Column("tokens", gettext_lazy("Active tokens"), value=lambda row: row.active_tokens),
        AgoColumn("date_joined", gettext_lazy("Created")),
    )
    row_url_name = "service_account"
    is_searchable = False
    empty = Empty(
        gettext_lazy("No service accounts yet"),
        gettext_lazy("Create one for each program that calls the API, so that its rights and its traces are its own."),
        icon="key-round",
    )

    def queryset(self) -> QuerySet[User]:
        active = Count("api_tokens", filter=Q(api_tokens__revoked_at=None, api_tokens__expires_at__gt=timezone.now()))
        return service_accounts_visible_to(self.user).select_related("brand").annotate(active_tokens=active)


class AccountList(TableView):
    template_name = "crm/api/service_accounts.html"
    table = AccountTable


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, help_text=gettext_lazy("What uses it, e.g. “Nightly export”.")
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "A scope never gives more than the rights of its user. Those marked * need a second person."
        ),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"), min_value=1, max_value=tokens.DAYS_MAX, initial=90
    )
    networks = forms.CharField(
        label=gettext_lazy("Allowed addresses"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("IP addresses or networks, separated by commas. Empty: any address."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For scopes marked *: why this token needs them."),
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        choices: Any = self.fields["scopes"]
        choices.choices = [
            (scope.code, f"{scope.label} ({scope.code}){' *' if scope.powerful else ''}")
            for scope in scopes_of(is_partner=False)
        ]

    def details(self) -> tokens.TokenDetails:
        """Give what was chosen."""
        values = self.cleaned_data
        networks = [part.strip() for part in values["networks"].split(",") if part.strip()]
        return tokens.TokenDetails(values["name"], values["scopes"], values["days"], networks, values["reason"])


class AccountForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, help_text=gettext_lazy("The program, e.g. “Dialler”.")
    )
    brand = ModelChoiceField(Brand.objects.none(), label=gettext_lazy("Brand"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)

    def __init__(self, data: Any, *, actor: User) -> None:
        super().__init__(data)
        brand: Any = self.fields["brand"]
        brand.queryset = Brand.objects.filter(pk__in=reach_of(actor).whole_brands, archived_at=None).order_by("name")


@staff_page(may_have_tokens)
@sent_plain
def token_new(request: UserRequest) -> HttpResponse:
    """Create a token for oneself, or for the service account in `?account=`; the answer shows its secret once."""
    user = _user_for(request)
    form = TokenForm(request.POST or None)
    done = run_action(
        request,
        lambda: tokens.create_token(user_id=user.pk, actor=request.user, details=form.details()),
        _("Token created."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return _token_page(request, done.result[0], secret=done.result[1])
    context = {"form": form, "for_user": user if user.is_service else None}
    return render(request, "crm/api/token_new.html", context, status=422 if form.errors else 200)


@staff_page(may_have_tokens)
def token(request: UserRequest, pk: int) -> HttpResponse:
    """Show a token: what it may do, when it was used, what awaits approval."""
    return _token_page(request, _token(request, pk))


@staff_page(may_have_tokens)
@require_POST
@sent_plain
def token_rotate(request: UserRequest, pk: int) -> HttpResponse:
    """Replace a token; the answer shows the new secret once."""
    _token(request, pk)
    done = run_action(
        request,
        lambda: tokens.rotate_token(token_id=pk, actor=request.user),
        _("Token rotated. The old one works for another 24 hours at most."),
        show_forbidden=True,
    )
    return _token_page(request, done.result[0], secret=done.result[1]) if done else redirect("api_token", pk=pk)


@staff_page(may_have_tokens)
@require_POST
def token_revoke(request: UserRequest, pk: int) -> HttpResponse:
    """End a token immediately."""
    _token(request, pk)
    run_action(
        request, lambda: tokens.revoke_token(token_id=pk, actor=request.user), _("Token revoked."), show_forbidden=True
    )
    return redirect("api_token", pk=pk)


@staff_page(tokens.MANAGES)
def account_new(request: UserRequest) -> HttpResponse:
    """Create a service account; a second administrator approves its role and its access."""
    form = AccountForm(request.POST or None, actor=request.user)

    def create() -> User:
        values = form.cleaned_data
        return service_accounts.create_service_account(
            brand=values["brand"],
            name=values["name"],
            role=Role(values["role"]),
            reason=values["reason"],
            actor=request.user,
        )

    done = run_action(
        request,
        create,
        _("Service account created. A second administrator approves its role and access."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("service_account", pk=done.result.pk)
    return render(request, "crm/api/service_account_new.html", {"form": form}, status=422 if form.errors else 200)


@staff_page(tokens.MANAGES)
def account(request: UserRequest, pk: int) -> HttpResponse:
    """Show a service account: role and access, what awaits approval, its tokens."""
    user = get_object_or_404(service_accounts_visible_to(request.user).select_related("brand"), pk=pk)
    roles = [Role(name).label for name in user.groups.values_list("name", flat=True)]
    context = {
        "account": user,
        "roles": roles,
        "reach": grants_of(user),
        "requests": requests_visible_to(request.user).filter(user=user)[:20],
        "tokens": tokens.tokens_visible_to(request.user).filter(user=user)[: tokens.PER_USER_MAX],
        "may_switch": has_permission(request.user, "crm.manage_staff"),
    }
    return render(request, "crm/api/service_account.html", context)


@staff_page(tokens.MANAGES)
@require_POST
def account_switch(request: UserRequest, pk: int) -> HttpResponse:
    """Switch a service account off or on again; off, its tokens open nothing."""
    user = get_object_or_404(service_accounts_visible_to(request.user), pk=pk)
    verb = people.switch_off if user.is_active else people.switch_on
    run_action(
        request,
        lambda: verb(user_id=pk, actor=request.user, reason=request.POST.get("reason", "")[:300]),
        _("Account deactivated.") if user.is_active else _("Account activated."),
        show_forbidden=True,
    )
    return redirect("service_account", pk=pk)


def _user_for(request: UserRequest) -> User:
    wanted = request.GET.get("account", "")
    if not wanted:
        return request.user
    if not wanted.isdecimal() or not wanted.isascii() or not request.user.has_perm(tokens.MANAGES):
        raise Http404
    return get_object_or_404(service_accounts_visible_to(request.user), pk=wanted)


def _token(request: UserRequest, pk: int) -> ApiToken:
    return get_object_or_404(tokens.tokens_visible_to(request.user), pk=pk)


def _token_page(request: UserRequest, row: ApiToken, secret: str = "") -> HttpResponse:
    context = {
        "token": row,
        "secret": secret,
        "scopes": [(code, label_of(code)) for code in row.scopes],
        "requests": [
            (request_row, [label_of(code) for code in request_row.scopes])
            for request_row in row.scope_requests.select_related("requested_by", "decided_by")[:20]
        ],
        "may_change": bool(tokens.can_have_tokens(request.user, row.user)),
        "successor": ApiToken.objects.filter(replaces=row).first(),
    }
    response = render(request, "crm/api/token.html", context)
    return keep_plain(response) if secret else response  # type: ignore[return-value]

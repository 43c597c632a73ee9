"""Pages of staff management, for administrators."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_filters import ChoiceFilter, FilterSet

from crm.accounts import second_factor
from crm.accounts.guards import confirmed
from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState, GrantKind, LinkKind, Role
from crm.db import history
from crm.models import AccessLink, AuditEvent, Book, Brand, Desk, GrantRequest, User
from crm.money.numbers import is_whole
from crm.pages.staff_dates_form import DatesForm
from crm.staff import employment, grants, people, policies, queries
from crm.staff.forms import GrantForm, InviteForm, ParticularsForm
from crm.ui import panels
from crm.ui.actions import run_action
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, Table, YesNoColumn
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest

MANAGE = "crm.manage_staff"
EVENTS_SHOWN = 30


class StaffFilter(FilterSet):
    role = ChoiceFilter(label=gettext_lazy("Role"), choices=Role.choices, field_name="groups__name")
    state = ChoiceFilter(
        label=gettext_lazy("State"),
        method="by_state",
        choices=[
            ("on", gettext_lazy("Active")),
            ("off", gettext_lazy("Deactivated")),
            ("invited", gettext_lazy("Invited")),
            ("leaving", gettext_lazy("Leaving or left, not offboarded")),
        ],
    )

    factor = ChoiceFilter(
        label=gettext_lazy("Second factor"),
        method="by_factor",
        choices=[("yes", gettext_lazy("Set up")), ("no", gettext_lazy("Missing"))],
    )

    class Meta:
        model = User
        fields: list[str] = []

    def by_factor(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return rows.filter(has_factor=value == "yes")  # type: ignore[misc] # annotated by the table

    def by_state(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        if value == "invited":
            return rows.filter(is_active=True, password__startswith="!")  # noqa: S106 — Django's mark of "none chosen"
        if value == "leaving":
            return rows.filter(employment__leaves_on__isnull=False, employment__offboarded_at__isnull=True)
        return rows.filter(is_active=value == "on")


class StaffTable(Table):
    name = "staff"
    title = gettext_lazy("Staff")
    subtitle = gettext_lazy("Staff of the brands you have access to: roles, access, second factor and status.")
    permission = MANAGE
    columns = [
        PersonColumn("last_name", gettext_lazy("Name"), value=str, sort=True, link=True),
        Column("email", gettext_lazy("E-mail"), sort=True),
        Column("role_names", gettext_lazy("Roles"), value=lambda row: role_labels(row.role_names)),
        Column("brand", gettext_lazy("Brand"), value="brand.name"),
        Column("desk", gettext_lazy("Desk"), value="desk.name"),
        YesNoColumn("has_factor", gettext_lazy("Second factor")),
        Column("state", gettext_lazy("State"), value=lambda row: state_of(row)),
        AgoColumn("last_login", gettext_lazy("Last sign-in"), sort=True),
    ]
    filterset = StaffFilter
    search_fields = ["first_name", "last_name", "email"]
    search_hint = gettext_lazy("Name or e-mail")
    default_order = "last_name"
    row_url_name = "staff_member"
    empty = Empty(
        gettext_lazy("No staff yet"),
        gettext_lazy("Invite your first colleague."),
        "users",
        gettext_lazy("Invite colleague"),
        "staff_invite",
    )

    def queryset(self) -> QuerySet[User]:
        return (
            queries.staff_visible_to(self.user)
            .select_related("brand", "desk")
            .annotate(
                role_names=ArraySubquery(
                    User.groups.through.objects.filter(user_id=OuterRef("pk"))
                    .order_by("group__name")
                    .values("group__name")
                ),
                has_factor=Exists(Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=["totp", "webauthn"])),
            )
        )

    def row_class(self, row: User) -> str:
        return "" if row.is_active else "faint"


def role_labels(names: list[str]) -> str:
    """Write role names as their labels; a group that isn't a role keeps its own name."""
    known = dict(Role.choices)
    return ", ".join(str(known.get(name, name)) for name in names)


def state_of(user: User) -> str:
    """Return a login's state in words: on, off, or invited while no password is chosen."""
    if not user.is_active:
        return _("Deactivated")
    return _("Active") if user.has_usable_password() else _("Invited")


class StaffList(TableView):
    table = StaffTable
    template_name = "crm/staff/list.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"open_requests": queries.requests_visible_to(table.user).filter(state=ApprovalState.PENDING)[:20]}


@staff_page(MANAGE)
def invite(request: HttpRequest) -> HttpResponse:
    """Create a login, send the invitation, and ask for the roles and the reach."""
    actor = _me(request)
    form = InviteForm(request.POST or None, actor=actor, initial={"is_accepting_leads": True})
    done = run_action(
        request,
        lambda: _invite(actor, dict(form.cleaned_data)),
        lambda user: _("Invitation sent to %(email)s.") % {"email": user.email},
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("staff_member", pk=done.result.pk)
    return render(request, "crm/staff/invite.html", {"form": form})


def _invite(actor: User, data: dict[str, Any]) -> User:
    roles, reach, reason = data.pop("roles"), data.pop("reach"), data.pop("reason")
    user = people.invite_staff(actor=actor, **data)
    requested: list[Any] = [Role(role) for role in roles]
    if reach:
        requested.append(user.brand if reach == "brand" else user.desk)
    for what in requested:
        grants.request_grant(actor=actor, user=user, what=what, reason=reason)
    return user


@staff_page(MANAGE)
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change one member of staff: details, roles, reach, requests, sign-in, versions and events."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    form = ParticularsForm(request.POST or None, actor=actor, initial=_details_of(user))
    if run_action(
        request,
        lambda: people.change_staff(user_id=user.pk, actor=actor, **form.cleaned_data),
        _("Saved."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("staff_member", pk=pk)
    context = _member_context(actor, user, form)
    return render(
        request, "crm/staff/member.html", {**context, "cards": panels.cards_html(_signed_in(request), "staff", user)}
    )


def _details_of(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in people.CHANGEABLE}


def _member_context(actor: User, user: User, form: ParticularsForm) -> dict[str, Any]:
    link = AccessLink.objects.filter(user=user, kind=LinkKind.INVITATION).first()
    about = Q(target_type="crm.user", target_id=str(user.pk))
    return {
        "person": user,
        "form": form,
        "grant_form": GrantForm(actor=actor, user=user),
        "state": state_of(user),
        "roles": [Role(name) for name in user.groups.values_list("name", flat=True) if name in Role.values],
        "reach": queries.grants_of(user),
        "own_books": list(Book.objects.filter(owner=user).select_related("desk")[:20]),
        "requests": list(queries.requests_visible_to(actor).filter(user=user)[:20]),
        "invitation": link if link and not link.used_at else None,
        "factors": list(second_factor.factors_of(user)),
        "may_touch_login": policies.can_manage_other(actor, user),
        "versions": history.versions_of(user, limit=20),
        "events": list(AuditEvent.objects.filter(about).order_by("-id")[:EVENTS_SHOWN]),
        "is_me": actor.pk == user.pk,
        "dates": employment.dates_of(user.pk),
    }


@staff_page(MANAGE)
def dates(request: HttpRequest, pk: int) -> HttpResponse:
    """Set when a person joined, changed role, gave notice and leaves."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    form = DatesForm(request.POST or None, initial=asdict(employment.dates_of(user.pk)))

    def save() -> object:
        given = dict(form.cleaned_data)
        reason = given.pop("reason")
        return employment.set_dates(user_id=user.pk, actor=actor, dates=employment.StaffDates(**given), reason=reason)

    if run_action(request, save, _("Saved."), form=form, show_forbidden=True):
        return redirect("staff_member", pk=pk)
    return render(request, "crm/staff/dates.html", {"person": user, "form": form})


def _me(request: HttpRequest) -> User:
    return _signed_in(request).user


def _signed_in(request: HttpRequest) -> UserRequest:
    assert isinstance(request.user, User)
    return cast("UserRequest", request)


def _act(request: HttpRequest, pk: int, done: str, action: Any) -> HttpResponse:
    """Run one verb on a member and go back to their page; a refusal is shown there."""
    run_action(request, action, done, show_forbidden=True)
    return redirect("staff_member", pk=pk)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:300]


@staff_page(MANAGE)
@require_POST
def ask_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a role or reach for a member of staff; a refusal is shown in the form that keeps what was typed."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    form = GrantForm(request.POST, actor=actor, user=user)
    done = run_action(
        request,
        lambda: grants.request_grant(actor=actor, user=user, what=form.thing(), reason=form.cleaned_data["reason"]),
        _("Request sent. Another administrator must approve it."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("staff_member", pk=pk)
    context = _member_context(actor, user, ParticularsForm(actor=actor, initial=_details_of(user)))
    return render(request, "crm/staff/member.html", {**context, "grant_form": form}, status=422)


@staff_page(MANAGE)
@require_POST
def take(request: HttpRequest, pk: int, kind: str, key: str) -> HttpResponse:
    """Take a role or a reach away."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    if kind == GrantKind.ROLE:
        if key not in Role.values:
            raise Http404
        return _act(
            request,
            pk,
            _("Role removed."),
            lambda: grants.take_role(user=user, role=Role(key), actor=actor, reason=_reason(request)),
        )
    models: dict[str, type[Brand] | type[Desk] | type[Book]] = {"brand": Brand, "desk": Desk, "book": Book}
    if kind not in models or not is_whole(key):
        raise Http404
    thing = cast("Brand | Desk | Book", get_object_or_404(models[kind], pk=int(key)))
    return _act(
        request,
        pk,
        _("Access removed."),
        lambda: grants.take_reach(user=user, thing=thing, actor=actor, reason=_reason(request)),
    )


@staff_page(MANAGE)
@confirmed
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a login off, or on again."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    verb = people.switch_off if user.is_active else people.switch_on
    done = _("Account deactivated. Active sessions were ended.") if user.is_active else _("Account activated.")
    return _act(request, pk, done, lambda: verb(user_id=pk, actor=actor, reason=_reason(request)))


@staff_page(MANAGE)
@confirmed
@require_POST
def reset_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a person's second factors, so that they set up a new one at the next sign-in."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    return _act(
        request,
        pk,
        _("Second factor reset. A new one is set up at the next sign-in."),
        lambda: people.reset_second_factor(user=user, actor=actor, reason=_reason(request)),
    )


@staff_page(MANAGE)
@require_POST
def end_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """End all sessions of a person."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    return _act(request, pk, _("All sessions ended."), lambda: people.end_all_sessions(user=user, actor=actor))


@staff_page(MANAGE)
@require_POST
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a new invitation link."""
    actor = _me(request)
    user = queries.get_staff(actor, pk)
    return _act(request, pk, _("Invitation resent."), lambda: people.invite_again(user=user, actor=actor))


class GrantRequestTable(Table):
    name = "grant_requests"
    title = gettext_lazy("Access requests")
    subtitle = gettext_lazy("Roles and access that one administrator requested and another decides on.")
    permission = MANAGE
    columns = [
        Column("user", gettext_lazy("For"), link=True),
        Column("what", gettext_lazy("Role or access")),
        Column("reason", gettext_lazy("Reason"), css="muted"),
        Column("requested_by", gettext_lazy("Requested by")),
        AgoColumn("requested_at", gettext_lazy("Requested")),
        BadgeColumn("state", gettext_lazy("State")),
        Column("decided_by", gettext_lazy("Decided by")),
    ]
    row_url_name = "staff_grant"
    empty = Empty(
        gettext_lazy("No requests yet"),
        gettext_lazy("Request a role or access on a staff member's page."),
        "shield-check",
    )

    def queryset(self) -> QuerySet[GrantRequest]:
        return queries.requests_visible_to(self.user)


@staff_page(MANAGE)
def grant_request(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one request, with what prevents its approval."""
    actor = _me(request)
    row = _visible_request(actor, pk)
    return render(
        request, "crm/staff/grant.html", {"row": row, "proposal": proposal_of(row, actor), "rights": _rights_of(row)}
    )


def _visible_request(actor: User, pk: int) -> GrantRequest:
    row = queries.requests_visible_to(actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _rights_of(row: GrantRequest) -> list[str]:
    """List what the role may do, in words, for the second approver."""
    from django.contrib.auth.models import Permission

    if row.kind != GrantKind.ROLE:
        return []
    return list(Permission.objects.filter(group__name=row.role).order_by("name").values_list("name", flat=True))


TRACKED: dict[str, type[Brand] | type[Desk] | type[Book]] = {"brand": Brand, "desk": Desk, "book": Book}


@staff_page(lambda user: user.has_perm(MANAGE) or user.has_perm("crm.view_audit"))
def versions(request: HttpRequest, model: str, pk: int) -> HttpResponse:
    """Show the field-level versions of a brand, desk or book that the reader reaches."""
    from crm.security.scope import reach_of

    actor = _me(request)
    reach = reach_of(actor)
    reached = {"brand": reach.brands, "desk": reach.desks, "book": reach.books}.get(model, frozenset())
    if pk not in reached:
        raise Http404
    record = TRACKED[model].objects.get(pk=pk)
    return render(
        request, "crm/staff/versions.html", {"record": record, "kind": model, "versions": history.versions_of(record)}
    )

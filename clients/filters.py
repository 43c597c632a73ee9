"""Filters of client lists, kept in the address."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import django_filters
from django import forms
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating, Stage
from clients.countries import lazy_choices
from clients.custom_fields.registry import SeenVocabulary
from clients.facts import with_facts
from clients.languages import spoken
from clients.models import Client, Segment, SegmentMember
from clients.segments.policies import segments_visible_to
from crm.models import Book, Brand, Desk, User
from crm.security.scope import reach_of
from crm.ui.filters import ConditionFilter, WhenFilter
from crm.ui.forms import DayInput

DOCUMENTS = [("waiting", _("Waiting for review")), ("rejected", _("Rejected, not verified"))]


def documents_in(what: str) -> Q:
    """Select clients with a document that waits for review, or unverified ones with a rejected document."""
    if what == "waiting":
        return Q(pk__in=Client.objects.filter(documents__state="pending_review").order_by().values("pk"))
    return Q(pk__in=Client.objects.filter(documents__state="rejected").order_by().values("pk"), kyc_level=0)


class HasUser(Protocol):
    """A request or a table: who asks."""

    user: User


ONE_DAY = dt.timedelta(days=1)
YES_NO = [("1", _("Yes")), ("0", _("No"))]
COLUMNS = {"created": "created_at", "registered": "registered_at", "paid_in": "first_deposit_at"}


def owners_in_reach(request: HasUser | None) -> QuerySet[User]:
    """Offer the agents whose books the user reaches."""
    books = (
        Book.objects.filter(pk__in=reach_of(request.user).books, owner__isnull=False)
        if request
        else Book.objects.none()
    )
    return User.objects.filter(pk__in=books.values("owner_id")).order_by("first_name", "last_name", "pk")


AGENTS = """SELECT id, first_name, last_name, email, username FROM crm_user
WHERE id IN (SELECT owner_id FROM crm_book WHERE id = ANY(%s)) ORDER BY first_name, last_name, id"""


def agents_in_reach(user: User) -> list[tuple[int, str]]:
    """List the same people as (id, name) in a fifth of the time: every list of leads asks for them."""
    with connection.cursor() as cursor:
        cursor.execute(AGENTS, [sorted(reach_of(user).books)])
        return [
            (pk, f"{first} {last}".strip() or email or username)
            for pk, first, last, email, username in cursor.fetchall()
        ]


def start_of(day: dt.date) -> dt.datetime:
    """Return when the day began in the reader's time zone."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def books_in_reach(request: HasUser | None) -> QuerySet[Book]:
    """Offer the books that the user reaches; none for a filter that is built without a request."""
    return Book.objects.filter(pk__in=reach_of(request.user).books) if request else Book.objects.none()


def desks_in_reach(request: HasUser | None) -> QuerySet[Desk]:
    """Offer the desks that the user reaches; none for a filter that is built without a request."""
    return Desk.objects.filter(pk__in=reach_of(request.user).desks) if request else Desk.objects.none()


def segments_in_reach(request: HasUser | None) -> QuerySet[Segment]:
    """Offer the open segments of the brands that the user reaches; none for a filter that is built without a request."""
    return segments_visible_to(request.user).filter(archived_at=None) if request else Segment.objects.none()


def brands_in_reach(request: HasUser | None) -> QuerySet[Brand]:
    """Offer the brands that the user reaches; none for a filter that is built without a request."""
    return Brand.objects.filter(pk__in=reach_of(request.user).brands) if request else Brand.objects.none()


class SpokenField(forms.CharField):
    """The beginning of a language's code, as a list of the languages in use that begin so: `pt` finds `pt-br`."""

    def clean(self, value: Any) -> list[str]:
        text = str(super().clean(value)).lower()
        return [code for code in spoken() if code.lower().startswith(text)] or [text] if text else []


class LanguageFilter(django_filters.CharFilter):
    """Whole codes, so that one language is a range of the index on them."""

    field_class = SpokenField

    def filter(self, qs: QuerySet[Client], value: list[str]) -> QuerySet[Client]:
        return qs.filter(language__in=value) if value else qs


class PeopleFilter(django_filters.FilterSet):
    """What lists of leads and of clients share."""

    country = django_filters.ChoiceFilter(label=_("Country"), choices=lazy_choices())
    language = LanguageFilter(label=_("Language"))
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=owners_in_reach)
    desk = django_filters.ModelChoiceFilter(label=_("Desk"), queryset=desks_in_reach, field_name="book__desk")
    book = django_filters.ModelChoiceFilter(label=_("Book"), queryset=books_in_reach)
    brand = django_filters.ModelChoiceFilter(label=_("Brand"), queryset=brands_in_reach)
    score_from = django_filters.NumberFilter(label=_("Score from"), field_name="score", lookup_expr="gte")
    not_contacted_since = django_filters.DateFilter(
        label=_("No contact since"), method="filter_not_contacted", widget=DayInput()
    )

    created_from = django_filters.DateFilter(label=_("Received from"), method="filter_from", widget=DayInput())
    created_to = django_filters.DateFilter(label=_("Received until"), method="filter_to", widget=DayInput())
    received = WhenFilter(field_name="created_at", label=_("Received"))
    campaign = django_filters.CharFilter(label=_("Campaign"))
    source = django_filters.CharFilter(label=_("Source"))
    segment = django_filters.ModelChoiceFilter(label=_("Segment"), queryset=segments_in_reach, method="filter_segment")
    conditions = ConditionFilter(label=_("Conditions"), vocabulary=SeenVocabulary)
    is_contacted = django_filters.ChoiceFilter(label=_("Contacted"), choices=YES_NO, method="filter_contacted")

    class Meta:
        model = Client
        fields: list[str] = []

    def filter_from(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        """From the beginning of that day on, for the reader; the field is named `<what>_from` after its column."""
        return rows.filter(**{f"{COLUMNS[name.removesuffix('_from')]}__gte": start_of(value)})

    def filter_to(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        """Until the end of that day, for the reader."""
        return rows.filter(**{f"{COLUMNS[name.removesuffix('_to')]}__lt": start_of(value + ONE_DAY)})

    def filter_segment(self, rows: QuerySet[Client], name: str, value: Segment) -> QuerySet[Client]:
        return rows.filter(pk__in=SegmentMember.objects.filter(segment=value, left_at=None).values("client_id"))

    def filter_contacted(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(last_contact_at__isnull=value == "0")

    def filter_not_contacted(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        """Before that day began for the reader, or never: a range of the index on the time, which a cast to a date is not."""
        return rows.filter(Q(last_contact_at__lt=start_of(value)) | Q(last_contact_at=None))


def narrowed_by_contact(rows: QuerySet[Client], order: str, filters: django_filters.FilterSet) -> QuerySet[Client]:
    """Begin a list by last contact at the day of its filter `not_contacted_since`; for rows that have a last contact."""
    day = filters.form.cleaned_data.get("not_contacted_since") if order == "last_contact_at" else None
    return rows.filter(last_contact_at__lt=start_of(day)) if day else rows


class ClientFilter(PeopleFilter):
    # `distinct` would sort every matching row before the first is shown; a column of the client's own repeats nobody.
    stage = django_filters.MultipleChoiceFilter(label=_("Stage"), choices=Stage.choices, distinct=False)
    kyc_level = django_filters.NumberFilter(label=_("KYC level"))
    risk_rating = django_filters.ChoiceFilter(label=_("Risk"), choices=RiskRating.choices)
    has_paid_in = django_filters.ChoiceFilter(label=_("FTD"), choices=YES_NO, method="filter_paid_in")
    is_restricted = django_filters.ChoiceFilter(label=_("Restricted"), choices=YES_NO, method="filter_restricted")
    no_trade_since = django_filters.DateFilter(label=_("No trade since"), method="filter_no_trade", widget=DayInput())

    registered_from = django_filters.DateFilter(label=_("Registered from"), method="filter_from", widget=DayInput())
    registered_to = django_filters.DateFilter(label=_("Registered until"), method="filter_to", widget=DayInput())
    paid_in_from = django_filters.DateFilter(label=_("FTD from"), method="filter_from", widget=DayInput())
    paid_in_to = django_filters.DateFilter(label=_("FTD until"), method="filter_to", widget=DayInput())
    deposited_from = django_filters.DateFilter(label=_("Deposit from"), method="filter_deposited", widget=DayInput())
    deposited_to = django_filters.DateFilter(label=_("Deposit until"), method="filter_deposited", widget=DayInput())
    has_traded = django_filters.ChoiceFilter(label=_("Traded"), choices=YES_NO, method="filter_traded")
    is_registered = django_filters.ChoiceFilter(label=_("Registered"), choices=YES_NO, method="filter_registered")
    is_verified = django_filters.ChoiceFilter(label=_("Verified"), choices=YES_NO, method="filter_verified")
    equity_from = django_filters.NumberFilter(label=_("Equity from"), method="filter_equity")
    documents = django_filters.ChoiceFilter(label=_("Documents"), choices=DOCUMENTS, method="filter_documents")

    field_order = ("stage", "country", "owner")

    def filter_equity(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        return with_facts(rows, "equity").filter(equity__gte=value)

    def filter_registered(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(registered_at__isnull=value == "0")

    def filter_verified(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(kyc_level=0) if value == "0" else rows.filter(kyc_level__gte=1)

    def filter_documents(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(documents_in(value))

    def filter_deposited(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        """Keep clients of whom a deposit was credited from that day on, or until the end of it; with both, between them."""
        first, last = (self.form.cleaned_data.get(f"deposited_{end}") for end in ("from", "to"))
        if first and last and name == "deposited_to":
            return rows
        bounds = {"gte": start_of(first) if first else None, "lt": start_of(last + ONE_DAY) if last else None}
        found = {f"deposits__settled_at__{end}": at for end, at in bounds.items() if at}
        return rows.filter(pk__in=Client.objects.filter(**found).order_by().values("pk"))

    def filter_traded(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(last_trade_at__isnull=value == "0")

    def filter_paid_in(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(first_deposit_at__isnull=value == "0")

    def filter_restricted(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return rows.filter(restrictions=[]) if value == "0" else rows.exclude(restrictions=[])

    def filter_no_trade(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        return rows.filter(last_trade_at__lt=start_of(value))

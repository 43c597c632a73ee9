"""Lists: a brand's questionnaires, and enhanced reviews."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.html import format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, NumberColumn, PersonColumn, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, work_columns
from kyc.questionnaires import policies
from kyc.questionnaires.choices import QuestionnaireKind, ReviewState
from kyc.questionnaires.edd import reviews_visible_to
from kyc.questionnaires.models import EnhancedReview, Questionnaire, QuestionnaireProposal, QuestionnaireVersion


def questionnaires_visible_to(user: User) -> QuerySet[Questionnaire]:
    """List the questionnaires of brands that somebody reaches as a whole and may write for."""
    if not user.is_team or not user.has_perm(policies.WRITES):
        return Questionnaire.objects.none()
    return Questionnaire.objects.filter(brand_id__in=reach_of(user).whole_brands)


class QuestionnaireFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=QuestionnaireKind.choices, label=_("Kind"))
    brand = django_filters.CharFilter(field_name="brand__code", label=_("Brand"))

    class Meta:
        model = Questionnaire
        fields: list[str] = []


def _state(row: Any, _table: Table) -> Any:
    """Say what clients are asked today, and what waits."""
    badges = []
    if row.waiting:
        badges.append(("warning", _now("Awaiting second approval")))
    if row.version is None:
        badges.append(("neutral", _now("Not published")))
    elif row.retired:
        badges.append(("neutral", _now("Ended")))
    else:
        badges.append(("success", _now("Version %(number)s") % {"number": row.version}))
    if row.draft_by:
        badges.append(("info", _now("Draft")))
    return format_html_join(" ", '<span class="k-badge tone-{}">{}</span>', badges)


class QuestionnaireTable(Table):
    name, title, permission = "questionnaires", _("Questionnaires"), policies.WRITES
    subtitle = _("What clients are asked, when, and what follows from their answers")
    columns = [
        Column("name", _("Name"), sort="name", link=True),
        BadgeColumn("kind", _("Kind")),
        Column("brand", _("Brand"), value="brand.name"),
        Column("state", _("State"), render=_state, export=False),
        NumberColumn("answered", _("Answers")),
        AgoColumn("created_at", _("Created")),
    ]
    filterset, search_fields, default_order = QuestionnaireFilter, ["name"], "name"
    empty = Empty(
        _("No questionnaires yet"),
        _("Start from a shipped one: appropriateness, source of funds, tax self-certification or PEP declaration."),
        "list-checks",
        _("New questionnaire"),
        "kyc:questionnaire_new",
        policies.WRITES,
    )

    def queryset(self) -> QuerySet[Questionnaire]:
        newest = QuestionnaireVersion.objects.filter(questionnaire=OuterRef("pk")).order_by("-number")
        waiting = QuestionnaireProposal.objects.filter(questionnaire=OuterRef("pk"), state=ApprovalState.PENDING)
        return (
            questionnaires_visible_to(self.user)
            .select_related("brand")
            .annotate(
                version=Subquery(newest.values("number")[:1]),
                retired=Subquery(newest.values("is_retired")[:1]),
                waiting=Subquery(waiting.values("pk")[:1]),
                draft_by=Count("draft", filter=Q(draft__isnull=False)),
                answered=Count("submissions"),
            )
        )


class ReviewFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=ReviewState.choices, label=_("State"))

    class Meta:
        model = EnhancedReview
        fields: list[str] = []


class ReviewTable(Table):
    name, title, permission = "kyc-edd", _("Enhanced due diligence"), policies.READS
    subtitle = _("Answers that compliance has to review before the client may open an account")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("questionnaire", _("Questionnaire"), value="submission.questionnaire.name"),
        BadgeColumn("state", _("State")),
        AgoColumn("given_at", _("Answered"), value="submission.given_at"),
        *work_columns(),
        PersonColumn("decided_by", _("Decided by")),
    ]
    filterset, default_order = ReviewFilter, "-work__opened_at"
    quick_filters = WORK_QUICK_FILTERS
    empty = Empty(
        _("Nothing to review"), _("Answers that call for enhanced due diligence appear here."), "shield-check"
    )

    def queryset(self) -> QuerySet[EnhancedReview]:
        return reviews_visible_to(self.user).select_related(
            "client__brand", "submission__questionnaire", "work__claimed_by", "work__assigned_to", "decided_by"
        )

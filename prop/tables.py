"""Lists of programmes and challenges."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.filters import WhenFilter
from crm.ui.tables import BadgeColumn, Column, DateColumn, Empty, MoneyColumn, QuickFilter, Table, TimeColumn
from prop.choices import (
    AppealState,
    ChallengeState,
    CorrectionState,
    FundingState,
    GrowthState,
    MergeState,
    PayoutState,
    Rule,
)
from prop.models import (
    AccountGrowth,
    AccountMerge,
    Appeal,
    Breach,
    Challenge,
    ChallengePayout,
    JudgementCorrection,
    Programme,
)
from prop.queries import (
    appeals_visible_to,
    breaches_visible_to,
    challenges_visible_to,
    corrections_visible_to,
    growths_visible_to,
    merges_visible_to,
    payouts_visible_to,
    programmes_visible_to,
)
from prop.sentences import limit_at, source_of


class ProgrammeTable(Table):
    name, title, permission = "prop.programmes", _("Challenge programmes"), "prop.view_programme"
    subtitle = _("What clients can buy. A version that was on sale never changes; a second person publishes each")
    columns = [
        Column("name", _("Name"), link=True),
        Column("description", _("Description"), css="clip"),
        Column("brand", _("Brand"), value="brand.name"),
        DateColumn("created_at", _("Since")),
    ]
    search_fields = ["name", "description"]
    empty = Empty(
        _("No programmes yet"),
        _("A programme sets the phases, rules and prices of a challenge."),
        "list-checks",
        _("New programme"),
        "prop_programme_new",
        "prop.write_programme",
    )

    def queryset(self) -> QuerySet[Programme]:
        return programmes_visible_to(self.user).select_related("brand")


class ChallengeFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=ChallengeState.choices, label=_("State"))
    funding = django_filters.ChoiceFilter(
        field_name="accounts__funding_failures__state",
        choices=FundingState.choices,
        label=_("Starting balance"),
        distinct=True,
    )

    class Meta:
        model = Challenge
        fields: ClassVar[list[str]] = ["state"]


class ChallengeTable(Table):
    name, title, permission = "prop.challenges", _("Challenges"), "prop.view_challenge"
    subtitle = _("Bought challenges and where they are")
    columns = [
        Column("client", _("Client"), value="client", link=True),
        Column("programme", _("Programme"), value="version.programme.name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("balance", _("Starting balance"), currency="currency"),
        MoneyColumn("price", _("Paid"), currency="currency"),
        TimeColumn("bought_at", _("Bought")),
    ]
    filterset = ChallengeFilter
    quick_filters = [
        QuickFilter(_("Pending review"), {"state": ChallengeState.REVIEW}),
        QuickFilter(_("Funded"), {"state": ChallengeState.FUNDED}),
        QuickFilter(_("Rule breached"), {"state": ChallengeState.BREACHED}),
        QuickFilter(FundingState.OPEN.label, {"funding": FundingState.OPEN}),
    ]
    empty = Empty(_("No challenges yet"), _("Challenges that clients buy are listed here."), "list-checks")

    def queryset(self) -> QuerySet[Challenge]:
        return challenges_visible_to(self.user).select_related("client", "version__programme")


class BreachFilter(django_filters.FilterSet):
    rule = django_filters.ChoiceFilter(choices=Rule.choices, label=_("Rule"))
    occurred = WhenFilter(field_name="occurred_at", label=_("Time"))

    class Meta:
        model = Breach
        fields: ClassVar[list[str]] = ["rule"]


class BreachTable(Table):
    """Breaches, those that were taken back too, each with what it was judged by."""

    name, title, permission = "prop.breaches", _("Breaches"), "prop.view_challenge"
    subtitle = _("Rules that challenges broke, with what each was judged by")
    columns = [
        Column("client", _("Client"), value="judged_account.challenge.client", link=True),
        Column("programme", _("Programme"), value="judged_account.challenge.version.programme.name"),
        Column("rule", _("Rule"), value="get_rule_display"),
        MoneyColumn("equity", _("Equity"), currency="judged_account.challenge.currency"),
        Column("limit", _("Limit"), value=lambda row: limit_at(row), css="end num"),
        Column("source", _("Judged by"), value=lambda row: source_of(row)),
        TimeColumn("occurred_at", _("Time"), seconds=True),
        Column("taken_back", _("Taken back"), value=lambda row: "" if row.phase_account_id else _("Taken back")),
    ]
    filterset = BreachFilter
    quick_filters = [
        QuickFilter(Rule.DAILY_LOSS.label, {"rule": Rule.DAILY_LOSS}),
        QuickFilter(Rule.MAX_LOSS.label, {"rule": Rule.MAX_LOSS}),
    ]
    is_searchable = False
    empty = Empty(_("No breaches yet"), _("Challenges that break a rule are listed here."), "circle-x")

    def queryset(self) -> QuerySet[Breach]:
        return breaches_visible_to(self.user)


class PayoutFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=PayoutState.choices, label=_("State"))

    class Meta:
        model = ChallengePayout
        fields: ClassVar[list[str]] = ["state"]


class PayoutTable(Table):
    name, title, permission = "prop.payouts", _("Challenge payouts"), "prop.view_challenge"
    subtitle = _("Profit that traders of funded challenges asked for; two people review each")
    columns = [
        Column("client", _("Client"), value="challenge.client", link=True),
        Column("programme", _("Programme"), value="challenge.version.programme.name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("profit", _("Profit"), currency="currency"),
        MoneyColumn("amount", _("Trader’s part"), currency="currency"),
        MoneyColumn("refund", _("Fee refunded"), currency="currency"),
        TimeColumn("requested_at", _("Requested")),
    ]
    filterset = PayoutFilter
    quick_filters = [
        QuickFilter(_("Pending review"), {"state": PayoutState.REQUESTED}),
        QuickFilter(_("Being paid"), {"state": PayoutState.SENDING}),
    ]
    empty = Empty(_("No payouts yet"), _("Payouts that traders request are listed here."), "hand-coins")

    def queryset(self) -> QuerySet[ChallengePayout]:
        return payouts_visible_to(self.user).select_related("challenge__client", "challenge__version__programme")


class GrowthFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=GrowthState.choices, label=_("State"))

    class Meta:
        model = AccountGrowth
        fields: ClassVar[list[str]] = ["state"]


class GrowthTable(Table):
    name, title, permission = "prop.growths", _("Challenge scaling"), "prop.view_challenge"
    subtitle = _("Funded accounts that met their terms for a bigger balance; two people approve each step")
    columns = [
        Column("client", _("Client"), value="phase_account.challenge.client", link=True),
        Column("programme", _("Programme"), value="phase_account.challenge.version.programme.name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("size", _("Account size"), currency="phase_account.challenge.currency"),
        MoneyColumn("amount", _("Growth"), currency="phase_account.challenge.currency"),
        TimeColumn("proposed_at", _("Proposed")),
    ]
    filterset = GrowthFilter
    quick_filters = [QuickFilter(_("Pending review"), {"state": GrowthState.PROPOSED})]
    empty = Empty(
        _("No steps of scaling yet"), _("Accounts that meet their version’s terms are listed here."), "maximize-2"
    )

    def queryset(self) -> QuerySet[AccountGrowth]:
        return growths_visible_to(self.user).select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )


class MergeFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=MergeState.choices, label=_("State"))

    class Meta:
        model = AccountMerge
        fields: ClassVar[list[str]] = ["state"]


class MergeTable(Table):
    name, title, permission = "prop.merges", _("Merges of accounts"), "prop.view_challenge"
    subtitle = _("Two funded accounts of a trader become one; two people approve each merge")
    columns = [
        Column("client", _("Client"), value="kept.challenge.client", link=True),
        Column("programme", _("Programme"), value="kept.challenge.version.programme.name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("size", _("Account size"), currency="kept.challenge.currency"),
        MoneyColumn("amount", _("Growth"), currency="kept.challenge.currency"),
        TimeColumn("requested_at", _("Requested")),
    ]
    filterset = MergeFilter
    quick_filters = [QuickFilter(_("Pending review"), {"state": MergeState.REQUESTED})]
    empty = Empty(_("No merges yet"), _("Accounts that traders want to merge are listed here."), "merge")

    def queryset(self) -> QuerySet[AccountMerge]:
        return merges_visible_to(self.user).select_related(
            "kept__challenge__client", "kept__challenge__version__programme"
        )


class CorrectionFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=CorrectionState.choices, label=_("State"))

    class Meta:
        model = JudgementCorrection
        fields: ClassVar[list[str]] = ["state"]


class CorrectionTable(Table):
    name, title, permission = "prop.corrections", _("Challenge corrections"), "prop.view_challenge"
    subtitle = _("Challenges that come out differently now that their deals were edited, deleted or read late")
    columns = [
        Column("client", _("Client"), value="phase_account.challenge.client", link=True),
        Column("programme", _("Programme"), value="phase_account.challenge.version.programme.name"),
        Column("kind", _("Correction"), value="get_kind_display"),
        BadgeColumn("state", _("State")),
        DateColumn("day", _("Judged from")),
        TimeColumn("found_at", _("Found")),
    ]
    filterset = CorrectionFilter
    quick_filters = [QuickFilter(_("Pending review"), {"state": CorrectionState.OPEN})]
    empty = Empty(
        _("No corrections yet"),
        _("Challenges that are decided differently once judged again are listed here."),
        "history",
    )

    def queryset(self) -> QuerySet[JudgementCorrection]:
        return corrections_visible_to(self.user).select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )


class AppealFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AppealState.choices, label=_("State"))

    class Meta:
        model = Appeal
        fields: ClassVar[list[str]] = ["state"]


class AppealTable(Table):
    name, title, permission = "prop.appeals", _("Challenge appeals"), "prop.view_challenge"
    subtitle = _("What traders object to: breaches of rules, endings for a forbidden style and refused payouts")
    columns = [
        Column("client", _("Client"), value="phase_account.challenge.client", link=True),
        Column("programme", _("Programme"), value="phase_account.challenge.version.programme.name"),
        Column("about", _("Appealed decision"), value="about"),
        BadgeColumn("state", _("State")),
        TimeColumn("filed_at", _("Appeal filed")),
    ]
    filterset = AppealFilter
    quick_filters = [QuickFilter(_("Pending review"), {"state": AppealState.OPEN})]
    empty = Empty(_("No appeals yet"), _("Appeals of traders are listed here."), "gavel")

    def queryset(self) -> QuerySet[Appeal]:
        rows = appeals_visible_to(self.user).select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )
        return rows.prefetch_related("phase_account__breaches")

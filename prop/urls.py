"""Staff pages of challenges; the trader's are the portal's."""

from django.urls import URLPattern, path

from crm.ui.views import TableView
from prop.tables import AppealTable, BreachTable, CorrectionTable, GrowthTable, MergeTable, PayoutTable
from prop.views import (
    appeals,
    challenges,
    corrections,
    leaderboard,
    merges,
    news,
    pauses,
    payouts,
    programmes,
    scaling,
    trials,
)

urlpatterns: list[URLPattern] = [
    path("prop/programmes/", programmes.ProgrammeList.as_view(), name="prop_programmes"),
    path("prop/programmes/new/", programmes.new_programme, name="prop_programme_new"),
    path("prop/programmes/<int:programme_id>/", programmes.programme_page, name="prop_programme"),
    path("prop/programmes/<int:programme_id>/versions/new/", programmes.new_version, name="prop_version_new"),
    path("prop/versions/<int:version_id>/edit/", programmes.edit_version, name="prop_version_edit"),
    path("prop/versions/<int:version_id>/propose/", programmes.propose, name="prop_version_propose"),
    path("prop/versions/<int:version_id>/retire/", programmes.retire, name="prop_version_retire"),
    path("prop/versions/<int:version_id>/terms.yaml", programmes.download, name="prop_version_file"),
    path("prop/versions/<int:version_id>/try/", trials.ask, name="prop_version_try"),
    path("prop/trials/<int:trial_id>/", trials.show, name="prop_trial"),
    path("prop/economics/", programmes.economics, name="prop_economics"),
    path("prop/coupons/", programmes.coupons, name="prop_coupons"),
    path("prop/challenges/", challenges.ChallengeList.as_view(), name="prop_challenges"),
    path("prop/challenges/<int:challenge_id>/", challenges.challenge_page, name="prop_challenge"),
    path("prop/appeals/", TableView.as_view(table=AppealTable), name="prop_appeals"),
    path("prop/appeals/<int:appeal_id>/", appeals.appeal_page, name="prop_appeal"),
    path("prop/breaches/", TableView.as_view(table=BreachTable), name="prop_breaches"),
    path("prop/breaches/<int:breach_id>/evidence.zip", appeals.evidence, name="prop_breach_evidence"),
    path("prop/endings/<int:ending_id>/evidence.zip", appeals.ending_evidence, name="prop_ending_evidence"),
    path("prop/corrections/", TableView.as_view(table=CorrectionTable), name="prop_corrections"),
    path("prop/corrections/<int:correction_id>/", corrections.correction_page, name="prop_correction"),
    path("prop/leaderboard/", leaderboard.leaderboard, name="prop_leaderboard"),
    path("prop/merges/", TableView.as_view(table=MergeTable), name="prop_merges"),
    path("prop/merges/<int:merge_id>/", merges.merge_page, name="prop_merge"),
    path("prop/challenges/<int:challenge_id>/merge/", merges.ask, name="prop_merge_new"),
    path("prop/news/", news.news, name="prop_news"),
    path("prop/news/<int:release_id>/remove/", news.remove, name="prop_news_remove"),
    path("prop/pauses/<int:pause_id>/", pauses.pause_page, name="prop_pause"),
    path("prop/scaling/", TableView.as_view(table=GrowthTable), name="prop_growths"),
    path("prop/scaling/<int:growth_id>/", scaling.growth_page, name="prop_growth"),
    path("prop/payouts/", TableView.as_view(table=PayoutTable), name="prop_payouts"),
    path("prop/payouts/<int:payout_id>/", payouts.payout_page, name="prop_payout"),
]

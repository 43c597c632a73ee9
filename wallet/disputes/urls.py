"""Addresses of the disputes pages."""

from django.urls import path

from crm.ui.views import TableView
from wallet.disputes.bonus_tables import BonusTable
from wallet.disputes.tables import DisputeTable
from wallet.disputes.views import bonus, deposit, disputes

URLS = [
    path("money/deposits/<int:deposit_id>/", deposit.DepositPage.as_view(), name="deposit"),
    path("money/deposits/<int:deposit_id>/refund/", deposit.refund, name="deposit_refund"),
    path("money/disputes/", TableView.as_view(table=DisputeTable), name="disputes"),
    path("money/disputes/<int:pk>/", disputes.dispute_page, name="dispute"),
    path("money/disputes/<int:pk>/evidence/", disputes.make_evidence, name="dispute_evidence"),
    path("money/disputes/<int:pk>/evidence/file/", disputes.download_evidence, name="dispute_file"),
    path("money/disputes/<int:pk>/sent/", disputes.sent_by_hand, name="dispute_sent"),
    path("money/disputes/<int:pk>/accept/", disputes.accept, name="dispute_accept"),
    path("money/bonuses/", TableView.as_view(table=BonusTable), name="bonuses"),
    path("money/bonuses/<int:pk>/", bonus.bonus_page, name="bonus"),
    path("money/bonuses/<int:pk>/decide/", bonus.decide, name="bonus_decide"),
    path("money/bonuses/<int:pk>/take/", bonus.take_away, name="bonus_take"),
    path("money/bonuses/lost/<int:pk>/say/", bonus.return_propose, name="bonus_return_propose"),
    path("money/bonuses/plans/", bonus.plan_list, name="bonus_plans"),
    path("money/bonuses/plans/new/", bonus.plan_new, name="bonus_plan_new"),
    path("money/bonuses/plans/<int:pk>/terms/", bonus.rule_new, name="bonus_rule_new"),
    path("money/bonuses/plans/<int:pk>/switch/", bonus.plan_switch, name="bonus_plan_switch"),
    path("clients/<int:client_id>/bonus/", bonus.give, name="bonus_give"),
]

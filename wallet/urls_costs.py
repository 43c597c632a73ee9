"""Addresses of what PSPs charge us."""

from django.urls import path

from wallet.views import costs

COSTS = [
    path("money/psps/<int:pk>/costs/", costs.cost_page, name="psp_costs"),
    path("money/psps/<int:pk>/costs/new/", costs.cost_new, name="psp_cost_new"),
    path("money/psps/costs/proposals/<int:pk>/approve/", costs.cost_approve, name="psp_cost_approve"),
    path("money/psps/costs/proposals/<int:pk>/refuse/", costs.cost_refuse, name="psp_cost_refuse"),
    path("money/psps/costs/proposals/<int:pk>/withdraw/", costs.cost_withdraw, name="psp_cost_withdraw"),
    path("money/psps/costs/<int:pk>/take-back/", costs.cost_take_back, name="psp_cost_take_back"),
]

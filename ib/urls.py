from django.urls import URLPattern, URLResolver, path, re_path

from ib.views import commissions, partners, plans, portal, portal_home, portal_links, portal_statements, referral

staff = [
    path("ib/partners/", partners.PartnerList.as_view(), name="ib_partners"),
    path("ib/partners/new/", partners.new_partner, name="ib_partner_new"),
    path("ib/partners/<int:partner_id>/", partners.partner_page, name="ib_partner"),
    path("ib/partners/<int:partner_id>/move/", partners.move, name="ib_partner_move"),
    path("ib/partners/<int:partner_id>/plan/", partners.change_plan, name="ib_partner_plan"),
    path("ib/partners/<int:partner_id>/state/<slug:state>/", partners.change_state, name="ib_partner_state"),
    path("ib/partners/<int:partner_id>/assign-client/", partners.attribute, name="ib_partner_attribute"),
    path("ib/partners/<int:partner_id>/wallet/", partners.link_wallet, name="ib_partner_wallet"),
    path("ib/partners/<int:partner_id>/new-link/", partners.new_link, name="ib_partner_link"),
    path("ib/partners/<int:partner_id>/invite/", partners.invite, name="ib_partner_invite"),
    path("ib/partners/<int:partner_id>/branch/", partners.branch, name="ib_partner_branch"),
    path("ib/partners/<int:partner_id>/<slug:tab>/", partners.partner_page, name="ib_partner_tab"),
    path("ib/plans/", plans.PlanList.as_view(), name="ib_plans"),
    path("ib/plans/new/", plans.new_plan, name="ib_plan_new"),
    path("ib/plans/<int:plan_id>/", plans.plan_page, name="ib_plan"),
    path("ib/plans/<int:plan_id>/new-version/", plans.new_version, name="ib_version_new"),
    path("ib/versions/<int:version_id>/change/", plans.change_draft, name="ib_version_change"),
    path("ib/versions/<int:version_id>/decide/", plans.decide, name="ib_version_decide"),
    path("ib/commissions/", commissions.AccrualList.as_view(), name="ib_accruals"),
    path("ib/commissions/not-paid/", commissions.ExclusionList.as_view(), name="ib_exclusions"),
    path("ib/commissions/<int:accrual_id>/", commissions.accrual_page, name="ib_accrual"),
    path("ib/runs/", commissions.RunList.as_view(), name="ib_runs"),
    path("ib/runs/recalculate/", commissions.recompute, name="ib_recompute"),
    path("ib/periods/", commissions.periods_page, name="ib_periods"),
    path("ib/periods/<int:period_id>/", commissions.period_page, name="ib_period"),
    path("ib/periods/<int:period_id>/settle/", commissions.settle, name="ib_settle"),
    path("ib/settlements/<int:settlement_id>/", commissions.settlement_page, name="ib_settlement"),
]
own = [
    path("partners/", portal_home.home, name="partner_home"),
    path("partners/network/", portal.network, name="partner_network"),
    path("partners/network/<int:partner_id>/", portal.branch, name="partner_branch"),
    path("partners/clients/", portal.clients, name="partner_clients"),
    path("partners/earnings/", portal.earnings, name="partner_earnings"),
    path("partners/earnings/trade/<int:accrual_id>/", portal.trade, name="partner_trade"),
    path("partners/earnings/<int:settlement_id>/", portal.settlement_page, name="partner_settlement"),
    path("partners/links/", portal_links.links, name="partner_links"),
    path("partners/links/<int:link_id>/switch/", portal_links.switch, name="partner_link_switch"),
    path("partners/links/<int:link_id>/share/", portal_links.share, name="partner_link_share"),
    re_path(
        r"^partners/links/(?P<link_id>[0-9]{1,18})/qr\.(?P<ending>svg|png)$",
        portal_links.qr_file,
        name="partner_link_qr",
    ),
    re_path(
        r"^partners/statements/(?P<period_id>[0-9]{1,9})\.(?P<ending>pdf|csv)$",
        portal_statements.statement,
        name="partner_statement",
    ),
    path("partners/payouts/", portal.payouts, name="partner_payouts"),
    path("partners/welcome/<str:token>/", portal.welcome, name="partner_welcome"),
    path("r/<slug:code>/", referral.follow, name="referral"),
]
urlpatterns: list[URLPattern | URLResolver] = [*staff, *own]

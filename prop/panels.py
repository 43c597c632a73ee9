"""What challenges put on other pages: the menu and the list of second approvals."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.ui.panels import MenuEntry, register
from prop.programmes.publishing import PublishApproval

approvals.register(PublishApproval)

register(
    MenuEntry(
        "trading",
        _("Challenge appeals"),
        "prop_appeals",
        "prop.decide_appeal",
        "undo-2",
        73,
        words="prop breach objection",
    ),
    MenuEntry(
        "trading",
        _("Challenge payouts"),
        "prop_payouts",
        "prop.pay_challenge",
        "badge-check",
        72,
        words="prop profit split",
    ),
    MenuEntry(
        "trading",
        _("Challenge scaling"),
        "prop_growths",
        "prop.decide_challenge",
        "maximize-2",
        74,
        words="prop grow bigger balance",
    ),
    MenuEntry(
        "trading",
        _("Challenges"),
        "prop_challenges",
        "prop.view_challenge",
        "star",
        70,
        words="prop funded",
        also=(
            "/prop/appeals/",
            "/prop/breaches/",
            "/prop/corrections/",
            "/prop/leaderboard/",
            "/prop/merges/",
            "/prop/pauses/",
        ),
    ),
    MenuEntry(
        "trading",
        _("Challenge programmes"),
        "prop_programmes",
        "prop.view_programme",
        "circle-play",
        71,
        words="prop challenge phases fee",
        also=("/prop/coupons/", "/prop/economics/", "/prop/news/", "/prop/trials/", "/prop/versions/"),
    ),
)

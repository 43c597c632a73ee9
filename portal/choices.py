"""Kinds of consent a client gives, and the steps of getting started."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import EmailChannel
from crm.notices.kinds import CLIENTS, NoticeGroup, NotificationKind, staff


class ConsentKind(models.TextChoices):
    TERMS = "terms", _("Terms of business")
    PRIVACY = "privacy", _("Privacy notice")
    RISK = "risk", _("Risk disclosure")
    MARKETING = "marketing", _("News and offers")


# Without these nobody registers; marketing is free.
REQUIRED_CONSENTS = (ConsentKind.TERMS, ConsentKind.PRIVACY, ConsentKind.RISK)


class PortalNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    DEPOSIT = ("portal.deposit", _("Deposits"), NoticeGroup.MONEY, CLIENTS, EmailChannel.AT_ONCE)
    WITHDRAWAL = ("portal.withdrawal", _("Withdrawals"), NoticeGroup.MONEY, CLIENTS, EmailChannel.AT_ONCE)
    TRANSFER = ("portal.transfer", _("Transfers"), NoticeGroup.MONEY, CLIENTS)
    DOCUMENT = ("portal.document", _("Your documents"), NoticeGroup.ACCOUNT, CLIENTS)
    VERIFIED = ("portal.verified", _("Your verification"), NoticeGroup.ACCOUNT, CLIENTS)
    ACCOUNT = ("portal.account", _("New trading accounts"), NoticeGroup.TRADING, CLIENTS)
    REGISTERED = (
        "portal.registered",
        _("Registrations of your leads"),
        NoticeGroup.SALES,
        staff("clients.view_client"),
    )
    ADDRESS_CHANGED = (
        "portal.address_changed",
        _("Clients with a new address"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
        EmailChannel.DAILY,
    )

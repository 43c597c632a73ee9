"""What each withdrawal is checked for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckName(models.TextChoices):
    """What each withdrawal is checked for."""

    FUNDS = "funds", _("Funds")
    KYC = "kyc", _("Identity")
    RESTRICTIONS = "restrictions", _("Restrictions")
    RETURN_TO_SOURCE = "return_to_source", _("Return to source")
    OPEN_MARGIN = "open_margin", _("Open positions")
    BONUS = "bonus", _("Bonus")
    VELOCITY = "velocity", _("How often")
    COOLING_OFF = "cooling_off", _("Cooling off")
    RISK = "risk", _("Risk rating")
    AML = "aml", _("Signs of laundering")
    CHURN = "churn", _("In and out")
    STRUCTURING = "structuring", _("Many small deposits")
    PAYER = "payer", _("Who paid in")
    CHARGEBACK = "chargeback", _("Chargebacks")
    DESTINATION = "destination", _("Whose destination")

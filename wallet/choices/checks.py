"""What each withdrawal is checked for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckName(models.TextChoices):
    """What each withdrawal is checked for."""

    FUNDS = "funds", _("Funds")
    KYC = "kyc", _("Identity")
    QUESTIONNAIRES = "questionnaires", _("Questionnaires")
    RESTRICTIONS = "restrictions", _("Restrictions")
    COUNTRY = "country", _("Country of residence")
    RETURN_TO_SOURCE = "return_to_source", _("Return to source")
    OPEN_MARGIN = "open_margin", _("Open positions")
    BONUS = "bonus", _("Bonus")
    VELOCITY = "velocity", _("Velocity")
    COOLING_OFF = "cooling_off", _("Cooling-off period")
    RISK = "risk", _("Risk rating")
    AML = "aml", _("AML alerts")
    CHURN = "churn", _("Rapid in-and-out")
    STRUCTURING = "structuring", _("Many small deposits")
    PAYER = "payer", _("Payer")
    CHARGEBACK = "chargeback", _("Chargebacks")
    DESTINATION = "destination", _("Payout account owner")

"""What can be declared, and the codes that answers stand for."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeclaredFact(models.TextChoices):
    YEARLY_INCOME = "yearly_income", _("Yearly income")
    NET_WORTH = "net_worth", _("Net worth")
    EXPECTED_DEPOSITS = "expected_deposits", _("Expected deposits per year")
    SOURCE_OF_FUNDS = "source_of_funds", _("Source of funds")
    OCCUPATION = "occupation", _("Occupation")
    PEP = "pep", _("Political exposure")


class FundsSource(models.TextChoices):
    SALARY = "salary", _("Salary or pension")
    SAVINGS = "savings", _("Savings")
    BUSINESS = "business", _("Business profits")
    INVESTMENTS = "investments", _("Investments")
    PROPERTY = "property", _("Sale of property or a company")
    INHERITANCE = "inheritance", _("Inheritance or gift")
    LOAN = "loan", _("Loan")
    THIRD_PARTY = "third_party", _("Another person")
    OTHER = "other", _("Other")


class Occupation(models.TextChoices):
    EMPLOYED = "employed", _("Employed")
    SELF_EMPLOYED = "self_employed", _("Self-employed")
    RETIRED = "retired", _("Retired")
    STUDENT = "student", _("Student")
    NOT_EMPLOYED = "not_employed", _("Not employed")
    OTHER = "other", _("Other")


class PoliticalExposure(models.TextChoices):
    OWN = "own", _("Politically exposed person")
    CLOSE = "close", _("Family member or close associate of one")
    NONE = "none", _("Not politically exposed")


AMOUNTS: Final = (DeclaredFact.YEARLY_INCOME, DeclaredFact.NET_WORTH, DeclaredFact.EXPECTED_DEPOSITS)
CODES: Final[dict[str, type[models.TextChoices]]] = {
    DeclaredFact.SOURCE_OF_FUNDS: FundsSource,
    DeclaredFact.OCCUPATION: Occupation,
    DeclaredFact.PEP: PoliticalExposure,
}

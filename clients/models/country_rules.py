"""Which countries a brand serves, and how far: rules by day, and the proposals that change them."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.choices import CountryBand, Gate, Product
from clients.models.client import Client
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only

ALL_OTHERS = ""  # the country of the rule for every country without one of its own


def _accepted() -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=12, choices=Gate.choices), default=list, blank=True)


def _products(help_text: Any) -> "ArrayField[list[str], list[str]]":
    choices = models.CharField(max_length=12, choices=Product.choices)
    return ArrayField(choices, default=list, blank=True, help_text=help_text)


class CountryTerms(models.Model):
    """What a rule, or a proposed one, says. Without a band the default holds again, and it says nothing else."""

    AGE_MIN, AGE_MAX = 18, 120

    band = models.CharField(max_length=10, choices=CountryBand.choices, blank=True)
    accepted = _accepted()
    minimum_age = models.PositiveSmallIntegerField(null=True, help_text=_("Empty: the brand's minimum age"))
    approval_age = models.PositiveSmallIntegerField(
        null=True, help_text=_("From this age, deposits and trading accounts need an exemption; empty: never")
    )
    not_offered = _products(_("Not offered to anybody"))
    not_for_retail = _products(_("Not offered to retail clients"))
    product_age = models.PositiveSmallIntegerField(null=True, help_text=_("Below it some products aren't offered"))
    not_below_age = _products(_("Not offered below that age"))
    effective_on = models.DateField()

    class Meta:
        abstract = True

    @classmethod
    def constraints(cls, name: str) -> list[models.CheckConstraint]:
        nothing = Q(accepted=[], minimum_age=None, approval_age=None, not_offered=[], not_for_retail=[])
        nothing &= Q(product_age=None, not_below_age=[])
        ages = Q(minimum_age=None) | Q(minimum_age__gte=cls.AGE_MIN, minimum_age__lte=cls.AGE_MAX)
        approval = Q(approval_age=None) | Q(approval_age__gt=cls.AGE_MIN, approval_age__lte=cls.AGE_MAX)
        order = Q(minimum_age=None) | Q(approval_age=None) | Q(approval_age__gt=F("minimum_age"))
        offered = Q(product_age=None, not_below_age=[]) | Q(
            product_age__gt=cls.AGE_MIN, product_age__lte=cls.AGE_MAX
        ) & ~Q(not_below_age=[])
        products = list(Product.values)
        return [
            models.CheckConstraint(
                condition=Q(accepted__contained_by=list(Gate.values)), name=f"{name}_names_known_gates"
            ),
            models.CheckConstraint(condition=~Q(band="") | nothing, name=f"{name}_without_band_is_the_default"),
            models.CheckConstraint(condition=ages & approval & order & offered, name=f"{name}_has_possible_ages"),
            models.CheckConstraint(
                condition=Q(
                    not_offered__contained_by=products,
                    not_for_retail__contained_by=products,
                    not_below_age__contained_by=products,
                ),
                name=f"{name}_names_known_products",
            ),
        ]


class CountryRule(CountryTerms):
    """What a brand accepts from one country from a day on. A later day, or a later row of the same day, takes over.

    Without a band the row says that the default holds again.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="country_rules", db_index=False)
    country = models.CharField(max_length=2, blank=True, help_text=_("Empty: all countries without a rule"))
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "country", "-effective_on"], name="country_rules_of_a_brand")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="country_rule_has_a_reason"),
            *CountryTerms.constraints("country_rule"),
        ]
        triggers = append_only("country_rule")

    def __str__(self) -> str:
        return f"{self.country or '*'} @ {self.effective_on}"


class CountryRuleProposal(ApprovalMixin, CountryTerms):
    """A change of the rules of one or many countries that another person decides."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="country_rule_proposals", db_index=False)
    countries = ArrayField(models.CharField(max_length=2, blank=True))

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="country_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("country_rule_proposal"),
            models.CheckConstraint(condition=Q(countries__len__gt=0), name="country_rule_proposal_names_countries"),
            *CountryTerms.constraints("country_rule_proposal"),
        ]

    def __str__(self) -> str:
        return f"{len(self.countries)} @ {self.effective_on}"


class Exemption(ApprovalMixin):
    """Gates at which a client is let through up to a day although a country or age rule refuses them.

    The newest approved row of a client counts; one without gates ends the one before it.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="exemptions", db_index=False)
    gates = ArrayField(models.CharField(max_length=12, choices=Gate.choices), default=list, blank=True)
    ends_on = models.DateField(null=True, help_text=_("Last day"))

    class Meta:
        ordering = ["-id"]
        permissions = [("exempt_client", "May propose and approve exemptions of clients from country and age rules")]
        indexes = [models.Index(fields=["client", "-id"], name="exemptions_of_a_client")]
        constraints = [
            *ApprovalMixin.constraints("exemption"),
            ApprovalMixin.one_open("client", name="one_open_exemption_proposal_per_client"),
            models.CheckConstraint(
                condition=Q(gates=[], ends_on=None) | (~Q(gates=[]) & Q(ends_on__isnull=False)),
                name="exemption_has_a_last_day",
            ),
            models.CheckConstraint(
                condition=Q(gates__contained_by=["login", "deposit", "trading", "withdrawal"]),
                name="exemption_is_for_gates_of_a_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {', '.join(self.gates)}"

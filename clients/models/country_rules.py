"""Which countries a brand serves, and how far: rules by day, and the proposals that change them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.choices import CountryBand, Gate
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only

ALL_OTHERS = ""  # the country of the rule for every country without one of its own


def _accepted() -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=12, choices=Gate.choices), default=list, blank=True)


def _no_gates_without_a_band() -> Q:
    return ~Q(band="") | Q(accepted=[])


class CountryRule(models.Model):
    """What a brand accepts from one country from a day on. A later day, or a later row of the same day, takes over.

    Without a band the row says that the default holds again.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="country_rules", db_index=False)
    country = models.CharField(max_length=2, blank=True, help_text=_("Empty: all countries without a rule"))
    band = models.CharField(max_length=10, choices=CountryBand.choices, blank=True)
    accepted = _accepted()
    effective_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "country", "-effective_on"], name="country_rules_of_a_brand")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="country_rule_has_a_reason"),
            models.CheckConstraint(
                condition=Q(accepted__contained_by=list(Gate.values)), name="country_rule_names_known_gates"
            ),
            models.CheckConstraint(
                condition=_no_gates_without_a_band(), name="country_rule_without_band_is_the_default"
            ),
        ]
        triggers = append_only("country_rule")

    def __str__(self) -> str:
        return f"{self.country or '*'} @ {self.effective_on}"


class CountryRuleProposal(ApprovalMixin):
    """A change of the rules of one or many countries that another person decides."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="country_rule_proposals", db_index=False)
    countries = ArrayField(models.CharField(max_length=2, blank=True))
    band = models.CharField(max_length=10, choices=CountryBand.choices, blank=True)
    accepted = _accepted()
    effective_on = models.DateField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="country_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("country_rule_proposal"),
            models.CheckConstraint(condition=Q(countries__len__gt=0), name="country_rule_proposal_names_countries"),
            models.CheckConstraint(
                condition=Q(accepted__contained_by=list(Gate.values)), name="country_rule_proposal_names_known_gates"
            ),
            models.CheckConstraint(
                condition=_no_gates_without_a_band(), name="country_rule_proposal_without_band_is_the_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.countries)} @ {self.effective_on}"

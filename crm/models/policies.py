"""What brands have set, and who proposed it. What can be set is declared: `crm.brand_policies`."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.models.people import Brand, User


class PolicyValue(models.Model):
    """One policy of a brand from a day on. A later day, or a later row of the same day, takes over; none is ever changed."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="policy_values")
    key = models.SlugField(max_length=60, db_index=False)
    segment = models.BigIntegerField(default=0, help_text="A segment of clients by its number; 0: the whole brand")
    value = models.JSONField(null=True, help_text=_("As the policy's kind stores it; empty: the default again"))
    effective_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "key", "-effective_on"], name="policy_values_of_a_brand")]
        constraints = [models.CheckConstraint(condition=~models.Q(reason=""), name="policy_value_has_a_reason")]
        triggers = append_only("policy_value")
        permissions = [
            ("propose_policies", gettext_noop("May propose and approve policies in their own areas")),
            ("manage_policies", gettext_noop("May change a brand's policies on access, monitoring and promises")),
            ("manage_money_policies", gettext_noop("May propose and approve a brand's policies on money")),
            (
                "manage_identity_policies",
                gettext_noop("May propose and approve a brand's policies on registration and identity"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} @ {self.effective_on}"


class PolicyProposal(ApprovalMixin):
    """A change that another person decides."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="policy_proposals")
    key = models.SlugField(max_length=60, db_index=False)
    segment = models.BigIntegerField(default=0, help_text="A segment of clients by its number; 0: the whole brand")
    value = models.JSONField(null=True)
    effective_on = models.DateField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "key", "-id"], name="policy_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("policy_proposal"),
            ApprovalMixin.one_open("brand", "key", "segment", name="one_open_proposal_per_brand_and_policy"),
        ]

    def __str__(self) -> str:
        return f"{self.key} @ {self.effective_on}"

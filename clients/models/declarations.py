"""What clients declared of their means, with the time from which on it holds."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clients.declared.choices import AMOUNTS, DeclaredFact
from clients.models.client import Client


class Declaration(models.Model):
    """One declared fact of a client, from `given_at` until the next one; written by `clients.declared.declaring`.

    `amount` is the most that was declared, in the brand's base currency: of a band its upper end. `given_amount` with its
    currency is what the client entered, where it was an amount. `codes` are those of `clients.declared.choices`. In plain
    columns, so that rules compare it in the database; deleted with the client's key (`clients/sql/declarations.sql`).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="declarations", db_index=False)
    fact = models.CharField(max_length=20, choices=DeclaredFact.choices)
    given_at = models.DateTimeField()
    until = models.DateTimeField(null=True, help_text="When something else was declared; empty for what holds now")
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    given_amount = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    given_currency = models.CharField(max_length=5, blank=True)
    codes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    source = models.CharField(max_length=40, help_text="Where it was declared, as in submission:17")

    class Meta:
        ordering = ["-given_at", "-id"]
        indexes = [models.Index(fields=["client", "fact", "given_at"], name="declarations_of_a_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "fact"], condition=Q(until__isnull=True), name="one_declaration_per_fact_holds"
            ),
            models.CheckConstraint(
                condition=Q(fact__in=AMOUNTS, amount__isnull=False, amount__gte=0, codes=[])
                | ~Q(fact__in=AMOUNTS) & Q(amount__isnull=True) & ~Q(codes=[]),
                name="declaration_is_an_amount_or_codes",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("given_at")), name="declaration_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fact} of client {self.client_id}"

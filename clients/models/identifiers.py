"""What links people: an e-mail address, a device, a bank account that somebody used, as a keyed hash."""

from django.db import models
from django.db.models import F, Func, IntegerField, Q
from django.db.models.lookups import Exact

from clients.choices import IdentifierKind
from clients.models.client import Client
from crm.models import User

MARK_BYTES = 32


class SignInCountry(models.Model):
    """That a client signed in from a country on a day (UTC), by the address: when first, and how often.

    Deleted with the client's key (`clients/sql/identifiers.sql`).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="sign_in_countries", db_index=False)
    country = models.CharField(max_length=2)
    day = models.DateField()
    first_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "day", "country"], name="sign_ins_of_a_day_and_country_are_counted_together"
            ),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="sign_in_country_is_a_code"),
            models.CheckConstraint(condition=Q(times__gt=0), name="sign_ins_are_counted_from_one"),
        ]

    def __str__(self) -> str:
        return f"client {self.client_id} from {self.country} on {self.day}"


class Identifier(models.Model):
    """That a client, or a member of staff, used a thing: from when to when, and how often it was seen.

    `mark` is a keyed hash: who knows the value finds its users, but the value can't be read from the table. A client's rows
    are deleted with their key (`clients/sql/identifiers.sql`).
    """

    kind = models.CharField(max_length=14, choices=IdentifierKind.choices)
    mark = models.BinaryField(max_length=MARK_BYTES)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="identifiers", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["client", "kind"], name="identifiers_of_a_client", condition=Q(client__isnull=False)),
            models.Index(fields=["user", "kind"], name="identifiers_of_staff", condition=Q(user__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "mark", "client"],
                name="identifier_is_kept_once_per_client",
                condition=Q(client__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["kind", "mark", "user"],
                name="identifier_is_kept_once_per_user",
                condition=Q(user__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(client__isnull=False, user__isnull=True) | Q(client__isnull=True, user__isnull=False),
                name="identifier_is_of_a_client_or_of_staff",
            ),
            models.CheckConstraint(condition=Q(first_seen__lte=F("last_seen")), name="identifier_seen_in_order"),
            models.CheckConstraint(condition=Q(kind__in=IdentifierKind.values), name="identifier_kind_is_known"),
            models.CheckConstraint(
                condition=Q(Exact(Func(F("mark"), function="octet_length", output_field=IntegerField()), MARK_BYTES)),
                name="identifier_mark_is_a_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {'client' if self.client_id else 'user'} {self.client_id or self.user_id}"

"""Who had a client when: append-only, written by triggers (`clients/sql/ownership.sql`), so that no move is forgotten.

A row holds until the next one of the same client or book, so periods can neither overlap nor leave a gap. The first row of a
client and of a book has no beginning. The view `clients_ownership_period` puts both tables together: client, book, owner and
desk, from when until when.
"""

from __future__ import annotations

from django.db import models

from clients.models.client import Client
from crm.models import Book, Desk, User
from crm.models.audit import append_only


class Ownership(models.Model):
    """From `since` on, the client was in this book and had this owner."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateTimeField()

    class Meta:
        ordering = ["client_id", "since"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["client", "since"], name="client_has_one_owner_at_a_time")]
        triggers = append_only("ownership")

    def __str__(self) -> str:
        return f"{self.client_id}: {self.book} since {self.since}"


class BookDesk(models.Model):
    """From `since` on, the book belonged to this desk."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateTimeField()

    class Meta:
        ordering = ["book_id", "since"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["book", "since"], name="book_has_one_desk_at_a_time")]
        triggers = append_only("book_desk")

    def __str__(self) -> str:
        return f"{self.book}: {self.desk} since {self.since}"

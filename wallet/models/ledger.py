"""The double-entry ledger. Rows are written by the database function `ledger_post` only, and never changed.

Sign: an amount above zero credits the account. A client's wallet is money that the broker owes, so it is a credit
balance; a bank or PSP account is money that the broker holds, so it is a debit balance, below zero. Every journal sums
to zero per currency and layer.
"""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.choices import account_owners
from wallet.choices.ledger import AccountKind, JournalKind, Layer, Phase
from wallet.models.ledger_guards import balance_is_sound, journal_is_sound, journal_sums_to_zero, written_by_ledger_only


class Account(models.Model):
    """One account of the chart: of a client, a PSP, a server, a partner, or the broker itself."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24, choices=AccountKind.choices)
    currency = models.CharField(max_length=5)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="wallet_accounts")
    psp = models.ForeignKey("wallet.Psp", on_delete=models.PROTECT, null=True, related_name="accounts")
    subject = models.CharField(
        max_length=60, blank=True, help_text="Owner in another app, e.g. 'server:2' or 'partner:17'"
    )
    # A bounded account has a balance row that is locked while posting and can't go below zero after holds.
    # The others are written by many at once and have entries only.
    is_bounded = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # Of an owner in another app, once `owners.warm` has asked for it; empty when that app has no name for it.
    owner_name: str | None = None

    class Meta:
        ordering = ["id"]
        permissions = [("export_money", "May export lists of money movements")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "kind", "currency", "client", "psp", "subject"],
                nulls_distinct=False,
                name="one_account_per_owner_kind_and_currency",
            ),
            # The target of the composite foreign key that ties a posting's currency to its account's.
            models.UniqueConstraint(fields=["id", "currency"], name="account_id_with_its_currency"),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.CLIENT_WALLET, client__isnull=False, is_bounded=True)
                | ~Q(kind=AccountKind.CLIENT_WALLET),
                name="client_wallet_is_bounded_and_has_a_client",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.BONUS, client__isnull=False, is_bounded=True) | ~Q(kind=AccountKind.BONUS),
                name="client_credit_is_bounded_and_has_a_client",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.PSP_CLEARING, psp__isnull=False) | ~Q(kind=AccountKind.PSP_CLEARING),
                name="psp_clearing_has_a_psp",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.PSP_RESERVE, psp__isnull=False) | ~Q(kind=AccountKind.PSP_RESERVE),
                name="psp_reserve_has_a_psp",
            ),
        ]
        indexes = [models.Index(fields=["is_bounded", "id"], name="accounts_house_first")]
        triggers = [
            pgtrigger.Trigger(
                name="account_keeps_what_it_is",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'an account never changes: open another one';",
            ),
            # Postings name accounts without a foreign key: an account that can't go away needs none.
            pgtrigger.Trigger(
                name="account_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'an account never goes away';",
            ),
            pgtrigger.Trigger(
                name="account_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'an account never goes away';",
            ),
            pgtrigger.Trigger(
                name="bounded_account_gets_a_balance",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__is_bounded=True),
                func="INSERT INTO wallet_balance (account_id) VALUES (NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        owner = self.owner_label
        return f"{self.get_kind_display()} {self.currency}" + (f" · {owner}" if owner else "")

    @property
    def owner_label(self) -> str:
        """The owner's name, for people; empty for the broker itself."""
        if self.client or self.psp:
            return str(self.client or self.psp)
        if not self.subject:
            return ""
        if self.owner_name is None:
            account_owners.warm([self])
        if self.owner_name:
            return self.owner_name
        kind, _colon, number = self.subject.partition(":")
        words = {"server": _("Trading server %(number)s"), "partner": _("Partner %(number)s")}
        return words[kind] % {"number": number} if kind in words else self.subject


class Balance(models.Model):
    """The counters of a bounded account, in minor units; changed by `ledger_post` under a row lock."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="balance")
    version = models.BigIntegerField(default=0, db_default=0, help_text="Postings on this account so far")
    credits_posted = models.BigIntegerField(default=0, db_default=0)
    debits_posted = models.BigIntegerField(default=0, db_default=0)
    credits_pending = models.BigIntegerField(default=0, db_default=0)
    debits_pending = models.BigIntegerField(default=0, db_default=0)
    last_posted_at = models.DateTimeField(null=True)

    class Meta:
        triggers = [
            balance_is_sound,
            pgtrigger.Trigger(
                name="balance_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'a balance is never deleted';",
            ),
            pgtrigger.Trigger(
                name="balance_no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'a balance is never deleted';",
            ),
        ]

    def __str__(self) -> str:
        return f"Balance of account {self.account_id}"

    @property
    def posted_minor(self) -> int:
        return self.credits_posted - self.debits_posted

    @property
    def reserved_minor(self) -> int:
        return self.debits_pending

    @property
    def available_minor(self) -> int:
        return self.posted_minor - self.debits_pending

    @property
    def reserved(self) -> Decimal:
        return from_minor(self.reserved_minor, self.account.currency)

    @property
    def available(self) -> Decimal:
        return from_minor(self.available_minor, self.account.currency)


class Journal(models.Model):
    """One business fact with its postings. Append-only; a mistake is corrected by a journal that reverses it."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    kind = models.CharField(max_length=20, choices=JournalKind.choices)
    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.POSTED)
    # By bytes, so that the unique index also finds keys by how they begin.
    idempotency_key = models.CharField(max_length=120, db_collation="C", help_text="e.g. 'deposit:17:settle'")
    # Kind, brand, phase, links, rate and postings: what "the same body" means for the key.
    request_hash = models.BinaryField(max_length=32)
    description = models.CharField(max_length=200, blank=True)
    # Taken from the clock after the locks, so that the order of an account's versions is the order of time.
    posted_at = models.DateTimeField()
    business_on = models.DateField(help_text="Accounting date")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    resolves = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="resolved_by")
    fx_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    fx_rate_on = models.DateField(null=True, help_text="Day of the reference rate that was used")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # A reservation that nobody resolved by then is released; it can't be posted any more.
    expires_at = models.DateTimeField(null=True)
    # Brought in from elsewhere with its own time (opening history); NULL for everything posted live.
    imported_at = models.DateTimeField(null=True)
    content_hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["idempotency_key"], name="each_key_is_posted_once")]
        indexes = [
            # Ascending, though pages read it backwards: new journals then go to its end, where pages split without waste.
            models.Index(fields=["expires_at"], name="reservations_that_expire", condition=Q(expires_at__isnull=False))
        ]
        triggers = [*append_only("journal"), journal_is_sound, journal_sums_to_zero]

    def __str__(self) -> str:
        return f"Journal {self.pk} {self.kind}"

    @property
    def hash_text(self) -> str:
        return bytes(self.content_hash).hex()


class Posting(models.Model):
    """One side of a journal. On a bounded account it also carries the account's version and balances after it."""

    pk = models.CompositePrimaryKey("journal_id", "line")
    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    line = models.SmallIntegerField()
    # No foreign keys: their share locks on a busy account's row would be waited for. `ledger_post` checks account,
    # brand and currency, and neither accounts nor journals ever change or are deleted; `verify_ledger` finds orphans.
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    currency = models.CharField(max_length=5)
    layer = models.SmallIntegerField(choices=Layer.choices, default=Layer.MONEY)
    amount_minor = models.BigIntegerField()
    posted_at = models.DateTimeField()
    version = models.BigIntegerField(null=True)
    balance_after = models.BigIntegerField(null=True, help_text="Posted, in minor units")
    available_after = models.BigIntegerField(null=True, help_text="Posted less reserved, in minor units")

    class Meta:
        ordering = ["journal_id", "line"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "version"],
                condition=Q(version__isnull=False),
                name="each_account_version_exists_once",
            )
        ]
        # Each posting is in one index by account: a bounded account's versions count in the order of time.
        indexes = [
            models.Index(
                fields=["account", "posted_at", "journal", "line"],
                name="history_of_house_accounts",
                condition=Q(version__isnull=True),
            )
        ]
        triggers = [*append_only("posting"), written_by_ledger_only("posting", pgtrigger.Insert)]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} on account {self.account_id}"

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.currency)

    @property
    def amount_abs(self) -> Decimal:
        """For the column of its side: debit or credit."""
        return abs(self.amount)

    @property
    def balance(self) -> Decimal | None:
        return None if self.balance_after is None else from_minor(self.balance_after, self.currency)


class LedgerSeal(models.Model):
    """Journals up to an instant, closed: the Merkle root over their hashes, chained and signed."""

    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next")
    through_at = models.DateTimeField(help_text="Everything posted up to here is in this seal or an earlier one")
    first_journal_id = models.BigIntegerField()
    last_journal_id = models.BigIntegerField()
    journal_count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    # SHA-256 over every row: an equal one proves them all at the speed of reading (`wallet.ledger.row_digests`).
    rows_digest = models.BinaryField(max_length=33, null=True)
    seal_hash = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)

    class Meta:
        ordering = ["id"]
        triggers = append_only("ledger_seal")
        constraints = [
            models.CheckConstraint(condition=Q(journal_count__gt=0), name="ledger_seal_is_never_empty"),
            models.CheckConstraint(
                condition=Q(first_journal_id__lte=F("last_journal_id")), name="ledger_seal_runs_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"Ledger seal {self.pk}"


class Checkpoint(models.Model):
    """The balance of an unbounded account at a seal's instant, so that a balance reads one row and what came after."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checkpoints", db_index=False)
    at = models.DateTimeField()
    balance_minor = models.BigIntegerField()

    class Meta:
        ordering = ["account_id", "at"]
        triggers = append_only("checkpoint")
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="one_checkpoint_per_account_and_instant")]

    def __str__(self) -> str:
        return f"Checkpoint of account {self.account_id} at {self.at}"

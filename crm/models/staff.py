"""What lets people in: links sent by e-mail, and grants that a second administrator approves."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState, GrantKind, LinkKind, Role
from crm.models.approvals import ApprovalMixin
from crm.models.people import Book, Brand, Desk, User


class SecondFactorStep(models.Model):
    """The half minute of the last code of an authenticator app that a person used: a code works once, cache or no cache."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    step = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.step}"


class LinkRequest(models.Model):
    """Somebody asked for a link by e-mail. A worker looks whether the login exists, so that the answer takes as long either way."""

    kind = models.CharField(max_length=20, choices=LinkKind.choices)
    username = models.CharField(max_length=150)
    requested_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class AccessLink(models.Model):
    """A link sent to one person's e-mail, good once and for a limited time. Only a hash of its secret is kept."""

    kind = models.CharField(max_length=20, choices=LinkKind.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_links")
    email = models.EmailField(help_text="The address it was sent to; the link dies when the login's address changes")
    secret_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(used_at__isnull=True, revoked_at__isnull=True),
                name="one_open_link_per_user_and_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="a_used_link_is_not_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class GrantRequest(ApprovalMixin):
    """One administrator asks for a role or a reach for somebody; another one decides. Nobody decides about themselves."""

    kind = models.CharField(max_length=8, choices=GrantKind.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grant_requests")
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="grant_requests_by_user")]
        constraints = [
            models.CheckConstraint(
                condition=(
                    (models.Q(kind="role") & ~models.Q(role="") & models.Q(brand=None, desk=None, book=None))
                    | models.Q(kind="brand", role="", brand__isnull=False, desk=None, book=None)
                    | models.Q(kind="desk", role="", brand=None, desk__isnull=False, book=None)
                    | models.Q(kind="book", role="", brand=None, desk=None, book__isnull=False)
                ),
                name="grant_request_names_one_thing",
            ),
            *ApprovalMixin.constraints("grant_request"),
            models.CheckConstraint(
                condition=~models.Q(state=ApprovalState.APPROVED) | ~models.Q(decided_by=models.F("user")),
                name="nobody_approves_a_grant_for_themselves",
            ),
            models.CheckConstraint(
                condition=~models.Q(requested_by=models.F("user")), name="nobody_asks_a_grant_for_themselves"
            ),
            ApprovalMixin.one_open(
                "user", "kind", "role", "brand", "desk", "book", name="one_open_request_per_grant", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} → {self.user}"

    @property
    def thing(self) -> Brand | Desk | Book | None:
        """The brand, desk or book of a reach; None for a role."""
        return self.brand or self.desk or self.book

    @property
    def what(self) -> str:
        if self.kind == GrantKind.ROLE:
            return str(_("Role “%(role)s”") % {"role": Role(self.role).label})
        return f"{GrantKind(self.kind).label}: {self.thing}"

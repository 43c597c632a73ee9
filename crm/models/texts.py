"""A brand's own texts: drafts, published versions, proposals, and the exact wording that somebody agreed to.

What texts there are is declared: `crm.texts.catalogue`.
"""

from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.models.people import Brand, User

HEADING_MAX = 500
BODY_MAX = 200_000


class Sha256OfText(Func):
    """The hash of heading, an empty line and body, as PostgreSQL computes it."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    arg_joiner = " || E'\\n\\n' || "
    output_field = models.CharField()


class TextContent(models.Model):
    """One text of a brand in one language: which, and what it says."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=60)
    language = models.CharField(max_length=8)
    heading = models.CharField(
        max_length=HEADING_MAX, blank=True, help_text=_("Subject of an e-mail, label of a tick box")
    )
    body = models.TextField(blank=True, max_length=BODY_MAX)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key} ({self.language})"


class TextDraft(TextContent):
    """What somebody is writing. It replaces nothing until it is published, and goes then."""

    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "key", "language"], name="one_draft_per_text_and_language")
        ]


class TextProposal(ApprovalMixin, TextContent):
    """A version that another person decides."""

    is_default = models.BooleanField(default=False)
    must_accept = models.BooleanField(default=False)
    effective_at = models.DateTimeField(null=True, help_text=_("Empty: as soon as it is approved"))

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "key", "-id"], name="text_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("text_proposal"),
            ApprovalMixin.one_open("brand", "key", "language", name="one_open_proposal_per_text_and_language"),
        ]


class TextVersion(TextContent):
    """A published version: in force from a moment on, until a later one is. None is ever changed.

    `is_default`: from then on the built-in text again. `must_accept`: clients who agreed before are asked again.
    """

    number = models.PositiveIntegerField(help_text="Counts up per brand, text and language")
    is_default = models.BooleanField(default=False)
    must_accept = models.BooleanField(default=False)
    effective_at = models.DateTimeField()
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    published_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        triggers = append_only("text_version")
        permissions = [
            ("edit_texts", gettext_noop("May open the texts of a brand and approve those in their own area")),
            ("manage_texts", gettext_noop("May write and publish e-mails to clients and notices")),
            ("manage_legal_texts", gettext_noop("May propose and approve consents, agreements and risk warnings")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "key", "language", "number"], name="text_versions_count_up_per_language"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="text_version_has_a_reason"),
            models.CheckConstraint(
                condition=Q(effective_at__gte=F("published_at")), name="text_version_is_in_force_after_it_is_published"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(heading="", body=""), name="default_text_version_says_nothing_itself"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("published_by")),
                name="text_version_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(heading__contains="\n") & ~Q(heading__contains="\r"), name="text_heading_is_one_line"
            ),
        ]


class TextWording(TextContent):
    """Exactly what somebody read, with all values filled in, by its hash. Acceptances point at one; none is ever changed."""

    version = models.ForeignKey(
        TextVersion, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: the built-in text"
    )
    sha256 = models.CharField(max_length=64, help_text="Of heading, empty line, body in UTF-8")
    first_read_at = models.DateTimeField()

    class Meta:
        triggers = append_only("text_wording")
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "key", "language", "version", "sha256"],
                nulls_distinct=False,
                name="one_row_per_wording",
            ),
            models.CheckConstraint(
                condition=Q(sha256=Sha256OfText(F("heading"), F("body"))), name="hash_is_of_this_wording"
            ),
        ]

"""Where leads come from: campaigns with their cost, landing pages, and sources that post leads by API."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from crm.models import Brand, User

SHOWN_FIELDS_MAX = 10


class Campaign(models.Model):
    """One effort to win clients, known by its code (`utm_campaign`)."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="campaigns")
    code = models.SlugField(max_length=60, help_text=_("The value of utm_campaign"))
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=60, blank=True, help_text=_("e.g. google, facebook, a portal's name"))
    medium = models.CharField(max_length=40, blank=True, help_text=_("e.g. cpc, email, affiliate"))
    cost = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        default=0,
        help_text=_("Spent so far, in the brand's base currency; not used once there is spend by day"),
    )
    quality = models.PositiveSmallIntegerField(
        default=5, help_text=_("Quality of its leads so far, 0 to 10; used for scoring")
    )
    network_names = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text=_("Names or numbers of its campaigns at Google Ads or Meta Ads, one per line"),
    )
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["brand_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "code"], name="campaign_code_is_unique_in_its_brand"),
            models.CheckConstraint(condition=models.Q(quality__lte=10), name="campaign_quality_is_at_most_ten"),
            models.CheckConstraint(condition=models.Q(cost__gte=0), name="campaign_cost_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(starts_on=None)
                | models.Q(ends_on=None)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LandingPage(models.Model):
    """A public page with a form, in one language. The same slug in two languages is one address."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="landing_pages")
    slug = models.SlugField(max_length=60)
    language = models.CharField(max_length=8)
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="landing_pages",
        help_text=_("Used for visitors without utm_campaign"),
    )
    country = models.CharField(max_length=2, blank=True, help_text=_("Preselected in the form"))
    headline = models.CharField(max_length=120)
    subline = models.CharField(max_length=300, blank=True)
    points = models.JSONField(default=list, blank=True, help_text=_("Up to four: icon, title, text"))
    call_to_action = models.CharField(max_length=60)
    thanks_title = models.CharField(max_length=120)
    thanks_text = models.CharField(max_length=400, blank=True)
    is_published = models.BooleanField(default=True)
    # Ids of the brand's custom fields, which are archived and never deleted; the form keeps the brand's order.
    shown_fields = ArrayField(models.BigIntegerField(), default=list, blank=True)
    required_fields = ArrayField(models.BigIntegerField(), default=list, blank=True)
    asks_experience = models.BooleanField(default=False)
    asks_deposit = models.BooleanField(default=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["brand_id", "slug", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "slug", "language"], name="one_landing_page_per_slug_and_language"
            ),
            models.CheckConstraint(
                condition=models.Q(required_fields__contained_by=models.F("shown_fields")),
                name="required_fields_are_on_the_form",
            ),
            models.CheckConstraint(
                condition=models.Q(shown_fields__len__lte=SHOWN_FIELDS_MAX), name="landing_form_stays_short"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} ({self.language})"

    def get_absolute_url(self) -> str:
        return f"/l/{self.brand.code}/{self.slug}/?lang={self.language}"


class LeadSource(models.Model):
    """Someone who posts leads to `/api/leads/`: an affiliate network, a partner's site. One key each."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="lead_sources")
    name = models.CharField(max_length=80)
    code = models.SlugField(max_length=60, help_text=_("Recorded as the lead's source"))
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    key_prefix = models.CharField(max_length=12, unique=True)
    key_hash = models.CharField(max_length=64, help_text="SHA-256 of the key; the key itself is shown once")
    is_active = models.BooleanField(default=True)
    needs_signature = models.BooleanField(default=False)
    sealed_signing_secret = models.BinaryField(null=True, editable=False)
    sealed_old_signing_secret = models.BinaryField(
        null=True, editable=False, help_text="Counts too until `old_signing_secret_until`"
    )
    old_signing_secret_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(
        excluded_fields=["key_hash", "sealed_signing_secret", "sealed_old_signing_secret", "old_signing_secret_until"]
    )

    class Meta:
        ordering = ["brand_id", "name"]
        permissions = [("manage_sources", "May create and stop sources that post leads")]
        constraints = [
            models.UniqueConstraint(fields=["brand", "code"], name="lead_source_is_unique_in_its_brand"),
            models.CheckConstraint(
                condition=models.Q(needs_signature=False) | models.Q(sealed_signing_secret__isnull=False),
                name="a_source_that_signs_has_a_secret",
            ),
            models.CheckConstraint(
                condition=models.Q(sealed_old_signing_secret__isnull=True, old_signing_secret_until__isnull=True)
                | models.Q(sealed_old_signing_secret__isnull=False, old_signing_secret_until__isnull=False),
                name="an_old_signing_secret_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LeadSourceRequest(models.Model):
    """The id of a signed request, kept as long as its signature could be sent again."""

    source = models.ForeignKey(LeadSource, on_delete=models.PROTECT, related_name="+", db_index=False)
    message_id = models.CharField(max_length=80)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["source", "message_id"], name="a_signed_request_is_taken_once")]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.message_id}"

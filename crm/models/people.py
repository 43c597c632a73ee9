"""Brands, desks, books and everyone who signs in.

Object rights are held on Brand, Desk and Book (and Partner, in `ib`), never on single clients: a client is reached
through its book, so that visibility is an IN over a handful of ids.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from crm.choices import COUNTRY_OF_LICENCE, Jurisdiction, UserKind

if TYPE_CHECKING:
    from crm.security.scope import Reach


class LegalEntity(models.Model):
    """The company behind one or more brands, with its licence. A change reaches its brands' copies in the same statement."""

    name = models.CharField(max_length=160, unique=True)
    registration_number = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=300, blank=True)
    jurisdiction = models.CharField(max_length=8, choices=Jurisdiction.choices)
    licence_number = models.CharField(max_length=60, blank=True)
    archived_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "legal entities"
        permissions = [("manage_company", gettext_noop("May set up legal entities, brands, desks and books"))]
        constraints = [
            # What the brands' copies refer to; see `brand_prints_its_legal_entity` in crm/sql/legal_entities.sql.
            models.UniqueConstraint(
                fields=["id", "name", "jurisdiction", "licence_number"], name="legal_entity_as_printed"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """A trading name under one licence. Clients, money and documents of two brands never mix."""

    code = models.SlugField(max_length=20, unique=True, help_text=_("Short name used in URLs, e.g. 'meridian'"))
    name = models.CharField(max_length=80)
    # The three that pages and documents print are copies of the legal entity's: a foreign key holds and changes them.
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="brands", null=True)
    legal_name = models.CharField(max_length=160)
    jurisdiction = models.CharField(max_length=8, choices=Jurisdiction.choices)
    licence_number = models.CharField(max_length=60, blank=True)
    base_currency = models.CharField(max_length=5, default="EUR")
    currencies = ArrayField(
        models.CharField(max_length=5), default=list, blank=True, help_text=_("Of wallets and accounts; empty: any")
    )
    languages = ArrayField(models.CharField(max_length=8), default=list)
    default_language = models.CharField(max_length=8, default="en")
    time_zone = models.CharField(max_length=40, default="UTC")
    support_email = models.EmailField()
    sender_email = models.EmailField(blank=True, help_text=_("Sender of e-mails; empty: the installation's own"))
    colour = models.CharField(max_length=7, default="#1d4ed8", help_text=_("Main colour, as #rrggbb"))
    accent_colour = models.CharField(max_length=7, default="#0f766e")
    logo_version = models.CharField(max_length=12, blank=True, help_text=_("Changes with the logo; empty without one"))
    is_logo_wide = models.BooleanField(default=False, help_text=_("The logo contains the brand's name"))
    picture_version = models.CharField(max_length=12, blank=True)
    loss_percentage = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Retail accounts that lose money, in per cent")
    )
    texts_version = models.CharField(max_length=12, blank=True, help_text=_("Changes with the brand's own texts"))
    policies_version = models.CharField(max_length=12, blank=True, help_text=_("Changes with the brand's policies"))
    country_rules_version = models.CharField(
        max_length=12, blank=True, help_text=_("Changes with the brand's country rules")
    )
    kyc_level_table = models.PositiveBigIntegerField(
        default=0, help_text=_("The table of KYC levels in force; 0: the default levels")
    )
    questionnaires_version = models.CharField(
        max_length=12, blank=True, help_text=_("Changes with the brand's published questionnaires")
    )
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        permissions = [("access_brand", gettext_noop("May see everything of this brand that the role allows"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(loss_percentage__isnull=True) | models.Q(loss_percentage__lte=100),
                name="loss_percentage_is_at_most_100",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def licence_country(self) -> str:
        """The country of the licence, as ISO 3166-1 says it."""
        return COUNTRY_OF_LICENCE.get(self.jurisdiction, self.jurisdiction)

    def offers_currency(self, currency: str) -> bool:
        """Check whether new accounts and deposits may be in a currency."""
        return not self.currencies or currency in self.currencies


class Desk(models.Model):
    """A team with one head, languages and countries it serves."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="desks")
    name = models.CharField(max_length=80)
    languages = ArrayField(models.CharField(max_length=8), default=list)
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    time_zone = models.CharField(max_length=40, default="UTC")
    archived_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["brand_id", "name"]
        permissions = [("access_desk", gettext_noop("May see the clients of this desk"))]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="desk_name_is_unique_in_its_brand")]

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """A set of clients that are reached together: one agent's book, or a desk's pool."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="books")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="books", null=True, blank=True)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey("crm.User", on_delete=models.PROTECT, related_name="books", null=True, blank=True)
    is_pool = models.BooleanField(default=False, help_text=_("New leads without an owner go here"))
    archived_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["brand_id", "name"]
        permissions = [("access_book", gettext_noop("May see the clients of this book"))]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="book_name_is_unique_in_its_brand")]

    def __str__(self) -> str:
        return self.name


class StaffHistory(HistoricalRecords):
    """Versions of staff records only, and not of what changes at every sign-in or click."""

    PASSING = frozenset({"last_login", "preferences", "password"})

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        changed = kwargs.get("update_fields")
        if getattr(instance, "kind", "") != UserKind.STAFF or (changed and set(changed) <= self.PASSING):
            return
        super().post_save(instance, created, using=using, **kwargs)


class User(AbstractUser):
    """Everyone who signs in. Staff sign in by e-mail; a client's or partner's user name is `brand/e-mail`."""

    kind = models.CharField(max_length=8, choices=UserKind.choices, default=UserKind.STAFF)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="users", null=True, blank=True)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="members", null=True, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    language = models.CharField(max_length=8, default="en")
    time_zone = models.CharField(max_length=40, default="UTC")
    is_accepting_leads = models.BooleanField(default=True)
    lead_capacity_per_day = models.PositiveIntegerField(default=40)
    preferences = models.JSONField(default=dict, blank=True)
    history = StaffHistory(excluded_fields=sorted(StaffHistory.PASSING))
    # Read once per request by crm.security.scope; Django names the first one.
    _perm_cache: set[str]
    _keelson_reach: "Reach"
    _keelson_desks: set[int]
    _keelson_granted_partners: list[int]

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="staff") | models.Q(brand__isnull=False),
                name="client_or_partner_login_has_a_brand",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="staff") | models.Q(is_staff=False, is_superuser=False),
                name="client_or_partner_login_is_never_staff",
            ),
            models.UniqueConstraint(fields=["email"], condition=models.Q(kind="staff"), name="staff_email_is_unique"),
        ]
        indexes = [
            GinIndex(
                OpClass(Upper("email"), name="gin_trgm_ops"),
                condition=models.Q(kind="partner"),
                name="partner_logins_by_email_part",
            )
        ]
        permissions = [
            ("manage_staff", gettext_noop("May invite staff and change their roles and access")),
            (
                "see_unmasked_contacts",
                gettext_noop("May see phone numbers and e-mail addresses without revealing them one by one"),
            ),
            ("view_audit", gettext_noop("May read the audit log")),
            ("export_audit", gettext_noop("May export a sealed audit pack")),
            ("view_access_log", gettext_noop("May read the access log")),
            ("explain_access", gettext_noop("May see why a user has access to a record")),
            ("manage_events", gettext_noop("May resend and skip failed events")),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Answer from the rights that were read for this request; a page asks some thirty times, and Django each backend."""
        known: set[str] | None = self.__dict__.get("_perm_cache")
        if obj is None and known is not None and self.is_active and not self.is_superuser:
            return perm in known
        return super().has_perm(perm, obj)

    @property
    def is_client(self) -> bool:
        return self.kind == UserKind.CLIENT

    @property
    def is_partner(self) -> bool:
        return self.kind == UserKind.PARTNER

    @property
    def is_team(self) -> bool:
        """Whether roles and reach hold for them: staff and service accounts. Django's `is_staff` only opens the set-up tables."""
        return self.kind in (UserKind.STAFF, UserKind.SERVICE)

    @property
    def is_service(self) -> bool:
        """Whether a program acts here: it signs in nowhere, its tokens open the API."""
        return self.kind == UserKind.SERVICE


# Who does something: a person, or the system itself (its own tasks and handlers).
Actor: TypeAlias = User | None

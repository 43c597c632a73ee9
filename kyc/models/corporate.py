"""Companies, the people linked to them, and the shares that people and other entities hold in them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.models import Brand

DEPTH_MAX = 5


class Company(models.Model):
    """A client that is a legal entity. Its name is the client's last name too, for lists, search and screening."""

    client = models.OneToOneField(Client, on_delete=models.PROTECT, primary_key=True, related_name="company")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("company name"), max_length=80)
    registration_number = models.CharField(_("registration number"), max_length=40)
    legal_form = models.CharField(_("legal form"), max_length=60)
    country = models.CharField(_("country of incorporation"), max_length=2)
    incorporated_on = models.DateField(_("incorporated on"), null=True, blank=True)
    lei = models.CharField("LEI", max_length=20, blank=True)
    registered_address = models.CharField(_("registered address"), max_length=240)
    trading_address = models.CharField(_("trading address"), max_length=240, blank=True)
    activity = models.CharField(_("business activity"), max_length=300)
    created_at = models.DateTimeField()

    class Meta:
        permissions = [("manage_company", "May enter a company's details, people and ownership")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(registration_number=""), name="company_has_a_name_and_a_number"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="company_has_a_country"),
            models.CheckConstraint(
                condition=Q(lei="") | Q(lei__regex=r"^[0-9A-Z]{18}[0-9]{2}$"), name="lei_has_its_form"
            ),
            models.UniqueConstraint(
                "brand",
                "country",
                models.functions.Upper("registration_number"),
                name="one_company_per_number_and_country",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CompanyPerson(models.Model):
    """A person linked to a company. The person is a client record of its own, so documents, checks and screening are as for all."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="people", db_index=False)
    person = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="companies")
    is_director = models.BooleanField(_("director"), default=False)
    is_signatory = models.BooleanField(_("authorised signatory"), default=False)
    is_managing_official = models.BooleanField(_("senior managing official"), default=False)
    linked_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "person"], condition=Q(left_at__isnull=True), name="a_person_is_linked_once"
            ),
            models.CheckConstraint(condition=~Q(person=F("company")), name="a_company_is_not_its_own_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.company_id}"


class Shareholding(models.Model):
    """A share of a company, or of an entity that holds one: held by a person, or by an entity whose holders are below it."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="shareholdings")
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="holders",
        help_text="The entity held; None: the company",
    )
    person = models.ForeignKey(CompanyPerson, on_delete=models.PROTECT, null=True, related_name="shareholdings")
    entity_name = models.CharField(max_length=80, blank=True)
    entity_number = models.CharField(max_length=40, blank=True)
    entity_country = models.CharField(max_length=2, blank=True)
    share = models.DecimalField(_("share in per cent"), max_digits=5, decimal_places=2)
    depth = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["depth", "-share", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=100), name="share_is_a_percentage"),
            models.CheckConstraint(condition=Q(depth__gte=1, depth__lte=DEPTH_MAX), name="ownership_chain_is_bounded"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, depth=1) | Q(parent__isnull=False, depth__gt=1),
                name="only_the_first_shares_are_of_the_company",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False, entity_name="") | (Q(person__isnull=True) & ~Q(entity_name="")),
                name="a_share_is_held_by_a_person_or_an_entity",
            ),
            models.UniqueConstraint(
                fields=["company", "parent", "person"],
                condition=Q(person__isnull=False),
                name="a_person_holds_a_share_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.share} % of {self.parent_id or self.company_id}"

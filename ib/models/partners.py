"""Partners, their tree through time, their links, and whose client a client is."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clients.models import Client
from crm.db.dated import dated_once, ends_after_start
from crm.db.states import HasState
from crm.models import Brand, User
from ib.choices import PARTNER_TRANSITIONS, AttributionMethod, PartnerState

# A dated row is written once; what may happen to it later is that it gets an end.
ONLY_THE_END_MAY_CHANGE = """
IF TG_OP = 'DELETE' OR OLD.ends_at IS NOT NULL
   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at' THEN
  RAISE EXCEPTION '{what}: history stays as it was; end this row and write a new one';
END IF;
RETURN NEW;
"""


def history_stays(name: str, what: str) -> pgtrigger.Trigger:
    """Declare the trigger that lets a row of history change in nothing but its end."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        func=ONLY_THE_END_MAY_CHANGE.format(what=what),
    )


class Partner(HasState):
    """An introducing broker: refers clients, may have sub-partners, is paid commissions into a wallet of their own."""

    TRANSITIONS = {"state": PARTNER_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="partners")
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="partner")
    client = models.OneToOneField(
        Client,
        on_delete=models.PROTECT,
        related_name="as_partner",
        null=True,
        blank=True,
        help_text=_("The partner's own client record, if they also trade"),
    )
    code = models.SlugField(max_length=24)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=5, help_text=_("Currency in which commissions are paid out"))
    state = models.CharField(max_length=8, choices=PartnerState.choices, default=PartnerState.PENDING)
    manager = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="managed_partners",
        null=True,
        blank=True,
        help_text=_("Responsible IB manager"),
    )
    joined_at = models.DateTimeField()
    last_day = models.DateField(null=True, blank=True, help_text="By the brand's calendar; they leave after it")
    leaving_reason = models.CharField(max_length=200, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("access_partner", "May see this partner and the network below"),
            ("manage_partners", "May create partners, move them in the tree and assign clients"),
            ("propose_plan", "May write and propose commission plans"),
            ("approve_plan", "May activate a plan somebody else proposed"),
            ("run_commissions", "May recalculate commissions"),
            ("settle_commissions", "May close a commission period and settle it"),
        ]
        constraints = [models.UniqueConstraint(fields=["brand", "code"], name="partner_code_is_unique_in_its_brand")]
        indexes = [
            models.Index(fields=["brand", "-id"], name="partners_by_brand"),
            models.Index(fields=["manager", "-id"], name="partners_by_manager"),
            GinIndex(
                OpClass(Upper("name"), name="gin_trgm_ops"),
                OpClass(Upper("code"), name="gin_trgm_ops"),
                name="partners_by_part_of_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/ib/partners/{self.pk}/"


class PartnerSpell(models.Model):
    """When a partner was active. Whether a trade earned is asked of the instant it closed, not of today."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="spells")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["partner_id", "starts_at"]
        triggers = [history_stays("partner_spell_stays", "when a partner was active")]
        constraints = [
            ends_after_start("partner_spell_ends_after_it_starts"),
            dated_once("partner_spells_do_not_overlap", "partner"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.starts_at:%Y-%m-%d}"


# A cycle exists at an instant when every link of it holds then: the walk carries the common time of the links on its way.
# The lock makes two movers wait for each other, so that neither misses the other's row.
REFUSE_CYCLE = """
PERFORM pg_advisory_xact_lock(hashtext('ib.tree'));
IF EXISTS (
  WITH RECURSIVE walk(partner_id, valid) AS (
    SELECT NEW.parent_id, tstzrange(NEW.starts_at, NEW.ends_at)
    UNION ALL
    SELECT l.parent_id, walk.valid * tstzrange(l.starts_at, l.ends_at)
    FROM walk JOIN ib_partnerlink l ON l.partner_id = walk.partner_id AND l.id <> NEW.id
    WHERE walk.valid && tstzrange(l.starts_at, l.ends_at) AND walk.partner_id <> NEW.partner_id
  )
  SELECT 1 FROM walk WHERE partner_id = NEW.partner_id
) THEN
  RAISE EXCEPTION 'a partner cannot stand above itself in the tree'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_tree_has_no_cycle';
END IF;
IF (SELECT count(DISTINCT brand_id) FROM ib_partner WHERE id IN (NEW.partner_id, NEW.parent_id)) > 1 THEN
  RAISE EXCEPTION 'a partner and its parent belong to one brand'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_tree_stays_in_one_brand';
END IF;
RETURN NULL;
"""


class PartnerLink(models.Model):
    """Who stood directly above whom, and when. Moving a partner ends one row and starts another."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="links_up")
    parent = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="links_down")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["partner_id", "starts_at"]
        triggers = [
            pgtrigger.Trigger(
                name="partner_tree_has_no_cycle",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                func=REFUSE_CYCLE,
            ),
            history_stays("partner_link_stays", "the tree of the past"),
        ]
        constraints = [
            ends_after_start("partner_link_ends_after_it_starts"),
            dated_once("a_partner_has_one_parent_at_a_time", "partner"),
            models.CheckConstraint(condition=~Q(partner=F("parent")), name="partner_is_not_its_own_parent"),
        ]
        indexes = [models.Index(fields=["parent", "partner"], name="partner_links_down")]

    def __str__(self) -> str:
        return f"{self.partner_id} below {self.parent_id}"


class Upline(models.Model):
    """Snapshot of the tree: everyone above a partner, at which level, and when. Level 1 is the partner itself.

    Derived from PartnerLink by `ib.tree.rebuild_upline`; joins read it instead of walking.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="upline")
    ancestor = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="downline")
    level = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["partner_id", "level", "starts_at"]
        constraints = [
            ends_after_start("upline_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(level__gte=1), name="upline_level_counts_from_one"),
            models.UniqueConstraint(fields=["partner", "level", "starts_at"], name="upline_has_one_partner_per_level"),
        ]
        indexes = [models.Index(fields=["ancestor", "ends_at", "level", "partner"], name="downline_of_a_partner")]

    def __str__(self) -> str:
        return f"{self.partner_id} → {self.ancestor_id} ({self.level})"


class ReferralLink(models.Model):
    """An address a partner shares. `/r/<code>/` counts the click and leads to the brand's registration."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="referral_links")
    code = models.SlugField(max_length=24, unique=True)
    campaign = models.CharField(max_length=80, blank=True)
    landing = models.CharField(
        max_length=200, blank=True, help_text=_("Path on this site. Leave empty for the brand's registration page")
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["partner", "-id"], name="referral_links_by_partner")]

    def __str__(self) -> str:
        return self.code


class ReferralDay(models.Model):
    """Clicks and registrations of a link on one day (UTC), by the partner's sub-id, the visitor's country and the link's tags."""

    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    sub_id = models.CharField(
        max_length=60, blank=True, help_text=_("The partner's own name for where the link was placed")
    )
    country = models.CharField(max_length=2, blank=True)
    utm_source = models.CharField(max_length=60, blank=True, db_default="")
    utm_medium = models.CharField(max_length=60, blank=True, db_default="")
    utm_campaign = models.CharField(max_length=60, blank=True, db_default="")
    clicks = models.PositiveIntegerField(default=0)
    registrations = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["link", "day", "sub_id", "country", "utm_source", "utm_medium", "utm_campaign"],
                name="one_row_per_link_day_and_source",
            )
        ]

    def __str__(self) -> str:
        return f"{self.link_id} {self.day}"


class SourceDay(models.Model):
    """Clicks of a partner's links on a day (UTC) that is over, by a kind of source; kept each night (`ib.tracking.source_days`)."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="source_days", db_index=False)
    day = models.DateField()
    kind = models.CharField(max_length=8, help_text="link, sub, country, source, medium or campaign")
    key = models.CharField(max_length=60, blank=True, help_text="The link's id, the sub-id, the country or the tag")
    clicks = models.BigIntegerField()

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "kind", "day", "key"], name="one_source_day_per_partner_and_key")
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.day} {self.kind} {self.key}"


class Attribution(models.Model):
    """Whose client a client is, and since when. One open row per client; moving ends it and starts another."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="attributions")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="attributions")
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, null=True, blank=True, related_name="attributions")
    method = models.CharField(max_length=8, choices=AttributionMethod.choices)
    sub_id = models.CharField(
        max_length=60, blank=True, help_text=_("The partner's own name for where the link was placed")
    )
    click_id = models.CharField(max_length=200, blank=True, help_text=_("The click in the partner's own system"))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-starts_at"]
        triggers = [history_stays("attribution_stays", "whose client a client was")]
        constraints = [
            ends_after_start("attribution_ends_after_it_starts"),
            models.UniqueConstraint(
                fields=["client"], condition=Q(ends_at__isnull=True), name="one_open_attribution_per_client"
            ),
            dated_once("attributions_of_a_client_do_not_overlap", "client"),
        ]
        indexes = [models.Index(fields=["partner", "ends_at", "-id"], name="clients_of_a_partner")]

    def __str__(self) -> str:
        return f"client {self.client_id} of partner {self.partner_id}"

"""What a brand's partner managers publish for partners, and which months were e-mailed to whom."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from crm.models import Brand, User
from ib.models.partners import Partner

# What was published stays as it was read; it may be withdrawn once.
PUBLISHED_STAYS = """
IF TG_OP = 'INSERT' THEN
  IF NEW.partner_id IS NOT NULL AND NEW.brand_id <> (SELECT brand_id FROM ib_partner WHERE id = NEW.partner_id)
     OR EXISTS (
       SELECT FROM unnest(NEW.chosen) one LEFT JOIN ib_partner p ON p.id = one AND p.brand_id = NEW.brand_id WHERE p.id IS NULL
     ) THEN
    RAISE EXCEPTION 'news of a partner are of the partner''s brand'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'news_stay_in_the_brand';
  END IF;
ELSIF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL
   OR OLD.notified_at IS NOT NULL AND NEW.notified_at IS DISTINCT FROM OLD.notified_at
   OR to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_by_id' - 'notified_at'
     IS DISTINCT FROM to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_by_id' - 'notified_at' THEN
  RAISE EXCEPTION 'published news stay as they were; withdraw them and publish others';
END IF;
RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
"""


class PartnerNews(models.Model):
    """A short text for a brand's partners, one and everyone below, or chosen ones, on their home from one day to another."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="partner_news")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    chosen = ArrayField(models.BigIntegerField(), null=True, help_text="The partners chosen in the list")
    notifies = models.BooleanField(default=False, help_text="Also in the bell and by e-mail, as each login has set it")
    notified_at = models.DateTimeField(null=True)
    texts = models.JSONField(help_text="By language: [title, text]")
    starts_on = models.DateField(help_text="By the brand's calendar")
    ends_on = models.DateField(help_text="The last day on which it is shown")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "partner news"
        indexes = [
            models.Index(
                fields=["id"],
                name="ib_news_to_notify",
                condition=Q(notifies=True, notified_at__isnull=True, withdrawn_at__isnull=True),
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="published_news_stay",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=PUBLISHED_STAYS,
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="news_end_after_they_start"),
            models.CheckConstraint(condition=~Q(texts={}), name="news_say_something"),
            models.CheckConstraint(
                condition=Q(chosen__isnull=True) | Q(partner__isnull=True, chosen__len__gte=1, chosen__len__lte=1_000),
                name="news_are_for_a_network_or_for_chosen_partners",
            ),
            models.CheckConstraint(
                condition=Q(notified_at__isnull=True) | Q(notifies=True), name="news_notify_where_they_should"
            ),
        ]

    def __str__(self) -> str:
        title = self.texts.get((get_language() or "")[:2]) or next(iter(self.texts.values()))
        return str(title[0])


class MonthlyFigures(models.Model):
    """A partner's month whose figures were sent to them; they are sent once."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="monthly_figures", db_index=False)
    month = models.DateField(help_text="Its first day, UTC as in the daily sums")
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["-month", "partner_id"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "month"], name="a_month_is_sent_once_per_partner"),
            models.CheckConstraint(condition=Q(month__day=1), name="month_sent_is_named_by_its_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.month:%Y-%m}"

"""Month-end jobs that a person starts: client money of a month, its report, the pack."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.errors import NotAllowed
from crm.files.jobs import RunningJob, job_kind
from crm.models import Brand
from crm.security.policies import require
from crm.security.scope import reach_of
from wallet.choices.documents import Ending
from wallet.closing import client_money, client_money_report, policies
from wallet.closing.month_pack import make_pack, write_archive
from wallet.core.months import Month, month_named
from wallet.core.queries import periods_visible_to
from wallet.documents import pdf, xlsx
from wallet.documents.making import address_of
from wallet.models import ClientMoneyDay


def _brand(job: RunningJob) -> Brand:
    """Find the job's brand; the owner may have lost it since. Raises: NotAllowed."""
    brand = Brand.objects.filter(pk__in=reach_of(job.owner).whole_brands, pk=job.parameters["brand_id"]).first()
    if brand is None:
        raise NotAllowed(_("You don't have access to this brand."))
    return brand


def _month(job: RunningJob) -> Month:
    month = month_named(job.parameters["month"])
    assert month is not None
    return month


@job_kind("wallet.client_money_month", title=gettext_noop("Client money calculation for a month"))
def client_money_month(job: RunningJob) -> None:
    """Compute the days that are over and missing, one by one: each is stored when it is done."""
    brand, month = _brand(job), _month(job)
    require(policies.can_close_period(job.owner, brand.pk))
    stored = set(
        ClientMoneyDay.objects.filter(brand=brand, day__range=(month.first, month.last)).values_list("day", flat=True)
    )
    today = timezone.now().astimezone(dt.UTC).date()
    days = [day for day in month.days if day < today and day not in stored]
    for number, day in enumerate(days):
        job.progress(number, len(days), day.isoformat())
        client_money.keep_day(brand=brand, day=day)
    job.progress(len(days), len(days), "")
    job.point_to(reverse("wallet:client_money", args=[brand.code]) + f"?month={month}")


@job_kind("wallet.client_money_report", title=gettext_noop("Client money report"))
def client_money_file(job: RunningJob) -> None:
    """Write the daily calculation of a month as CSV, PDF or workbook."""
    brand, month, ending = _brand(job), _month(job), job.parameters["ending"]
    _require_export(job)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{ending}"
        if ending == "csv":
            client_money_report.write_csv(brand, month, path)
        else:
            writer: Any = pdf if ending == "pdf" else xlsx
            report = client_money_report.report_of(brand, month)
            writer.write_report(report, path, brand=brand, language=job.owner.language or "en", progress=job.progress)
        job.attach(f"client-money-{brand.code}-{month}.{ending}", path)


@job_kind("wallet.month_pack", title=gettext_noop("Month pack"))
def month_pack(job: RunningJob) -> None:
    """Write a month's pack: PDF or workbook, stored as a document, or an archive of both with the evidence."""
    period = (
        periods_visible_to(job.owner)
        .select_related("brand", "closed_by")
        .filter(pk=job.parameters["period_id"])
        .first()
    )
    if period is None:
        raise NotAllowed(_("You don't have access to this brand."))
    _require_export(job)
    ending = job.parameters["ending"]
    named: dict[str, Any] = {"language": job.owner.language or "en", "made_by": job.owner, "progress": job.progress}
    if ending != "zip":
        document = make_pack(period, Ending(ending), **named)
        job.point_to(address_of(document, job.owner))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        write_archive(period, path, **named)
        job.attach(f"month-pack-{period.brand.code}-{period}.zip", path)


def _require_export(job: RunningJob) -> None:
    if not job.owner.has_perm("wallet.export_money"):
        raise NotAllowed(_("Your role can't export money data."))

"""The administrator's home: who signs in without a second factor, what failed, what the set-up lacks, how the machine is."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.choices import DeliveryState, MailState, Role
from crm.errors import outcome_of
from crm.files import antivirus
from crm.i18n import formats
from crm.models import Brand, EventDelivery, OutgoingMail, User
from crm.pages.failed_mail import FailedMailTable
from crm.security.scope import reach_of
from crm.staff.queries import staff_visible_to
from crm.ui.cards import ListCard, ListRow
from crm.ui.day_counts import CURVE_DAYS, age_text, count_text, count_up_to, counts_by_day, last_days
from crm.ui.kpis import Kpi, once_per_page

COUNT_MAX = 100
DORMANT_DAYS = 60
LATE_MINUTES = 15
DISK_FULL_PERCENT, DISK_LOW_PERCENT = 90, 80


# ── staff ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class StaffState:
    """A member of staff as the set-up looks at them."""

    has_factor: bool
    has_role: bool
    has_password: bool
    is_administrator: bool
    last_login: dt.datetime | None


def _staff(user: User) -> list[StaffState]:
    def read() -> list[StaffState]:
        factors = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=["totp", "webauthn"])
        roles = User.groups.through.objects.filter(user_id=OuterRef("pk"))
        rows = staff_visible_to(user).filter(is_active=True).order_by()
        found = rows.annotate(
            factor=Exists(factors),
            role=Exists(roles.filter(group__name__in=Role.values)),
            administrator=Exists(roles.filter(group__name=Role.ADMINISTRATOR)),
        ).values_list("factor", "role", "password", "administrator", "last_login")
        return [
            StaffState(factor, role, not password.startswith("!"), administrator, last_login)
            for factor, role, password, administrator, last_login in found
        ]

    return once_per_page(user, "crm.staff", read)  # type: ignore[no-any-return]


def second_factors(user: User) -> Kpi:
    """Make the card of the staff who sign in with a second factor; all should."""
    active = [person for person in _staff(user) if person.has_password]
    safe = sum(person.has_factor for person in active)
    missing = len(active) - safe
    return Kpi(
        label=_("Staff without second factor"),
        value=formats.number(missing, 0),
        url=f"{reverse('staff')}?state=on&factor=no",
        icon="smartphone",
        now=safe,
        target=len(active),
        target_text=_("%(now)s of %(all)s set up") % {"now": safe, "all": len(active)},
        tone="danger" if missing else "success",
    )


# ── deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────────
def failed_events(_user: User) -> Kpi:
    """Make the card of the events that nobody could handle: each waits for a decision."""
    dead = count_up_to(EventDelivery.objects.filter(state=DeliveryState.DEAD), COUNT_MAX)
    pending, oldest = _pending_events()
    return Kpi(
        label=_("Failed events"),
        value=count_text(dead, COUNT_MAX),
        url=reverse("events"),
        icon="webhook",
        hint=_("%(count)s pending · oldest overdue for %(age)s") % {"count": pending, "age": age_text(oldest)}
        if oldest
        else _("%(count)s pending, none overdue") % {"count": pending},
        tone="danger" if dead else "success",
    )


def _pending_events() -> tuple[str, dt.datetime | None]:
    waiting = EventDelivery.objects.filter(state=DeliveryState.PENDING).order_by("due_at", "id")
    due = list(waiting.values_list("due_at", flat=True)[:COUNT_MAX])
    overdue = [at for at in due if at <= timezone.now()]
    return count_text(len(due), COUNT_MAX), min(overdue, default=None)


def failed_mail(user: User) -> Kpi:
    """Make the card of the e-mails that failed in seven days, beside the seven days before."""
    days = last_days(CURVE_DAYS)
    counts = counts_by_day(FailedMailTable(user, QueryDict()).queryset(), "finished_at", days)
    now = sum(counts[-7:])
    return Kpi(
        label=_("Failed e-mails in 7 days"),
        value=formats.number(now, 0),
        url=reverse("events_mail"),
        icon="mail",
        now=now,
        before=sum(counts[:7]),
        versus=_("vs the 7 days before"),
        is_more_better=False,
        hint=_("%(count)s waiting to be sent") % {"count": _waiting_mail()[0]},
        trend=counts,
        tone="danger" if counts[-1] else "success",
    )


def _waiting_mail() -> tuple[str, dt.datetime | None]:
    due = list(
        OutgoingMail.objects.filter(state=MailState.WAITING)
        .order_by("due_at")
        .values_list("due_at", flat=True)[:COUNT_MAX]
    )
    return count_text(len(due), COUNT_MAX), min((at for at in due if at <= timezone.now()), default=None)


# ── the machine ──────────────────────────────────────────────────────────────────────────────────────────────────────
def system(_user: User) -> ListCard:
    """List what the machine has left and what waits in its queues."""
    return ListCard(
        title=_("System"),
        rows=[_disk_row(), _database_row(), _scanner_row(), *_queue_rows()],
        icon="server",
        url=reverse("events_waiting"),
        url_text=_("Pending events"),
    )


def _disk_row() -> ListRow:
    folder = Path(settings.PRIVATE_DIR)
    while not folder.exists():
        folder = folder.parent
    disk = shutil.disk_usage(folder)
    used = round(100 * (disk.total - disk.free) / disk.total)
    return ListRow(
        title=_("Storage for documents"),
        note=_("%(free)s of %(total)s free")
        % {"free": formats.file_size(disk.free), "total": formats.file_size(disk.total)},
        end=_("%(percent)s %% used") % {"percent": used},
        tone="danger" if used >= DISK_FULL_PERCENT else "warning" if used >= DISK_LOW_PERCENT else "success",
    )


def _database_row() -> ListRow:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), numbackends, current_setting('max_connections')::int,"
            " current_setting('server_version') FROM pg_stat_database WHERE datname = current_database()"
        )
        size, connections, most, version = cursor.fetchone()
    return ListRow(
        title=_("Database"),
        note=_("PostgreSQL %(version)s · %(count)s of %(most)s connections")
        % {"version": version.partition(" ")[0], "count": connections, "most": most},
        end=formats.file_size(size),
        tone="warning" if connections > most * 0.8 else "",
    )


def _scanner_row() -> ListRow:
    title = _("Virus scanner")
    if not antivirus.is_configured():
        return ListRow(
            title=title, note=_("Not configured: clients' files aren't scanned"), end=_("Off"), tone="warning"
        )
    version = outcome_of(antivirus.version, only=antivirus.ScannerAway)
    if not version:
        return ListRow(
            title=title, note=_("No answer: clients' files wait until it's back"), end=_("Away"), tone="danger"
        )
    return ListRow(title=title, note=version.result[:60], end=_("Ready"), tone="success")


def _queue_rows() -> list[ListRow]:
    late = timezone.now() - dt.timedelta(minutes=LATE_MINUTES)
    rows = []
    for title, url, (count, oldest) in (
        (_("Events to deliver"), reverse("events_waiting"), _pending_events()),
        (_("E-mails to send"), reverse("events_mail"), _waiting_mail()),
    ):
        is_late = oldest is not None and oldest < late
        rows.append(
            ListRow(
                title=title,
                url=url,
                note=_("Oldest overdue for %(age)s") % {"age": age_text(oldest)} if oldest else _("None overdue"),
                end=count,
                tone="danger" if is_late else "success",
            )
        )
    return rows


# ── set-up ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def setup_gaps(user: User) -> ListCard:
    """List what the set-up of staff and brands lacks, each with the page that closes the gap."""
    return ListCard(
        title=_("Set-up gaps"),
        rows=[*_staff_gaps(_staff(user)), *_brand_gaps(user)],
        icon="list-checks",
        url=reverse("staff"),
        url_text=_("Staff"),
        empty=_("No gaps"),
        empty_text=_("Missing second factors, roles, licence numbers and logos appear here."),
    )


def _staff_gaps(staff: list[StaffState]) -> list[ListRow]:
    since = timezone.now() - dt.timedelta(days=DORMANT_DAYS)
    members = reverse("staff")
    counts = [
        (
            sum(person.has_password and not person.has_factor for person in staff),
            _("No second factor"),
            _("They're asked to set one up when they next sign in"),
            f"{members}?state=on&factor=no",
            "danger",
        ),
        (
            sum(not person.has_role for person in staff),
            _("No role"),
            _("They can sign in but see nothing"),
            members,
            "warning",
        ),
        (
            sum(not person.has_password for person in staff),
            _("Invited, not signed in"),
            _("Resend the invitation or deactivate the account"),
            f"{members}?state=invited",
            "warning",
        ),
        (
            sum(person.has_password and (person.last_login is None or person.last_login < since) for person in staff),
            _("Not signed in for %(days)s days") % {"days": DORMANT_DAYS},
            _("Deactivate accounts that are no longer used"),
            f"{members}?state=on",
            "warning",
        ),
    ]
    rows = [
        ListRow(title=title, url=url, note=note, end=formats.number(count, 0), tone=tone)
        for count, title, note, url, tone in counts
        if count
    ]
    administrators = sum(person.is_administrator for person in staff)
    if administrators < 2:
        rows.insert(
            0,
            ListRow(
                title=_("Only one administrator"),
                url=f"{members}?role={Role.ADMINISTRATOR}",
                note=_("Access requests need a second one to approve them"),
                end=formats.number(administrators, 0),
                tone="danger",
            ),
        )
    return rows


def _brand_gaps(user: User) -> list[ListRow]:
    rows = []
    for brand in Brand.objects.filter(pk__in=reach_of(user).whole_brands, archived_at=None).order_by("name"):
        missing = [
            label
            for is_there, label in (
                (brand.logo_version, _("logo")),
                (brand.picture_version, _("picture")),
                (brand.licence_number, _("licence number")),
            )
            if not is_there
        ]
        if missing:
            rows.append(
                ListRow(
                    title=brand.name,
                    url=reverse("brand", args=[brand.pk]),
                    note=_("Missing: %(what)s") % {"what": ", ".join(missing)},
                    end=ngettext("%(count)s gap", "%(count)s gaps", len(missing)) % {"count": len(missing)},
                    tone="warning",
                )
            )
    return rows

"""What reaches whom by which channel: the bell, e-mail for what stays unread, and summaries by the clock on the wall."""

import ast
import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail as outbox

from crm.choices import EmailChannel, Role
from crm.i18n.localized_text import phrase
from crm.models import Notification, NotificationChoice, NotificationSchedule, OutgoingMail
from crm.notices import kinds, mail
from crm.notices.email_channel import PER_HOUR, mask_contacts, send_due, send_to
from crm.notices.kinds import CrmNotice, NotificationKind, kinds_for
from crm.notices.notify import notify
from crm.notices.schedule import held_until, next_time
from crm.notices.settings import Channels, channels_of, reset_settings, save_settings, schedule_of
from leads.choices import LeadsNotice
from tests.racing import race
from wallet.choices.notices import WalletNotice

ROOT = settings.BASE_DIR
FILES = [
    path
    for app in settings.KEELSON_APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
]
MEMBERS = [member for cls in NotificationKind.__subclasses__() for member in cls]
BERLIN = ZoneInfo("Europe/Berlin")
ROUTINE, URGENT = LeadsNotice.LINK_OPENED, WalletNotice.PSP_DOWN


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(dt.UTC)


def choose(user, kind, *, is_in_app=True, email=EmailChannel.OFF, **schedule):
    row = schedule_of(user)
    for name, value in schedule.items():
        setattr(row, name, value)
    save_settings(user=user, channels={kind: Channels(is_in_app, email)}, schedule=row)


def tell(user, kind=URGENT, title="Stripe isn't responding", **fields):
    (row,) = notify([user], kind=kind, title=title, url="/money/psps/", **fields)
    return row


def delivered():
    send_due()
    mail.deliver_due()
    return [message.subject for message in outbox.outbox]


# ── kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_notification_has_a_free_string_as_its_kind():
    offences = []
    for path in FILES:
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "notify" in text else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "notify":
                values = [word.value for word in node.keywords if word.arg == "kind"]
                if not values or isinstance(values[0], ast.Constant | ast.JoinedStr):
                    offences.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not offences, offences


def test_each_kind_is_used_and_named():
    named = set(re.findall(r"\b(\w+Notice)\.([A-Z_]+)\b", "\n".join(path.read_text() for path in FILES)))
    unused = [member.value for member in MEMBERS if (type(member).__name__, member.name) not in named]
    assert not unused, unused
    assert len(MEMBERS) == len(set(MEMBERS)) > 50
    for member in MEMBERS:
        label = str(member.label)
        assert label[0].isupper() and not label.endswith(".") and len(member.value) <= 60, member
        assert kinds.find(member.value) is member


@pytest.mark.django_db
def test_each_right_of_a_kind_exists_and_each_person_sees_their_own_kinds(cast):
    rights = {kind.readers.permission for kind in MEMBERS} - {""}
    assert rights <= cast.administrator.get_all_permissions() | {
        f"{label}.{code}"
        for label, code in Group.objects.values_list("permissions__content_type__app_label", "permissions__codename")
    }
    assert URGENT in kinds_for(cast.finance) and URGENT not in kinds_for(cast.agent)
    assert {str(kind).partition(".")[0] for kind in kinds_for(cast.client_user)} <= {
        "portal",
        "trading",
        "wallet",
        "crm",
        "kyc",
        "clients",
        "support",
        "prop",
    }


# ── the bell ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_kind_that_is_off_in_the_app_neither_shows_nor_pushes(cast, monkeypatch):
    pushed = []
    monkeypatch.setattr("crm.notices.notify.push_live", lambda user, **more: pushed.append(user))
    choose(cast.finance, URGENT, is_in_app=False)
    assert notify([cast.finance, cast.second_finance], kind=URGENT, title="Down")[0].user == cast.second_finance
    assert pushed == [cast.second_finance.pk] and not Notification.objects.filter(user=cast.finance).exists()

    choose(cast.finance, URGENT, is_in_app=False, email=EmailChannel.AT_ONCE)
    row = tell(cast.finance)
    assert not row.is_in_app and row.email_due_at and pushed == [cast.second_finance.pk]


@pytest.mark.django_db
def test_security_and_four_eyes_stay_in_the_app_whatever_is_sent(cast):
    for kind in (CrmNotice.FAILED_ATTEMPTS, WalletNotice.MANUAL_JOURNAL):
        choose(cast.finance, kind, is_in_app=False)
        assert channels_of(cast.finance)[kind].is_in_app
        NotificationChoice.objects.update_or_create(
            user=cast.finance, kind=kind, defaults={"is_in_app": False, "email": ""}
        )
        assert tell(cast.finance, kind).is_in_app


# ── e-mail ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_only_what_stays_unread_is_mailed_after_five_minutes_and_once(cast):
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        read, unread = tell(cast.finance, title="Read"), tell(cast.finance, title="Unread")
        clock.shift(dt.timedelta(minutes=4))
        assert delivered() == []
        Notification.objects.filter(pk=read.pk).update(read_at=dt.datetime.now(dt.UTC))
        clock.shift(dt.timedelta(minutes=2))
        assert delivered() == ["Unread"]
        assert delivered() == ["Unread"]
    (message,) = outbox.outbox
    assert message.to == [cast.finance.email] and f"/notifications/{unread.pk}/" in message.body
    assert message.extra_headers["List-Unsubscribe"].endswith("/notifications/settings/>")


@pytest.mark.django_db
def test_a_daily_summary_comes_once_with_all_of_the_day(cast):
    cast.finance.time_zone, cast.finance.language = "Europe/Berlin", "de"
    cast.finance.save()
    choose(cast.finance, URGENT, email=EmailChannel.DAILY, summary_at=dt.time(17, 30))
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        tell(cast.finance, title=phrase("You are verified"))
        clock.move_to(at("2026-11-20T15:00"))
        tell(cast.finance, title="Second")
        clock.move_to(at("2026-11-20T17:29"))
        assert delivered() == []
        clock.move_to(at("2026-11-20T17:30"))
        assert delivered() == ["2 neue Benachrichtigungen"]
        tell(cast.finance, title="Third")
        clock.move_to(at("2026-11-21T17:29"))
        assert len(delivered()) == 1
    assert "Sie sind verifiziert" in outbox.outbox[0].body


@pytest.mark.django_db
def test_nothing_goes_to_who_is_deactivated_or_lost_the_right(cast):
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        tell(cast.finance), tell(cast.second_finance)
        cast.finance.is_active = False
        cast.finance.save()
        cast.second_finance.groups.set([Group.objects.get(name=Role.AUDITOR)])
        clock.shift(dt.timedelta(minutes=6))
        assert delivered() == []
    assert not Notification.objects.filter(email_due_at__isnull=False).exists()


@pytest.mark.django_db
def test_a_flood_becomes_one_list_after_some_mails_an_hour(cast):
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        for _ in range(PER_HOUR + 3):
            tell(cast.finance)
            clock.shift(dt.timedelta(minutes=6))
            delivered()
        assert len(outbox.outbox) == PER_HOUR
        clock.move_to(at("2026-11-20T12:00"))
        assert delivered()[PER_HOUR:] == ["3 new notifications"]


@pytest.mark.django_db
def test_switching_the_channel_off_drops_what_waits(cast):
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        tell(cast.finance)
        choose(cast.finance, URGENT)
        clock.shift(dt.timedelta(minutes=6))
        assert delivered() == []
        reset_settings(user=cast.finance)
        assert channels_of(cast.finance)[URGENT] == Channels(True, EmailChannel.AT_ONCE)


@pytest.mark.django_db
def test_contacts_are_masked_for_who_sees_them_masked(cast):
    text = "E-mail to ann.lee@example.com, +49 170 1234567, EUR 1,200,000.00"
    assert mask_contacts(text) == "E-mail to a•••••@e•••••.com, +49 •••••••• 67, EUR 1,200,000.00"
    choose(cast.administrator, CrmNotice.MAIL_FAILED, email=EmailChannel.AT_ONCE)
    with time_machine.travel(at("2026-11-20T10:00"), tick=False) as clock:
        tell(cast.administrator, CrmNotice.MAIL_FAILED, title="E-mail to ann.lee@example.com failed")
        clock.shift(dt.timedelta(minutes=6))
        assert delivered() == ["E-mail to a•••••@e•••••.com failed"]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_send_one_mail(cast):
    tell(cast.finance)
    now = dt.datetime.now(dt.UTC)
    Notification.objects.update(email_due_at=now)
    result = race(lambda: send_to(cast.finance.pk, now), lambda: send_to(cast.finance.pk, now))
    assert (result.first, result.second, result.has_waited) == (True, False, False)
    assert not send_due()
    assert OutgoingMail.objects.filter(kind="crm.notifications").count() == 1


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────

NIGHT = NotificationSchedule(quiet_from=dt.time(22), quiet_to=dt.time(7))
SMALL_HOURS = NotificationSchedule(quiet_from=dt.time(1), quiet_to=dt.time(2, 30))


@pytest.mark.parametrize(
    ("schedule", "now", "until"),
    [
        (NIGHT, at("2026-11-20T21:59"), None),
        (NIGHT, at("2026-11-20T22:00"), at("2026-11-21T07:00")),
        (NIGHT, at("2026-11-21T07:00"), None),
        # Clocks go forward on 29 March: the night is an hour shorter.
        (NIGHT, at("2026-03-28T23:00"), at("2026-03-29T07:00")),
        (SMALL_HOURS, at("2026-03-29T01:30"), dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)),
        # Clocks go back on 25 October: 02:15 is there twice, and is quiet both times.
        (SMALL_HOURS, dt.datetime(2026, 10, 25, 0, 15, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)),
        (SMALL_HOURS, dt.datetime(2026, 10, 25, 1, 15, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)),
        (NotificationSchedule(paused_until=dt.date(2026, 10, 25)), at("2026-10-20T12:00"), at("2026-10-25T00:00")),
    ],
)
def test_quiet_hours_and_pauses_follow_the_wall_clock(schedule, now, until):
    assert held_until(schedule, now, BERLIN) == until


def test_the_summary_comes_once_on_the_day_the_clocks_go_back():
    first = next_time(dt.time(2, 30), at("2026-10-25T00:00"), BERLIN)
    assert first == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    assert next_time(dt.time(2, 30), first, BERLIN) == at("2026-10-26T02:30")


@pytest.mark.django_db
def test_mails_wait_for_the_end_of_the_quiet_hours(cast):
    cast.finance.time_zone = "Europe/Berlin"
    cast.finance.save()
    choose(cast.finance, URGENT, email=EmailChannel.AT_ONCE, quiet_from=dt.time(20), quiet_to=dt.time(7))
    with time_machine.travel(at("2026-11-20T21:00"), tick=False) as clock:
        tell(cast.finance), tell(cast.finance)
        clock.shift(dt.timedelta(minutes=6))
        assert delivered() == []
        clock.move_to(at("2026-11-21T07:00"))
        assert delivered() == ["2 new notifications"]

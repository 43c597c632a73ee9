"""Nobody outside the MLRO's circle can find out that a report exists, neither by what is there nor by what is missing."""

import difflib
import re

import pytest
from django.utils import timezone

from compliance import packs, record_views, trails
from compliance.sar import circle, reports
from compliance.sar.models import SuspicionReport
from compliance.trails import TrailFilter
from crm.models import AccessEvent, AuditEvent, Notification, OutboxEvent
from crm.security import audit
from tests.compliance.sar.factories import case_of, deputy, known, reporting, submitted

pytestmark = pytest.mark.django_db
# What differs from one request to the next, with or without a report.
NOISE = re.compile(
    r'csrfmiddlewaretoken" value="[^"]+"|"?X-CSRFToken"?: ?"[^"]+"|nonce="[^"]+"|csrf-token" content="[^"]+"'
    r"|Printed <time.*?</time>|[A-Za-z0-9_-]{40,}|\d+ (?:second|minute)s? ago|now\b"
)


def pages_of(cast, case):
    client = cast.client.pk
    return [
        "/",
        "/aml/cases/?state=open",
        f"/aml/cases/{case.pk}/",
        f"/clients/{client}/",
        f"/clients/{client}/tab/timeline/",
        f"/clients/{client}/tab/compliance/",
        f"/clients/{client}/tab/views/",
        f"/compliance/clients/{client}/",
        f"/compliance/clients/{client}/trail/",
        f"/compliance/clients/{client}/access/",
        "/audit/?area=compliance",
        "/access-log/",
        "/approvals/",
        "/notifications/",
        "/palette/?q=Weber",
        "/palette/?q=STR-1",
    ]


def seen_by(browse, user, paths):
    browser = browse(user)
    answers = {path: browser.get(path) for path in paths}
    return {path: (answer.status_code, NOISE.sub("", answer.text)) for path, answer in answers.items()}


def packed(client):
    return [row.pk for batch in trails.whole_trail(client, TrailFilter()) for row in batch]


def test_outsiders_see_the_same_world_with_a_report(cast, browse, monkeypatch):
    case, second = case_of(cast), deputy(cast)
    known(cast)
    entity = reporting(cast)
    outsiders = [cast.kyc_officer, cast.auditor, cast.administrator]
    pages = pages_of(cast, case)
    browse(cast.auditor).get(pages[3])  # so that the logs aren't empty
    # What outsiders look at for this test would differ itself.
    monkeypatch.setattr("crm.security.access_log.note", lambda **_given: None)
    # The officer sees the most pages of clients, the others the most of the logs.
    paths = {cast.kyc_officer: pages, cast.auditor: pages[:1] + pages[-9:], cast.administrator: pages[:1] + pages[-9:]}
    before = {user: seen_by(browse, user, paths[user]) for user in outsiders}
    monkeypatch.undo()
    counts = {
        user: (len(trails.events_visible_to(user)), len(record_views.views_visible_to(user))) for user in outsiders
    }
    events, entries = OutboxEvent.objects.count(), packed(cast.client)

    report = submitted(cast, case)
    reports.approve_report(report_id=report.pk, actor=second)
    reports.file_report(report_id=report.pk, actor=second, reference="FIU-1", filed_on=timezone.localdate())
    for path in (
        f"/aml/reports/{report.pk}/",
        f"/aml/reports/{report.pk}/xml.file",
        f"/aml/reports/{report.pk}/pdf.file",
    ):
        assert browse(second).get(path).status_code == 200

    monkeypatch.setattr("crm.security.access_log.note", lambda **_given: None)
    for user in outsiders:
        after = seen_by(browse, user, paths[user])
        for path, (status, text) in after.items():
            assert status == before[user][path][0]
            changed = list(difflib.unified_diff(before[user][path][1].splitlines(), text.splitlines(), n=0))
            assert not changed, f"{user} {path}: {changed}"
        for path in (
            "",
            f"{report.pk}/",
            f"{report.pk}/xml.file",
            f"{report.pk + 99}/",
            "entities/",
            f"entities/{entity.pk}/",
        ):
            assert browse(user).get(f"/aml/reports/{path}").status_code in (403, 404)
        assert counts[user] == (len(trails.events_visible_to(user)), len(record_views.views_visible_to(user)))
        assert not circle.reports_visible_to(user).exists()
    assert OutboxEvent.objects.count() == events, "no subscription can carry it"
    assert not Notification.objects.filter(kind="compliance.report_waits").exclude(user=second).exists()
    assert packed(cast.client) == entries, "nor a pack"


def test_the_circle_sees_every_look_and_the_chain_proves_it(cast, browse):
    case, second = case_of(cast), deputy(cast)
    known(cast)
    reporting(cast)
    report = submitted(cast, case)
    browser = browse(second)
    assert "Suspicion reports" in browser.get(f"/aml/cases/{case.pk}/").text
    browser.get(f"/aml/reports/{report.pk}/")
    browser.get(f"/aml/reports/{report.pk}/xml.file")
    looks = AccessEvent.objects.filter(target=f"compliance.sar_report:{report.pk}")
    assert sorted(looks.values_list("kind", "user_id")) == [("download", second.pk), ("view", second.pk)]
    assert looks.first() in record_views.views_visible_to(cast.mlro)
    written = AuditEvent.objects.filter(action="compliance.sar_submitted").get()
    assert written in trails.events_visible_to(cast.mlro) and "sar_submitted" in str(
        [row.action for row in trails.trail_of(second, cast.client)]
    )
    while audit.seal_pending():
        pass
    assert written.pk in audit.prove([written.pk])
    _name, content = packs.make_pack(client=cast.client, actor=cast.mlro, chosen=TrailFilter())
    assert b"sar_submitted" not in content

    # A superuser runs the server; the client's reach counts for members, too.
    cast.administrator.is_superuser = True
    cast.administrator.save()
    assert not circle.is_member(cast.administrator)
    assert browse(cast.administrator).get(f"/aml/reports/{report.pk}/").status_code == 403
    SuspicionReport.objects.update(client=cast.other_client)
    second.groups.clear()
    assert browse(second).get(f"/aml/reports/{report.pk}/").status_code == 403

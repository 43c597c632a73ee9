"""A match is cleared for a reason that the comparison bears out; nothing is chosen beforehand."""

import pytest
from django.urls import reverse

from clients.models import Client
from compliance import hits, screening
from compliance.choices import HitState
from compliance.models import Hit
from crm.errors import DomainError
from crm.models import AuditEvent
from crm.security import audit
from tests.compliance.factories import BORN, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def hit(cast, tmp_path):
    """The same birthday as on the list."""
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    Client.objects.filter(pk=cast.client.pk).update(date_of_birth=BORN)
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    return Hit.objects.get()


def clear(hit, cast, code="birth_date", **fields):
    values = {"hit_id": hit.pk, "actor": cast.kyc_officer, "reason": "Passport seen", "reason_code": code, **fields}
    return hits.clear_hit(**values)


def test_another_birthday_is_no_reason_where_it_agrees(cast, hit):
    with pytest.raises(DomainError, match="date of birth matches the list") as told:
        clear(hit, cast)
    assert told.value.code == "contradicted"
    hit.refresh_from_db()
    assert hit.state == HitState.OPEN


def test_who_checked_it_may_say_so_and_the_log_keeps_that(cast, hit):
    clear(hit, cast, is_contradiction_checked=True)
    row = AuditEvent.objects.get(action="compliance.hit_cleared")
    assert audit.body_of(row)["evidence"]["is_contradicted"] is True


@pytest.mark.parametrize("birth", ["same_day", "same_year", "day_and_month_swapped"])
def test_every_way_to_agree_counts(cast, hit, birth):
    hit.explanation["birth"] = birth
    assert hits.contradiction_of(hit, "birth_date")


@pytest.mark.parametrize("birth", ["near", "differs", "unknown"])
def test_a_birthday_that_differs_is_a_reason(cast, hit, birth):
    hit.explanation["birth"] = birth
    hit.save()
    assert clear(hit, cast).state == HitState.FALSE_POSITIVE


def test_same_country_and_same_name_contradict_too(cast, hit):
    hit.explanation["country"] = "same"
    assert "country matches" in hits.contradiction_of(hit, "nationality")
    hit.explanation.update(pairs=[{"how": "equal"}], left_over_client=[], left_over_listed=[])
    assert "names match" in hits.contradiction_of(hit, "name")
    hit.explanation["left_over_listed"] = ["maria"]
    assert hits.contradiction_of(hit, "name") == ""
    assert hits.contradiction_of(hit, "document") == ""


def test_the_page_chooses_nothing_and_asks_about_a_contradiction(cast, hit, browse):
    browser = browse(cast.kyc_officer)
    page = browser.get(hit.get_absolute_url()).content.decode()
    assert '<option value="" selected>Choose a reason</option>' in page
    known = page.split('<script id="contradictions" type="application/json">')[1].split("</script>")[0]
    assert "birth_date" in known and "document" not in known
    url = reverse("compliance:clear", args=[hit.pk])
    answer = browser.post(url, {"reason_code": "", "reason": "typed words"})
    assert answer.status_code == 422 and "typed words" in answer.content.decode()
    fields = {"reason_code": "birth_date", "reason": "typed words"}
    answer = browser.post(url, fields)
    page = answer.content.decode()
    assert answer.status_code == 422 and "date of birth matches the list" in page and "typed words" in page
    assert 'type="checkbox" name="is_contradiction_checked"' in page
    assert browser.post(url, {**fields, "is_contradiction_checked": "on"}).status_code == 302
    hit.refresh_from_db()
    assert hit.state == HitState.FALSE_POSITIVE

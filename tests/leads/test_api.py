import pytest
from django.test import Client as Browser

from crm.errors import DomainError, NotAllowed
from crm.security.scope import reach_of
from leads import api
from leads.models import Lead
from leads.sources import create_source, find_by_key, renew_key, set_source_active

pytestmark = pytest.mark.django_db
LEAD = {
    "email": "hans@web.de",
    "phone": "0151 23456789",
    "first_name": "Hans",
    "last_name": "Meier",
    "country": "DE",
    "language": "de",
}


@pytest.fixture
def source(cast):
    return create_source(brand=cast.brand, name="Affiliate One", code="affiliate-one", actor=cast.administrator)


def post(key, body=None, **headers):
    return Browser().post(
        "/api/leads/",
        {**LEAD, **(body or {})},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}", **headers},
    )


def test_a_source_hands_in_a_lead(cast, german_rule, campaign, source):
    answer = post(
        source[1], {"campaign": "de-search", "ip": "198.51.100.7", "click_id": "X1", "utm": {"utm_term": "fx"}}
    )
    assert answer.status_code == 201
    lead = Lead.objects.get(pk=answer.json()["lead_id"])
    assert (lead.source, lead.channel, lead.ip, lead.campaign) == ("affiliate-one", "api", "198.51.100.7", campaign)
    assert lead.assigned_to == cast.agent and lead.api_source == source[0] and lead.utm == {"utm_term": "fx"}


def test_the_same_key_again_answers_200_and_another_body_409(cast, german_rule, source):
    first = post(source[1], **{"Idempotency-Key": "n1"})
    again = post(source[1], **{"Idempotency-Key": "n1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["lead_id"] == again.json()["lead_id"] and Lead.objects.count() == 1
    other = post(source[1], {"first_name": "Other"}, **{"Idempotency-Key": "n1"})
    assert other.status_code == 409 and other.json()["code"] == "idempotency_conflict"


@pytest.mark.parametrize("key", ["", "ksl_wrong", "nonsense", "ksl_" + "x" * 40])
def test_without_a_good_key_nothing_happens(cast, source, key):
    answer = post(key)
    assert answer.status_code == 401 and answer["Content-Type"] == "application/problem+json"
    assert not Lead.objects.exists()


def test_a_stopped_source_or_an_old_key_is_refused(cast, source):
    row, key = source
    set_source_active(source_id=row.pk, actor=cast.administrator, is_active=False)
    assert post(key).status_code == 401
    set_source_active(source_id=row.pk, actor=cast.administrator, is_active=True)
    _row, newer = renew_key(source_id=row.pk, actor=cast.administrator)
    assert post(key).status_code == 401
    assert post(newer).status_code == 201


def test_a_lead_nobody_can_reach_is_refused_with_the_reason(cast, source):
    answer = post(source[1], {"email": "x", "phone": "1"})
    assert answer.status_code == 422 and "phone number" in answer.json()["detail"]


def test_a_malformed_body_names_the_field(cast, source):
    answer = post(source[1], {"country": "Germany"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "country"


def test_a_flood_is_told_to_slow_down(cast, german_rule, source, monkeypatch):
    monkeypatch.setattr(api, "PER_MINUTE", 1)
    post(source[1])
    assert post(source[1], {"email": "b@web.de"}).status_code == 429


def test_who_is_known_is_not_given_away(cast, german_rule, source):
    assert post(source[1], {"email": "clara@example.com"}).json().keys() == {"lead_id", "status", "reason"}


def test_the_key_itself_is_nowhere_in_the_table(cast, source):
    row, key = source
    assert key not in (row.key_hash, row.key_prefix) and find_by_key(key) == row


@pytest.mark.parametrize("who", ["agent", "desk_head", "auditor", "finance"])
def test_the_wrong_role_makes_no_sources(cast, who):
    with pytest.raises(NotAllowed):
        create_source(brand=cast.brand, name="X", code="x", actor=getattr(cast, who))


def test_a_code_is_taken_once(cast, source):
    with pytest.raises(DomainError, match="already"):
        create_source(brand=cast.brand, name="Two", code="affiliate-one", actor=cast.administrator)


def test_a_nul_sign_loses_no_lead(cast, german_rule, source):
    answer = post(source[1], {"first_name": "Ha\x00ns", "utm": {"utm_term": "f\x00x", "utm\x00source": "a"}})
    assert answer.status_code == 201
    lead = Lead.objects.get()
    assert (lead.client.first_name, lead.utm) == ("Hans", {"utm_term": "fx", "utmsource": "a"})


def test_a_source_of_a_brand_out_of_reach_stays_as_it_is(cast, source):
    row, key = source
    stranger = cast.administrator
    type(row).objects.filter(pk=row.pk).update(brand=cast.other_brand)
    reached = cast.other_brand.pk in reach_of(stranger).brands
    assert not reached, "the cast's administrator works for the first brand alone"
    with pytest.raises(NotAllowed):
        renew_key(source_id=row.pk, actor=stranger)
    with pytest.raises(NotAllowed):
        set_source_active(source_id=row.pk, actor=stranger, is_active=False)
    row.refresh_from_db()
    assert row.is_active and find_by_key(key) is not None

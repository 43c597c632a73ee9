"""A brand's risk model: drafted, checked while it is edited, previewed, approved by another, and rated by from its day on."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from compliance.models import RiskAssessment, RiskModel, RiskModelDraft, RiskModelProposal, RiskOverride
from compliance.risk_rating import changes, drafts, overrides, rating
from compliance.risk_rating.computing import preview
from compliance.risk_rating.content import FACTORS_MAX, Factor, problems, shipped
from compliance.risk_rating.explaining import explained
from crm import approvals
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.conditions import all_of
from crm.due import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, OutboxEvent
from crm.security import audit
from tests.cast import make_client, make_staff, signed_in
from tests.outbox import published

pytestmark = pytest.mark.django_db
GERMANS = all_of({"field": "country", "is": "in", "value": ["DE"]})


def factor(**given):
    return Factor(**{"code": "", "group": "channel", "condition": GERMANS, "points": 30, "label": "Germans", **given})


def second_mlro(cast):
    return make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand)


def draft(cast, content, revision=0):
    return drafts.save_draft(brand_id=cast.brand.pk, content=content, revision=revision, actor=cast.mlro)


def in_force(cast, content):
    """Draft, propose and approve a model for today; rate the brand by it."""
    draft(cast, content)
    asked = changes.propose_model(
        brand_id=cast.brand.pk, effective_on=today(cast.brand), actor=cast.mlro, reason="Audit finding"
    )
    approvals.approve(RiskModelProposal, asked.pk, actor=second_mlro(cast))
    while sweep(kinds=[rating.RATE_AGAIN]):
        pass
    return RiskModel.objects.get(brand=cast.brand, set_by=cast.mlro)


@pytest.fixture
def people(cast):
    """Three rated clients from Germany, verified, and one from Austria; all of them low."""
    made = [
        make_client(brand=cast.brand, book=cast.book, email=f"c{number}@example.com", login=False, country=code)
        for number, code in enumerate(["DE", "DE", "DE", "AT"])
    ]
    for client in made:
        rating.assess(client_id=client.pk)
    return made


def ratings(people):
    return [Client.objects.get(pk=client.pk).risk_rating for client in people]


def test_an_approved_model_rates_the_brand_and_says_why(cast, people, monkeypatch):
    monkeypatch.setattr(rating, "RATED_AT_ONCE", 2)
    content = drafts.with_factor(shipped(), factor())
    seen = preview(cast.brand, content, timezone.now())
    assert [(move.before, move.after, move.clients) for move in seen.changes] == [("low", "medium", 3)]
    assert set(seen.changes[0].sample) == {client.pk for client in people[:3]}
    assert ratings(people) == ["low"] * 4 and not RiskModelDraft.objects.exists()
    model = in_force(cast, content)
    assert ratings(people) == ["medium", "medium", "medium", "low"]
    assert not RiskModelDraft.objects.exists()
    row = RiskAssessment.objects.get(client=people[0], is_current=True)
    assert (row.model, row.points) == (model, 45) and row.factors[-1] == "factor_1"
    assert explained(row).factors[0].name == "Germans"
    # The unmoved client has a rating by the new model too, without an event or a line in the audit log.
    assert RiskAssessment.objects.get(client=people[3], is_current=True).model == model
    moved = [event.client for event in published("compliance.risk_rated") if event.data["before"] == "low"]
    assert sorted(moved) == [client.pk for client in people[:3]]
    assert AuditEvent.objects.filter(action="compliance.risk_assessed", client_id=people[3].pk).count() == 1
    done = audit.body_of(AuditEvent.objects.get(action="compliance.risk_rated_again"))["after"]
    assert (done["cause"], done["clients"], done["changed"]) == ("model", 4, 3)


def test_versions_and_ratings_stay_as_they_were(cast, people):
    model = in_force(cast, replace(shipped(), high_from=70))
    with pytest.raises(DatabaseError, match="risk_model is append-only"), transaction.atomic():
        RiskModel.objects.filter(pk=model.pk).update(reason="Other")
    for change in ({"rating": "low", "points": 0}, {"at": timezone.now()}):
        with pytest.raises(DatabaseError, match="risk_assessment is append-only"), transaction.atomic():
            RiskAssessment.objects.filter(is_current=True).update(**change)
    with pytest.raises(DatabaseError, match="risk_assessment is append-only"), transaction.atomic():
        RiskAssessment.objects.filter(is_current=False).update(is_current=True)
    with pytest.raises(DatabaseError, match="risk_assessment is append-only"), transaction.atomic():
        RiskAssessment.objects.filter(is_current=False)._raw_delete("default")


def test_a_model_for_later_rates_on_its_day(cast, people):
    draft(cast, drafts.with_factor(shipped(), factor()))
    day = today(cast.brand) + dt.timedelta(days=7)
    asked = changes.propose_model(brand_id=cast.brand.pk, effective_on=day, actor=cast.mlro, reason="From next week")
    approvals.approve(RiskModelProposal, asked.pk, actor=second_mlro(cast))
    sweep(kinds=[rating.RATE_AGAIN])
    assert ratings(people) == ["low"] * 4
    assert DueRow.objects.get(kind="compliance.rate_again", state="pending").at > timezone.now() + dt.timedelta(days=5)


def test_caps_and_minimums(cast, people):
    content = drafts.with_factor(shipped(), factor(points=100))
    in_force(cast, replace(content, caps={"channel": 12}))
    row = RiskAssessment.objects.get(client=people[0], is_current=True)
    assert (row.points, row.rating, explained(row).capped) == (27, "medium", 88)
    draft(cast, drafts.with_factor(shipped(), factor(points=0, at_least="high")))
    seen = preview(cast.brand, drafts.edited(cast.brand)[0], timezone.now())
    assert [(move.before, move.after, move.clients) for move in seen.changes] == [("medium", "high", 3)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factors": ()}, "Add a factor"),
        ({"medium_from": 60}, "High must begin"),
        ({"medium_from": 400, "high_from": 9_000, "factors": (factor(code="f"),)}, "No client can become High"),
        ({"caps": {"channel": 0}}, "A cap is from 1"),
        ({"factors": (factor(code="a"), factor(code="b"))}, "Two factors are called"),
        ({"factors": (factor(code="a", points=-501),)}, "Points are from -500"),
        ({"factors": (factor(code="a", points=0),)}, "Enter points"),
        ({"factors": (factor(code="a", points=-5, at_least="high"),)}, "can't take points off"),
        ({"factors": (factor(code="a", condition=all_of()),)}, "without one it would count"),
        ({"factors": (factor(code="a", condition=all_of({"field": "gone", "is": "empty"})),)}, "no longer exists"),
        (
            {"factors": (factor(code="a", condition=all_of({"field": "risk_rating", "is": "in", "value": ["low"]})),)},
            "no longer exists",
        ),
        ({"factors": (factor(code="a", group="weather"),)}, "Choose a group"),
        ({"factors": tuple(factor(code=f"f{n}", label=f"F{n}") for n in range(FACTORS_MAX + 1))}, "at most 40"),
    ],
)
def test_what_keeps_a_model_from_being_proposed(change, words):
    assert any(words in problem for problem in problems(replace(shipped(), **change)))


def test_a_broken_draft_is_kept_and_not_proposed(cast):
    deep = GERMANS
    for _level in range(50):
        deep = all_of({"not": {key: value for key, value in deep.items() if key != "version"}})
    draft(cast, drafts.with_factor(shipped(), factor(condition=deep)))
    with pytest.raises(DomainError, match="nested too deeply"):
        changes.propose_model(brand_id=cast.brand.pk, effective_on=today(cast.brand), actor=cast.mlro, reason="Deep")
    with pytest.raises(WrongState, match="colleague changed"):
        draft(cast, shipped())
    with pytest.raises(NotAllowed):
        drafts.save_draft(brand_id=cast.brand.pk, content=shipped(), revision=1, actor=cast.kyc_officer)
    page = signed_in(cast.mlro).get(reverse("compliance:risk_draft", args=[cast.brand.pk]))
    assert b"nested too deeply" in page.content and b'name="propose"' not in page.content


def test_a_factor_whose_fact_was_deleted_counts_for_no_client(cast, people):
    lost = factor(condition=all_of({"field": "custom.999", "is": "empty"}))
    RiskModel.objects.create(
        brand=cast.brand,
        number=7,
        content=drafts.with_factor(shipped(), lost).body(),
        effective_on=today(cast.brand),
        set_by=cast.mlro,
        approved_by=second_mlro(cast),
        set_at=timezone.now(),
        reason="Its field is archived now",
    )
    assert rating.assess(client_id=people[0].pk).factors == ["birth_unknown", "not_verified"]
    page = signed_in(cast.kyc_officer).get(reverse("compliance:risk_model", args=[cast.brand.pk]))
    assert "counts for no client" in page.content.decode()


# ── a person's own rating ────────────────────────────────────────────────────────────────────────────────────────────


def own(cast, client, value, days=10):
    ends_on = today(cast.brand) + dt.timedelta(days=days) if value else None
    asked = overrides.propose_override(
        client_id=client.pk, rating=value, ends_on=ends_on, actor=cast.kyc_officer, reason="Adverse media"
    )
    approvals.approve(RiskOverride, asked.pk, actor=cast.mlro)
    return asked


def test_a_persons_rating_stays_above_the_model_until_it_ends(cast, people):
    own(cast, people[0], "high")
    assert ratings(people[:1]) == ["high"]
    rating.assess(client_id=people[0].pk)
    row = RiskAssessment.objects.get(client=people[0], is_current=True)
    assert (row.rating, row.points, row.override.rating) == ("high", 15, "high")
    later = timezone.now() + dt.timedelta(days=12)
    assert rating.assess(client_id=people[0].pk, now=later).rating == "low"
    assert DueRow.objects.filter(kind="compliance.rate_client", client_id=people[0].pk, state="pending").exists()
    own(cast, people[1], "medium")
    own(cast, people[1], "")
    assert ratings(people[1:2]) == ["low"]
    with pytest.raises(WrongState, match="counts already"):
        own(cast, people[2], "")
    with pytest.raises(DomainError, match="Enter a day"):
        own(cast, people[2], "low", days=400)


def test_a_persons_rating_never_goes_below_the_models_minimum(cast, people):
    in_force(cast, drafts.with_factor(shipped(), factor(points=0, at_least="medium")))
    own(cast, people[0], "low")
    assert ratings(people[:1]) == ["medium"]


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_from_a_factor_to_the_proposal(cast, people, django_assert_max_num_queries):
    browser, kwargs = signed_in(cast.mlro), {"brand_id": cast.brand.pk}
    sent = {"label": "Germans", "group": "channel", "points": "30", "at_least": "", "revision": "0"}
    new = reverse("compliance:risk_factor", kwargs={**kwargs, "code": "new"})
    assert "without one" in browser.post(new, sent).content.decode()
    age_unknown = '{"version":1,"all":[{"field":"risk.age","is":"empty"}]}'
    tried = browser.post(reverse("compliance:risk_condition"), {"condition": age_unknown})
    assert "Age is empty" in tried.content.decode()
    condition = '{"version":1,"all":[{"field":"country","is":"in","value":["DE"]}]}'
    assert browser.post(new, {**sent, "condition": condition}).status_code == 302
    page = reverse("compliance:risk_draft", kwargs=kwargs)
    with django_assert_max_num_queries(40):
        shown = browser.post(page, {"preview": "1"}).content.decode()
    assert "3 of 4 rated clients would change rating" in shown and "Country is Germany" in shown
    bands = {"medium_from": "50", "high_from": "50", "revision": "1"}
    assert browser.post(reverse("compliance:risk_bands", kwargs=kwargs), bands).status_code == 422
    asked = {"propose": "1", "effective_on": str(today(cast.brand)), "reason": "Audit finding"}
    assert browser.post(page, asked).status_code == 302
    with django_assert_max_num_queries(40):
        model = browser.get(reverse("compliance:risk_model", kwargs=kwargs)).content.decode()
    assert "Audit finding" in model and "Nationality and residence differ" in model


def test_the_client_page_explains_the_rating(cast, people):
    own(cast, people[0], "high")
    shown = signed_in(cast.mlro).get(reverse("compliance:client", args=[people[0].pk])).content.decode()
    assert "Date of birth unknown" in shown and "Model 1: medium from 25 points" in shown and "Adverse media" in shown
    sent = {"rating": "low", "reason": "Clarified"}
    page = reverse("compliance:risk_override", args=[people[0].pk])
    assert "Enter the last day" in signed_in(cast.mlro).post(page, sent).content.decode()
    done = signed_in(cast.kyc_officer).post(page, {**sent, "ends_on": str(today(cast.brand))})
    assert done.status_code == 302 and RiskOverride.objects.filter(state="pending").count() == 1


def test_a_changed_client_is_rated_again_once(cast, people):
    with transaction.atomic():
        rating.rate_soon(client_id=people[0].pk, brand_id=cast.brand.pk)
        rating.rate_soon(client_id=people[0].pk, brand_id=cast.brand.pk)
    assert DueRow.objects.filter(kind="compliance.rate_client", state="pending").count() == 1
    Client.objects.filter(pk=people[0].pk).update(country="KP")
    DueRow.objects.filter(kind="compliance.rate_client").update(next_at=F("at") - dt.timedelta(minutes=2))
    sweep(kinds=[rating.RATE_CLIENT])
    assert ratings(people[:1]) == ["high"]
    assert OutboxEvent.objects.filter(name="compliance.risk_rated", client_id=people[0].pk).count() == 2

"""The policy of a brand: versions, four eyes, its pages, and what another one would have decided."""

import datetime as dt

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from crm import approvals
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from kyc.choices import DocumentState, Outcome
from kyc.models import VerdictPolicy, VerdictPolicyProposal
from kyc.verdicts import quality, rules
from kyc.verdicts.changes import propose_policy
from kyc.verdicts.preview import preview
from kyc.verdicts.rules import KindRule, RiskRule, Rules, shipped
from kyc.verdicts.versions import current_policy, rules_on, version_on
from tests.cast import make_staff
from tests.kyc.factories import passport_jpeg, registered, waiting, with_policy

pytestmark = pytest.mark.django_db


def changed(**kinds):
    """The shipped rules with other values for some kinds."""
    found = dict(shipped().kinds)
    for kind, fields in kinds.items():
        old = found[kind]
        values = {"required": old.required, "asks": old.asks, "asks_in_a_row": old.asks_in_a_row, "risks": old.risks}
        found[kind] = KindRule(**{**values, **fields})
    return Rules(found)


OFF = {"risks": dict.fromkeys(rules.RISKS, RiskRule(approves=False, sample_percent=0))}


@pytest.fixture
def second(cast):
    return make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand)


def propose(cast, wanted, *, days=0, **fields):
    values = {"actor": cast.mlro, "reason": "After the audit", **fields}
    return propose_policy(
        brand_id=cast.brand.pk, rules=wanted, effective_on=today(cast.brand) + dt.timedelta(days=days), **values
    )


def test_rules_are_read_as_they_were_written():
    assert Rules.read(shipped().body()).body() == shipped().body()
    assert rules.checked(shipped()) == shipped()
    assert all(not rule.approves("high") and rule.sample_percent("high") == 0 for rule in shipped().kinds.values())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"asks_in_a_row": 6}, "out of range"),
        ({"asks_in_a_row": -1}, "out of range"),
        ({"asks": frozenset({"NAME_MISMATCH"})}, "mend this"),
        ({"required": {"front": ("zone",)}}, "can't do without"),
        ({"required": {"front": (*shipped().kinds["passport"].required["front"], "magic")}}, "Unknown check"),
        ({"required": {}}, "incomplete"),
        ({"risks": {"high": RiskRule(approves=True, sample_percent=0)}}, "incomplete"),
        ({"risks": dict.fromkeys(rules.RISKS, RiskRule(approves=True, sample_percent=101))}, "out of range"),
    ],
)
def test_rules_that_nobody_may_set_are_refused(fields, words):
    with pytest.raises(DomainError, match=words):
        rules.checked(changed(passport=fields))


def test_a_second_person_approves_and_the_version_holds(cast, second):
    asked = propose(cast, changed(passport=OFF))
    assert version_on(cast.brand, today(cast.brand)) is None
    with pytest.raises(NotAllowed):
        approvals.approve(VerdictPolicyProposal, asked.pk, actor=cast.mlro)
    approvals.approve(VerdictPolicyProposal, asked.pk, actor=second)
    version = current_policy(cast.brand)
    assert (version.number, version.set_by, version.reason) == (1, cast.mlro, "After the audit")
    registered(cast.client)
    assert waiting(cast.client, is_automatic=True).state == DocumentState.PENDING_REVIEW


def test_a_version_holds_from_its_day_on(cast, second):
    asked = propose(cast, changed(passport=OFF), days=3)
    approvals.approve(VerdictPolicyProposal, asked.pk, actor=second)
    assert rules_on(cast.brand, today(cast.brand)) == shipped()
    assert not rules_on(cast.brand, today(cast.brand) + dt.timedelta(days=3)).kinds["passport"].approves("low")
    assert current_policy(cast.brand).is_shipped and current_policy(cast.brand).number == 2


def test_nothing_new_and_two_at_a_time_are_refused(cast):
    with pytest.raises(WrongState, match="already the policy"):
        propose(cast, shipped())
    propose(cast, changed(passport=OFF))
    with pytest.raises(WrongState, match="already awaiting"):
        propose(cast, changed(id_card=OFF))
    with pytest.raises(DomainError, match="Enter a day"):
        propose(cast, changed(id_card=OFF), days=-1)


@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "auditor", "kyc_officer"])
def test_other_roles_propose_nothing(cast, who):
    with pytest.raises(NotAllowed):
        propose(cast, changed(passport=OFF), actor=getattr(cast, who))
    assert not VerdictPolicyProposal.objects.exists()


def test_a_version_is_never_changed(cast):
    version = with_policy(cast.brand)
    for change in (lambda: VerdictPolicy.objects.filter(pk=version.pk).update(reason="x"), version.delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_a_release_that_changes_the_shipped_policy_makes_a_version(cast):
    VerdictPolicy.objects.create(
        brand=cast.brand,
        number=1,
        rules=changed(passport=OFF).body(),
        effective_on=today(cast.brand),
        set_at="2026-01-01T00:00Z",
        reason="Policy of the release",
    )
    version = current_policy(cast.brand)
    assert (version.number, version.is_shipped) == (2, True) and version.rules == shipped().body()
    assert current_policy(cast.brand) == version


# ── the preview ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_preview_judges_stored_results_without_reading_again(cast, django_assert_num_queries):
    registered(cast.client)
    with_policy(cast.brand)
    good = waiting(cast.client, is_automatic=True)
    waiting(cast.client, is_automatic=True, content=passport_jpeg(expires_on=dt.date(2024, 1, 1)))
    with django_assert_num_queries(1):
        shown = preview(cast.brand, shipped(), changed(passport=OFF))
    assert (shown.documents, shown.changed) == (2, 1)
    assert (shown.before[Outcome.APPROVE], shown.after[Outcome.APPROVE], shown.after[Outcome.QUEUE]) == (1, 0, 1)
    assert [one.document_id for one in shown.examples] == [good.pk]
    assert preview(cast.other_brand, shipped(), changed(passport=OFF)).documents == 0


# ── pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def form_data(**fields):
    from kyc.verdicts.forms import PolicyForm

    class Brand:
        time_zone = "UTC"

    data = {}
    form = PolicyForm(brand=Brand(), start=shipped())
    for name, field in form.fields.items():
        value = field.initial
        if value is True:
            data[name] = "on"
        elif value not in (None, False):
            data[name] = value
    return {**data, "effective_on": dt.date.today().isoformat(), "reason": "After the audit", **fields}


def test_a_change_is_previewed_and_then_proposed(cast, browse):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=10)
    waiting(cast.client, is_automatic=True)
    visit = browse(cast.mlro)
    url = f"/kyc/policy/{cast.brand.pk}/change/"
    assert visit.get(url).status_code == 200
    data = form_data(effective_on=today(cast.brand).isoformat())
    for risk in rules.RISKS:
        data.pop(f"passport-{risk}-approves")
    shown = visit.post(url, {**data, "preview": "1"}).content.decode()
    assert "1 would be decided differently" in shown and not VerdictPolicyProposal.objects.exists()
    assert visit.post(url, data).status_code == 302
    asked = VerdictPolicyProposal.objects.get()
    assert not Rules.read(asked.rules).kinds["passport"].approves("low")
    page = visit.get(f"/kyc/policy/{cast.brand.pk}/").content.decode()
    assert "Proposed change" in page and "automatic approval, Low risk" in page
    assert visit.get(f"/kyc/policy/{cast.brand.pk}/1/").status_code == 200
    assert visit.get(f"/kyc/policy/{cast.brand.pk}/9/").status_code == 404


def test_wrong_numbers_come_back_with_their_field(cast, browse):
    visit = browse(cast.mlro)
    data = form_data(**{"passport-low-sample": "101", "reason": ""})
    answer = visit.post(f"/kyc/policy/{cast.brand.pk}/change/", data)
    assert answer.status_code == 422


def test_another_brands_policy_isnt_there(cast, browse):
    visit = browse(cast.mlro)
    for page in ("policy", "quality"):
        assert visit.get(f"/kyc/{page}/{cast.other_brand.pk}/").status_code == 404


def test_the_quality_page_counts_this_brands_verdicts(cast, browse, django_assert_max_num_queries):
    registered(cast.client)
    with_policy(cast.brand)
    waiting(cast.client, is_automatic=True)
    waiting(cast.client, is_automatic=True, content=passport_jpeg(expires_on=dt.date(2024, 1, 1)))
    registered(cast.client, last_name="Schmidt")
    waiting(cast.client, is_automatic=True, content=passport_jpeg(number="C02X00T47"))
    all_of = quality.overall(cast.brand)
    assert (all_of.approve, all_of.ask, all_of.queue, all_of.automatic_percent) == (1, 1, 1, 67)
    assert quality.overall(cast.other_brand).total == 0
    assert [row.total for row in quality.by_kind(cast.brand)] == [3]
    assert [(row.label, row.total) for row in quality.by_country(cast.brand)] == [(cast.client.country, 3)]
    assert sum(shares.total for _week, shares in quality.by_week(cast.brand)) == 3
    assert quality.times(cast.brand)["machine"].count == 2 and quality.times(cast.brand)["officer"].count == 0
    assert quality.queue_reasons(cast.brand)[0][1] == 1
    visit = browse(cast.kyc_officer)
    with django_assert_max_num_queries(35):
        shown = visit.get(f"/kyc/quality/{cast.brand.pk}/").content.decode()
    assert "67 %" in shown

"""A vendor that is away, silent or unclear lets nobody pass, and isn't asked twice for what it may have heard."""

import datetime as dt

import pytest
from django.utils import timezone

from compliance import rescreening, screening
from compliance.choices import ScreeningTrigger
from compliance.models import Hit, Restriction, ScreeningVendor, VendorCheck
from compliance.vendors import asking, checks
from crm.errors import NotAllowed, WrongState
from tests.brand_policies import set_policies
from tests.compliance.factories import load
from tests.compliance.vendors.running import settle

pytestmark = pytest.mark.django_db


def screen(cast) -> VendorCheck:
    screening.screen_client(client_id=cast.client.pk, trigger=ScreeningTrigger.REGISTERED)
    return VendorCheck.objects.get()


def due_now() -> None:
    VendorCheck.objects.exclude(due_at=None).update(due_at=timezone.now() - dt.timedelta(seconds=1))


def is_frozen(cast) -> bool:
    return Restriction.objects.filter(client=cast.client, lifted_at=None, kind="frozen").exists()


@pytest.mark.parametrize("fault", ["outage", "reset", "garbage", "huge", "lose_answer", "leave_out"])
def test_an_unknown_outcome_is_parked_and_the_vendor_looked_at_first(cast, sandbox, vendor, fault):
    check = screen(cast)
    sandbox.fault(fault)
    assert asking.ask_due() == 0
    check.refresh_from_db()
    assert check.state == "unknown" and check.problem and is_frozen(cast)
    # Still away: nothing is sent again.
    asked = len(sandbox.queries)
    due_now()
    sandbox.fault("outage")
    assert asking.ask_due() == 0 and len(sandbox.queries) == asked and is_frozen(cast)
    due_now()
    assert asking.ask_due() == 1
    check.refresh_from_db()
    assert check.state == "answered" and not is_frozen(cast)


def test_after_some_times_only_a_person_asks_again(cast, sandbox, vendor):
    check = screen(cast)
    with pytest.raises(WrongState):
        checks.ask_again(check_id=check.pk, actor=cast.kyc_officer)
    for _ in range(asking.ATTEMPTS_MAX):
        sandbox.fault("lose_answer")
        due_now()
        asking.ask_due()
    check.refresh_from_db()
    assert (check.state, check.due_at) == ("unknown", None) and len(sandbox.queries) == asking.ATTEMPTS_MAX
    with pytest.raises(NotAllowed):
        checks.ask_again(check_id=check.pk, actor=cast.agent)
    checks.ask_again(check_id=check.pk, actor=cast.kyc_officer)
    assert asking.ask_due() == 1 and not is_frozen(cast)


def test_being_asked_to_slow_down_is_waited_for_as_long_as_asked(cast, sandbox, vendor):
    check = screen(cast)
    sandbox.fault("rate_limit", 900)
    assert asking.ask_due() == 0
    check.refresh_from_db()
    assert check.state == "waiting" and check.due_at > timezone.now() + dt.timedelta(seconds=880) and is_frozen(cast)
    assert ScreeningVendor.objects.get().failing_since is None


def test_one_bad_query_spoils_nobody_elses(cast, sandbox, vendor):
    check = screen(cast)
    other = cast.other_client
    type(other).objects.filter(pk=other.pk).update(first_name="Spoiled", last_name="Query", brand=cast.brand)
    screening.screen_client(client_id=other.pk, trigger=ScreeningTrigger.REGISTERED)
    assert asking.ask_due() == 1
    check.refresh_from_db()
    assert check.state == "answered" and VendorCheck.objects.get(client=other).state == "refused"


def test_a_worker_that_never_came_back_leaves_an_unknown_outcome(cast, sandbox, vendor):
    check = screen(cast)
    asking._claim(vendor, asking.adapter_of(vendor))
    due_now()
    assert asking.look_at_parked(vendor) == 0
    check.refresh_from_db()
    assert check.state == "unknown" and is_frozen(cast)


def test_a_vendor_no_longer_used_holds_nobody_and_the_lists_screen(cast, sandbox, vendor, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    check = screen(cast)
    set_policies(cast.brand, screened_by="built_in")
    asking.ask_due()
    check.refresh_from_db()
    assert check.state == "ended" and sandbox.queries == []
    assert Hit.objects.get().entry.source.code == "un"
    assert set(Restriction.objects.filter(lifted_at=None).values_list("cause", flat=True)) == {"screening_hold"}


def test_a_person_found_by_both_has_one_case(cast, sandbox, vendor, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    set_policies(cast.brand, screened_by="both")
    sandbox.put("NK-1", "Klara Weber", birthDate=["1970-03-04"])
    screen(cast)
    settle()
    leader, part = Hit.objects.order_by("pk")
    assert (leader.entry.source.code, part.entry.source.code) == ("un", "vendor-opensanctions")
    assert part.part_of == leader and part.work is None


def test_everybodys_night_asks_the_vendor_and_holds_nobody(cast, sandbox, vendor, tmp_path):
    load(tmp_path, {"first": "Clara", "second": "Weber"})
    rescreening.screen_everybody()
    # The vendor alone screens: the list's entry of that name matches nobody.
    assert not Hit.objects.exists() and not Restriction.objects.exists()
    count = VendorCheck.objects.count()
    assert count and VendorCheck.objects.filter(state="waiting", is_bulk=True).count() == count
    assert asking.ask_due() == count
    assert ScreeningVendor.objects.get().last_answer_at is not None

"""A true match whose entry leaves its list: a task, lifted by two people, in force again when the entry is back."""

import pytest
from django.db import IntegrityError, transaction

from clients.models import Client
from compliance.matches.delisting import decide_delisting
from compliance.models import Delisting, Hit, Restriction
from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, WorkItem, WorkProposal
from tests.cast import signed_in
from tests.compliance.factories import confirm_match, load
from tests.compliance.test_rescreening import KLARA, OTHER, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def delisted(cast, tmp_path) -> Delisting:
    load(tmp_path, KLARA, OTHER)
    settle()
    confirm_match(Hit.objects.get(), cast)
    settle()
    load(tmp_path, {"id": "101", **OTHER})
    settle()
    return Delisting.objects.get()


def client_of(delisted: Delisting) -> Client:
    return Client.objects.get(pk=delisted.client_id)


def test_two_people_lift_what_a_delisted_match_restricted(cast, delisted, tmp_path):
    assert (delisted.state, client_of(delisted).restrictions) == ("open", ["frozen"])
    assert Notification.objects.filter(kind="compliance.delisted", user=cast.mlro).count() == 1
    assert client_of(delisted).risk_rating == "high"
    with pytest.raises(DomainError):
        decide_delisting(delisting_id=delisted.pk, outcome="lifted", reason=" ", actor=cast.kyc_officer)
    with pytest.raises(NotAllowed):
        decide_delisting(delisting_id=delisted.pk, outcome="lifted", reason="x", actor=cast.agent)
    decide_delisting(delisting_id=delisted.pk, outcome="lifted", reason="Notice of the Council", actor=cast.kyc_officer)
    assert client_of(delisted).restrictions == ["frozen"]
    proposal = WorkProposal.objects.get(item=delisted.work_id, state="pending")
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.kyc_officer)
    approvals.approve(WorkProposal, proposal.pk, actor=cast.mlro)
    settle()
    delisted.refresh_from_db()
    assert (delisted.state, delisted.decided_by, client_of(delisted).restrictions) == ("lifted", cast.mlro, [])
    restriction = Restriction.objects.get(cause="confirmed_match")
    assert (restriction.lift_requested_by, restriction.lifted_by) == (cast.kyc_officer, cast.mlro)
    assert client_of(delisted).risk_rating != "high"
    assert AuditEvent.objects.filter(action="compliance.delisting_decided", client_id=delisted.client_id).count() == 1
    load(tmp_path, KLARA, {"id": "101", **OTHER})
    settle()
    delisted.refresh_from_db()
    assert (delisted.state, client_of(delisted).restrictions) == ("relisted", ["frozen"])
    assert client_of(delisted).risk_rating == "high" and Hit.objects.count() == 1
    load(tmp_path, {"id": "101", **OTHER})
    settle()
    assert Delisting.objects.filter(state="open").count() == 1


def test_one_person_keeps_the_restriction_on_the_page(cast, delisted):
    page = f"/compliance/delistings/{delisted.pk}/"
    browser = signed_in(cast.kyc_officer)
    assert "Klara Weber was removed from" in browser.get(page).content.decode()
    assert "Klara Weber" in browser.get("/compliance/delistings/").content.decode()
    assert browser.post(page, {"outcome": "kept", "reason": ""}).status_code == 422
    assert browser.post(page, {"outcome": "kept", "reason": "National order remains"}).status_code == 302
    delisted.refresh_from_db()
    assert (delisted.state, delisted.reason, client_of(delisted).restrictions) == (
        "kept",
        "National order remains",
        ["frozen"],
    )
    with pytest.raises(WrongState):
        decide_delisting(delisting_id=delisted.pk, outcome="kept", reason="again", actor=cast.mlro)
    with pytest.raises(IntegrityError, match="says_who_and_why"), transaction.atomic():
        Delisting.objects.update(reason="")


def test_an_entry_that_is_back_closes_the_open_task(cast, delisted, tmp_path):
    load(tmp_path, KLARA, {"id": "101", **OTHER})
    settle()
    delisted.refresh_from_db()
    assert (delisted.state, WorkItem.objects.get(pk=delisted.work_id).state) == ("relisted", "closed")
    assert Restriction.objects.filter(lifted_at=None).count() == 1

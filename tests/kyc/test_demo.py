"""The demo's documents hold every invariant, open, and say what the facts say."""

import datetime as dt
import random
from importlib import import_module

import pytest

from clients.facts import FACTS, differences
from clients.models import Client
from crm import demo as house
from crm.choices import Role
from kyc import store
from kyc.choices import DocumentState
from kyc.models import Document, Issue, LevelReached, MachineDecision, SecondLook
from tests.worlds import undone


def demo():
    context = house.Demo(rng=random.Random(11), now=dt.datetime.now(dt.UTC), progress=lambda *_: None, scale=0.05)
    house.load_house(context)
    for name in ("clients", "kyc"):
        import_module(f"{name}.demo").load(context)
    return context


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with undone(django_db_blocker):
        yield demo()


@pytest.fixture
def loaded(built, django_db_blocker):
    with undone(django_db_blocker):
        yield built


def test_the_demos_documents(loaded):
    assert list(differences(FACTS["kyc_level"])) == []
    verified = Client.objects.filter(stage__in=["verified", "funded", "active", "dormant"])
    assert verified.exists() and not verified.filter(kyc_level=0).exists()
    # Some of those who have just sent something were approved automatically; their stage follows with the first worker.
    assert LevelReached.objects.filter(level=1).count() == Client.objects.filter(kyc_level__gte=1).count()
    assert set(loaded.extra["verified_at"]) == set(verified.values_list("pk", flat=True))
    for document in Document.objects.filter(state=DocumentState.APPROVED)[:5]:
        assert store.read(client_id=document.client_id, key=document.store_key)
        assert document.uploaded_at < document.reviewed_at < loaded.now
        assert document.extracted


def test_most_documents_were_decided_without_a_person(loaded):
    decided = Document.objects.exclude(reviewed_at=None)
    automatic = decided.filter(decided_by_policy__isnull=False).count()
    assert 0.5 < automatic / decided.count() < 0.9
    assert set(MachineDecision.objects.values_list("outcome", flat=True)) >= {"approve", "queue"}  # few are sent back
    assert SecondLook.objects.filter(state="agreed").exists()
    assert not MachineDecision.objects.filter(is_sampled=True, document__second_look=None).exists()


def test_a_queue_waits_with_real_issues(loaded):
    waiting = Document.objects.filter(state=DocumentState.PENDING_REVIEW)
    assert waiting.exists() or Document.objects.filter(state=DocumentState.UPLOADED).exists()
    assert not Issue.objects.filter(code__in=["CHECK_FAILED", "OCR_UNAVAILABLE"]).exists()
    officers = loaded.by_role[Role.KYC_OFFICER.value]
    assert Document.objects.filter(reviewed_by__in=officers).exists()

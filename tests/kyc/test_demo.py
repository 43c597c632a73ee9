"""The demo's documents hold every invariant, open, and say what the facts say."""

import datetime as dt
import random

import pytest

from clients.facts import FACTS, differences
from clients.models import Client
from crm import demo as house
from crm.choices import Role
from kyc import store
from kyc.choices import DocumentState
from kyc.models import Document, Issue, LevelReached

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded(monkeypatch):
    from importlib import import_module

    context = house.Demo(rng=random.Random(11), now=dt.datetime.now(dt.UTC), progress=lambda *_: None, scale=0.05)
    house.load_house(context)
    for name in ("clients", "kyc"):
        import_module(f"{name}.demo").load(context)
    return context


def test_the_demos_documents(loaded):
    assert list(differences(FACTS["kyc_level"])) == []
    verified = Client.objects.filter(stage__in=["verified", "funded", "active", "dormant"])
    assert verified.exists() and not verified.filter(kyc_level=0).exists()
    assert LevelReached.objects.filter(level=1).count() == verified.count()
    assert set(loaded.extra["verified_at"]) == set(verified.values_list("pk", flat=True))
    for document in Document.objects.filter(state=DocumentState.APPROVED)[:5]:
        assert store.read(client_id=document.client_id, key=document.store_key)
        assert document.uploaded_at < document.reviewed_at < loaded.now
        assert document.extracted


def test_a_queue_waits_with_real_issues(loaded):
    waiting = Document.objects.filter(state=DocumentState.PENDING_REVIEW)
    assert waiting.exists() or Document.objects.filter(state=DocumentState.UPLOADED).exists()
    assert not Issue.objects.filter(code__in=["CHECK_FAILED", "OCR_UNAVAILABLE"]).exists()
    officers = loaded.by_role[Role.KYC_OFFICER.value]
    assert Document.objects.filter(reviewed_by__in=officers).exists()

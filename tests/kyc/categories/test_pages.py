"""The client's category in the portal, and its pages for compliance."""

import pytest
from django.urls import reverse

from clients.models import Client
from kyc.categories.models import CategoryRequest
from tests.kyc.categories.factories import categorise
from tests.kyc.factories import uploaded

pytestmark = pytest.mark.django_db


def test_what_is_missing_is_named_at_its_field(cast, browse):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    document = uploaded(cast.client, kind="other")
    portal, url = browse(cast.client_user), reverse("portal_category")
    sha = portal.get(url).context["warning"].sha256
    typed = {"words-portfolio": "Shares", "sha256": sha, "criteria": ["portfolio", "experience"]}
    for more, code in (
        ({"criteria": ["portfolio"], "read": "on"}, "criteria"),
        ({}, "warning"),
        ({"read": "on"}, "portfolio"),
        ({"read": "on", "documents-portfolio": [document.pk, "²", "9" * 30]}, "experience"),
    ):
        page = portal.post(url, {**typed, **more})
        assert (page.status_code, list(page.context["errors"])) == (422, [code])
        assert "Shares" in page.content.decode()
    assert not CategoryRequest.objects.exists()
    both = {f"documents-{code}": [document.pk] for code in ("portfolio", "experience")}
    assert portal.post(url, {**typed, **both, "read": "on"})["Location"] == url
    assert "Your request is under review" in portal.get(url).content.decode()


def test_other_clients_documents_prove_nothing(cast, browse):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    theirs = uploaded(cast.other_client, kind="other", actor=cast.other_client_user)
    portal, url = browse(cast.client_user), reverse("portal_category")
    sha = portal.get(url).context["warning"].sha256
    evidence = {f"documents-{code}": [theirs.pk] for code in ("portfolio", "experience")}
    page = portal.post(url, {"criteria": ["portfolio", "experience"], "sha256": sha, "read": "on", **evidence})
    assert list(page.context["errors"]) == ["portfolio"]


def test_client_returns_to_retail_by_a_click(cast, browse):
    categorise(cast.client, "professional")
    portal = browse(cast.client_user)
    assert "Change to: Retail" in portal.get(reverse("portal_category")).content.decode()
    portal.post(reverse("portal_category_change", args=["retail"]))
    cast.client.refresh_from_db()
    assert cast.client.category == "retail"


def test_officer_proposes_a_category_with_its_reason(cast, browse):
    officer, url = browse(cast.kyc_officer), reverse("kyc:client_category", args=[cast.client.pk])
    page = officer.post(url, {"category": "professional", "basis": "review", "reason": "x"})
    assert page.status_code == 422
    officer.post(url, {"category": "professional", "basis": "per_se", "reason": "An insurer"})
    page = officer.get(url).content.decode()
    assert "Awaiting second approval" in page
    assert "An insurer" in page
    assert browse(cast.agent).get(url).status_code == 403

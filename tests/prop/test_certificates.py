"""A passed phase has a certificate: its address needs no login and shows the name only as its trader agreed."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from crm.errors import NotAllowed
from crm.models import Job
from prop.certificates.issuing import show_name
from prop.certificates.pdf import draft_for, draft_of
from prop.challenges.reviews import decide_phase
from prop.models import Certificate, PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.test_reviews import reached
from wallet.documents import pdf

pytestmark = pytest.mark.django_db
__all__ = ["reached"]


@pytest.fixture
def certificate(cast: Cast, reached: PhaseAccount) -> Certificate:
    decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.finance)
    return Certificate.objects.select_related("phase_account__challenge__client").get()


def test_anybody_verifies_it_and_reads_the_name_only_as_agreed(cast: Cast, certificate: Certificate) -> None:
    address = f"/b/{cast.brand.code}/certificates/{certificate.number}/"
    page = Browser().get(address).content.decode()
    assert "Phase 1" in page and certificate.number in page and cast.client.last_name not in page
    show_name(certificate_id=certificate.pk, shows_name=True, actor=cast.client.user)
    assert cast.client.full_name in Browser().get(address).content.decode()
    assert Browser().get(f"/b/{cast.brand.code}/certificates/AAAA/").status_code == 404


def test_only_its_trader_shows_the_name_and_has_the_file(cast: Cast, certificate: Certificate) -> None:
    for other in (cast.other_client.user, cast.administrator):
        with pytest.raises(NotAllowed):
            show_name(certificate_id=certificate.pk, shows_name=True, actor=other)
        with pytest.raises(NotAllowed):
            draft_for(other, {"certificate_id": certificate.pk, "language": "en"})
    browser = signed_in(cast.client.user)
    assert (
        "Verification page"
        in browser.get(f"/portal/challenges/{certificate.phase_account.challenge_id}/").content.decode()
    )
    assert signed_in(cast.other_client.user).post(f"/portal/certificates/{certificate.number}/pdf/").status_code == 404
    assert browser.post(f"/portal/certificates/{certificate.number}/pdf/").status_code == 302
    assert Job.objects.get().parameters["certificate_id"] == certificate.pk


def test_the_pdf_has_the_name_only_as_agreed(cast: Cast, certificate: Certificate) -> None:
    hidden = draft_of(certificate, "en")
    assert pdf.of_draft(hidden).startswith(b"%PDF")
    assert cast.client.full_name not in pdf.html_of_draft(hidden)
    certificate.shows_name = True
    shown = draft_of(certificate, "de")
    assert cast.client.full_name in pdf.html_of_draft(shown)
    assert f"/b/{cast.brand.code}/certificates/{certificate.number}/" in pdf.html_of_draft(shown)
    assert shown.content_hash != hidden.content_hash

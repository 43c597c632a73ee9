"""Referral abuse: who is found among simulated partners, what waits, who decides, and that the answer counts."""

from decimal import Decimal

import pytest
from django.urls import reverse

from crm import approvals
from crm.errors import NotAllowed, WrongState
from crm.models import Brand, WorkProposal
from ib import payouts
from ib.abuse.holds import is_held
from ib.abuse.reviews import clear_review, propose_abuse, release_payouts, review_referrals
from ib.abuse.score import judge
from ib.abuse.signals import counts
from ib.models import ReferralReview
from tests.brand_policies import set_policies
from tests.ib.abuse.world import BAD, simulate
from tests.ib.factories import make_version
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db
ABUSERS = {kind.__name__ for kind in BAD}


@pytest.fixture
def kinds(cast):
    return simulate(cast, make_version(cast.brand, cast.ib_manager, cast.finance), each=2, seed=7)[1]


def test_abusers_are_found_and_offices_are_not(kinds, cast, browse, django_assert_max_num_queries):
    assert review_referrals(cast.brand) == ReferralReview.objects.count()
    found = {kinds[row.partner_id]: 0 for row in ReferralReview.objects.all()}
    for row in ReferralReview.objects.all():
        found[kinds[row.partner_id]] += 1
    assert not set(found) - ABUSERS, found
    assert sum(found.values()) >= 0.8 * 2 * len(ABUSERS), found
    assert set(found) == ABUSERS, found
    assert review_referrals(cast.brand) == 0
    review = ReferralReview.objects.filter(partner__in=[pk for pk, kind in kinds.items() if kind == "ring"]).first()
    browser = browse(cast.ib_manager)
    with django_assert_max_num_queries(45):
        page = text_of(browser.get(review.get_absolute_url()))
    assert "share a device, account or document with two others" in page and "Payouts on hold" in page
    assert review.partner.name in text_of(browser.get(reverse("ib_abuse")))

    partner = review.partner
    with pytest.raises(WrongState, match="on hold"):
        payouts.pay_out(partner_id=partner.pk, amount=Decimal(1), currency="EUR", request_key="k", actor=partner.user)
    set_policies(cast.brand, referral_hold=False)
    partner.brand = Brand.objects.get(pk=cast.brand.pk)
    assert not is_held(partner)
    _decided(review, cast, browser)
    _cleared_counts(cast, review.partner)


def _decided(review, cast, browser) -> None:
    """Two people confirm; finance releases."""
    with pytest.raises(NotAllowed):
        propose_abuse(review_id=review.pk, reason="x", actor=cast.agent)
    browser.post(reverse("ib_abuse_confirm", args=[review.pk]), {"abuse-reason": "One card"})
    proposal = WorkProposal.objects.get(item=review.work)
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.ib_manager)
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    review.refresh_from_db()
    assert review.state == "abuse" and is_held(review.partner)
    assert review_referrals(cast.brand) == 0
    with pytest.raises(NotAllowed):
        release_payouts(review_id=review.pk, reason="x", actor=cast.ib_manager)
    release_payouts(review_id=review.pk, reason="Repaid", actor=cast.finance)
    review.refresh_from_db()
    assert not is_held(review.partner)
    with pytest.raises(WrongState):
        release_payouts(review_id=review.pk, reason="x", actor=cast.finance)


def _cleared_counts(cast, confirmed) -> None:
    """Who was cleared isn't asked about again for the same."""
    other = ReferralReview.objects.filter(state="open").exclude(partner=confirmed).first()
    clear_review(review_id=other.pk, reason="A family business", actor=cast.ib_manager)
    with pytest.raises(WrongState):
        clear_review(review_id=other.pk, reason="Again", actor=cast.ib_manager)
    assert review_referrals(cast.brand) == 0 and ReferralReview.objects.filter(partner=other.partner).count() == 1
    ReferralReview.objects.filter(pk=other.pk).update(score=other.score - 20)
    assert review_referrals(cast.brand) == 1


def test_no_referrals_no_score(cast):
    assert counts(cast.other_brand) == {} and judge([]) == (0, [])

"""The demo's referral review opens wherever a partner has clients enough to be judged."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.utils import timezone

from ib.abuse import demo
from ib.attribution import attribute_client
from ib.brand_policies import REFERRAL_SCORE
from ib.models import ReferralReview
from tests.cast import make_client
from tests.ib.factories import make_partner

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [4, 11])
def test_the_demo_opens_a_review_of_another_than_the_first_partner(cast, count):
    now = timezone.now()
    first, second = make_partner(cast.brand), make_partner(cast.brand)
    for number in range(count):
        for partner in (first, second):
            client = make_client(
                brand=cast.brand, book=cast.book, email=f"c{number}.{partner.pk}@demo.example", login=False
            )
            attribute_client(client_id=client.pk, partner_id=partner.pk, actor=None, at=now - dt.timedelta(days=20))
    demo.load(SimpleNamespace(now=now), cast.brand, [first, second])
    review = ReferralReview.objects.get()
    assert review.partner == second and review.reasons[0]["code"] == "self"
    assert review.score >= REFERRAL_SCORE.of(cast.brand)

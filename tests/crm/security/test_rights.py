"""A right that somebody lacks is named in words, with the roles that have it; its codename is shown to nobody."""

import re

import pytest

from crm.errors import NotAllowed
from crm.security import policies, rights
from crm.security.roles import CATALOGUE

CODENAME = re.compile(r"\b[a-z]+\.[a-z]+_[a-z_]+\b|[a-z]_[a-z]")
EVERY = sorted(set().union(*CATALOGUE.values()))


@pytest.mark.parametrize("permission", EVERY)
def test_every_right_has_a_name_and_holders(permission):
    name = rights.name_of(permission)
    assert name[0].isupper() and len(name) > 6 and not CODENAME.search(name), name
    assert rights.holders_of(permission)


@pytest.mark.django_db
def test_a_missing_right_is_named_in_words_with_who_has_it(cast):
    with pytest.raises(NotAllowed) as refused:
        policies.require_permission(cast.administrator, "wallet.close_period")
    words = str(refused.value)
    assert "Finance" in words and "period of the books" in words and not CODENAME.search(words)


@pytest.mark.django_db
def test_the_month_end_page_says_whose_right_it_is(cast, browse):
    from tests.days import last_month
    from tests.wallet.factories import fund
    from wallet.closing import periods
    from wallet.models import Period

    fund(cast.client, 10_000)
    periods.open_months(cast.brand.pk)
    period = Period.objects.filter(brand=cast.brand).order_by("first_day").first()
    assert period is not None and last_month()
    answer = browse(cast.administrator).get(f"/money/month-end/meridian/{period}/")
    assert "close_period" not in answer.content.decode()


def test_a_right_of_a_model_without_a_name_of_its_own_is_a_sentence():
    assert rights.name_of("wallet.view_withdrawal") == "View withdrawals"

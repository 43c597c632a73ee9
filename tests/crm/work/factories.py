"""Work for tests: documents that wait, without files."""

import datetime as dt

from crm.choices import Role
from tests.cast import make_staff
from tests.kyc.test_limits import a_document

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)  # a Tuesday, 10:00 in Berlin
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def second_officer(cast):
    return make_staff("olga@meridian.example", Role.KYC_OFFICER, brand=cast.brand)


def an_item(client, **fields):
    """A document's work item."""
    return a_document(client, **{"kind": "other", **fields}).work

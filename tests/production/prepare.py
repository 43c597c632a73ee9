"""Run in the installation by `manage.py shell`: somebody who signs in, and journals to be proved."""

from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction

from crm.choices import UserKind
from crm.models import Brand, User
from tests.production.visit import LOGIN, PASSWORD, SECRET
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line

with transaction.atomic():
    brand = Brand.objects.create(
        code="meridian",
        name="Meridian",
        legal_name="Meridian Ltd",
        jurisdiction="CySEC",
        support_email="help@example.com",
    )
    user = User.objects.create_superuser(LOGIN, LOGIN, PASSWORD)
    assert user.kind == UserKind.STAFF
    TOTP.activate(user, SECRET)
    fees = posting.house(AccountKind.FEES, brand_id=brand.pk, currency="EUR")
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=brand.pk, currency="EUR")
    for number in range(1, 51):
        lines = (Line(suspense, -100 * number), Line(fees, 100 * number))
        posting.post(Entry(key=f"proved:{number}", kind=JournalKind.ADJUSTMENT, brand_id=brand.pk, lines=lines))
print("prepared", len(lines))

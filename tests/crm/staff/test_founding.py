"""An empty installation gets its first two administrators by an address that the server prints, once."""

import datetime as dt
import threading

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from crm.choices import Role, UserKind
from crm.models import AuditEvent, User
from crm.security.scope import reach_of
from crm.staff import founding
from crm.staff.brands import BrandDetails, create_brand
from crm.staff.entities import EntityDetails, create_legal_entity
from crm.staff.founding import Founded, Person, found

ADA, BEN = Person("Ada", "Ito", "ada@aurora.example"), Person("Ben", "Okafor", "ben@aurora.example")
GOOD = {
    "first_name": "Ada",
    "last_name": "Ito",
    "email": "ada@aurora.example",
    "second_first_name": "Ben",
    "second_last_name": "Okafor",
    "second_email": "ben@aurora.example",
}


def token() -> str:
    return founding.set_up_address().rstrip("/").rpartition("/")[2]


@pytest.fixture
def founders(db) -> tuple[User, User]:
    found(token=token(), first=ADA, second=BEN)
    ada, ben = User.objects.order_by("pk")
    return ada, ben


def test_both_become_administrators_recorded_and_neither_has_a_password_yet(founders):
    for person in founders:
        assert person.kind == UserKind.STAFF
        assert not person.is_superuser
        assert not person.has_usable_password()
        assert [group.name for group in person.groups.all()] == [Role.ADMINISTRATOR]
    assert AuditEvent.objects.filter(action="crm.role_given").count() == 2


def test_the_form_leads_the_first_one_on_to_a_password_and_only_a_letter_reaches_the_second(client, db, mailoutbox):
    address = reverse("first_administrators", args=[token()])
    assert client.get(address).status_code == 200
    answer = client.post(address, GOOD)
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert "ada@aurora.example" in page.content.decode()
    assert "ben@aurora.example" not in answer["Location"] + page.content.decode()


def test_the_address_works_once(client, db):
    address = reverse("first_administrators", args=[token()])
    client.post(address, GOOD)
    again = client.post(address, {**GOOD, "email": "eve@x.example", "second_email": "eva@x.example"})
    assert again.status_code == 410
    assert "already has staff" in again.content.decode()
    assert User.objects.count() == 2


@pytest.mark.parametrize("forged", ["open", "open:1abc:def", "signed for something else"])
def test_a_forged_address_opens_nothing(client, db, forged):
    if forged.startswith("signed"):
        forged = signing.TimestampSigner(salt="other").sign("open")
    answer = client.post(reverse("first_administrators", args=[forged]), GOOD)
    assert answer.status_code == 410
    assert not User.objects.exists()


def test_a_day_later_the_address_has_expired(client, db, time_machine):
    address = reverse("first_administrators", args=[token()])
    time_machine.move_to(timezone.now() + dt.timedelta(seconds=founding.LIFETIME_SECONDS + 60))
    assert "set_up_link" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"second_email": "ADA@aurora.example "}, "different e-mail addresses"),
        ({"second_email": "no address"}, "valid email"),
        ({"first_name": ""}, "required"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_typed_is_lost(client, db, wrong, says):
    page = client.post(reverse("first_administrators", args=[token()]), {**GOOD, **wrong})
    assert page.status_code == 200
    assert says in page.content.decode()
    assert "Okafor" in page.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_forms_sent_together_one_is_late():
    address, came = token(), []

    def send(number: int) -> None:
        try:
            first = Person("A", "B", f"a{number}@x.example")
            found(token=address, first=first, second=Person("C", "D", f"c{number}@x.example"))
            came.append("made")
        except Founded:
            came.append("late")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["late", "late", "late", "made"]
    assert User.objects.count() == 2


def test_the_command_prints_the_address_while_nobody_can_sign_in_and_then_refuses(db, capsys):
    call_command("set_up_link", "--if-empty")
    assert "/first-administrators/" in capsys.readouterr().out
    found(token=token(), first=ADA, second=BEN)
    call_command("set_up_link", "--if-empty")
    assert capsys.readouterr().out == ""
    with pytest.raises(CommandError, match="already has staff"):
        call_command("set_up_link")


def test_the_first_brand_is_both_administrators_and_so_is_every_later_one(founders):
    ada, ben = founders
    for code in ("aurora", "borealis"):
        entity = create_legal_entity(
            actor=User.objects.get(pk=ada.pk), details=EntityDetails(name=f"{code} Ltd", jurisdiction="CY")
        )
        details = BrandDetails(
            name=code.title(), legal_entity=entity, support_email=f"help@{code}.example", languages=["en"]
        )
        brand = create_brand(actor=User.objects.get(pk=ada.pk), code=code, details=details)
        ben = User.objects.get(pk=ben.pk)
        assert brand.pk in reach_of(ben).whole_brands
    assert ben.brand is not None
    assert ben.brand.code == "aurora"


def test_an_administrator_of_some_brands_does_not_reach_a_new_one(founders):
    ada, _ben = founders
    entity = create_legal_entity(actor=ada, details=EntityDetails(name="Aurora Ltd", jurisdiction="CY"))
    first = BrandDetails(name="Aurora", legal_entity=entity, support_email="help@aurora.example", languages=["en"])
    create_brand(actor=User.objects.get(pk=ada.pk), code="aurora", details=first)
    other = User.objects.create_user(username="eve@x.example", email="eve@x.example", kind=UserKind.STAFF)
    other.groups.set(User.objects.get(pk=ada.pk).groups.all())
    second = BrandDetails(name="Borealis", legal_entity=entity, support_email="help@borealis.example", languages=["en"])
    brand = create_brand(actor=User.objects.get(pk=ada.pk), code="borealis", details=second)
    assert brand.pk not in reach_of(User.objects.get(pk=other.pk)).whole_brands

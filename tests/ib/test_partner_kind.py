"""Partners of another system, through the importer, and the clients that name them."""

import datetime as dt

import pytest

from clients.models import Client, TimelineEntry
from crm.accounts import partner_username
from crm.errors import DomainError
from crm.imports import applying, importing
from crm.models import AuditEvent, ExternalReference, OutgoingMail, User
from ib import tree
from ib.import_kinds.partners import PartnerKind
from ib.models import Attribution, Partner, PartnerPlan, Plan
from tests.crm.imports.files import checked, imported, reasons, row, silent

pytestmark = pytest.mark.django_db
HEAD = "IB ID,Name,Email,Parent IB,Ref code,Plan,Status,Since,Client ID\n"


def take_in(cast, lines):
    return imported(cast, HEAD + lines, kind="partners")


def look_at(cast, lines):
    return checked(cast, HEAD + lines, kind="partners")


def login(cast, email):
    """A partner's login that no partner has yet, as while another process registers one."""
    User.objects.create(
        username=partner_username(brand=cast.brand, email=email), email=email, kind="partner", brand=cast.brand
    )


def parent_name(name):
    parent = tree.parent_of(Partner.objects.get(name=name))
    return parent.name if parent else None


def active_plan(cast, name="Gold"):
    plan = Plan.objects.create(brand=cast.brand, name=name)
    plan.versions.create(
        number=1,
        state="active",
        currency="EUR",
        starts_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        made_by=cast.ib_manager,
        decided_by=cast.finance,
        decided_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    )
    return plan


def test_parents_come_in_whatever_the_order_of_the_rows(cast):
    batch = take_in(
        cast,
        "3,Leaf,leaf@example.com,2,,,,2023-03-01,\n2,Branch,branch@example.com,1,,,,2022-01-01,\n"
        "1,Root,root@example.com,,ROOTCODE,,,2021-01-01,\n4,Shut,shut@example.com,1,,,closed,,\n",
    )
    assert batch.counts == {"new": 4} and [parent_name(name) for name in ("Leaf", "Branch", "Root")] == [
        "Branch",
        "Root",
        None,
    ]
    root = Partner.objects.get(name="Root")
    assert root.joined_at == dt.datetime(2021, 1, 1, tzinfo=dt.UTC) and root.code == "rootcode"
    assert root.referral_links.get().code == "rootcode" and not root.user.has_usable_password()
    assert sorted(root.downline.values_list("level", flat=True)) == [1, 2, 2, 3]
    assert Partner.objects.get(name="Shut").state == "closed"
    assert not OutgoingMail.objects.exists()
    assert AuditEvent.objects.filter(action="ib.partner_registered", actor_id=cast.administrator.pk).count() == 4
    later = take_in(cast, "9,Later,later@example.com,3,,,,,\n8,By code,code@example.com,RootCode,,,,,\n")
    assert later.counts == {"new": 2} and parent_name("Later") == "Leaf" and parent_name("By code") == "Root"


def test_circles_and_missing_parents_are_refused_with_whoever_is_below(cast):
    batch = look_at(
        cast,
        "1,A,a@example.com,2,,,,,\n2,B,b@example.com,3,,,,,\n3,C,c@example.com,1,,,,,\n4,Below,d@example.com,1,,,,,\n"
        "5,Lost,e@example.com,99,,,,,\n6,Under lost,f@example.com,5,,,,,\n7,Self,g@example.com,7,,,,,\n"
        "8,Fine,h@example.com,,,,,,\n",
    )
    circle, absent = "This partner and those above form a circle", "No partner with this number or code"
    found = reasons(batch)
    assert all(found[line] == [circle] for line in (2, 3, 4, 5))
    assert all(found[line][0].startswith(absent) for line in (6, 7))
    assert found[8] == ["A partner can't be their own parent"]
    assert batch.counts == {"new": 1, "refused": 7}


def test_plans_codes_and_addresses_are_checked(cast):
    active_plan(cast)
    login(cast, "i@example.com")
    take_in(cast, "1,First,first@example.com,,taken,gold,,,\n")
    assert PartnerPlan.objects.get().plan.name == "Gold"
    batch = look_at(
        cast,
        "2,A,a@example.com,,taken,,,,\n3,B,b@example.com,,same,,,,\n4,C,c@example.com,,Same,,,,\n"
        "5,D,d@example.com,,,Silver,,,\n6,E,FIRST@example.com,,,,,,\n7,F,f@example.com,,no spaces!,,,,\n"
        f"8,G,{cast.client_user.email},,,,,,\n9,H,h@example.com,,,,asleep,,\n"
        "10,I,i@example.com,,,,,,\n",
    )
    found = reasons(batch)
    assert found[2] == ["Another partner has this code"] and found[4] == ["An earlier row has the same code"]
    assert found[5] == ["The brand has no active commission plan “Silver”"]
    assert row(batch, 6).object_id == Partner.objects.get(name="First").pk
    assert found[7] == ["A code has only a to z, digits, hyphens and underscores"]
    assert 8 not in found, "a client may be a partner with the same e-mail address"
    assert found[10] == ["There's already a partner login with this address"]
    assert found[9][0].startswith("Unknown value “asleep”")
    assert batch.counts == {"new": 2, "known": 1, "refused": 6}


def test_own_client_record_is_linked_once(cast):
    batch = take_in(
        cast,
        f"1,A,a@example.com,,,,,,{cast.client.email}\n2,B,b@example.com,,,,,,{cast.client.email}\n"
        "3,C,c@example.com,,,,,,nobody\n",
    )
    assert Partner.objects.get(name="A").client == cast.client
    assert reasons(batch)[3] == ["An earlier row has the same client"]
    assert reasons(batch)[4] == ["No client with this number or e-mail address. Import clients first."]
    assert reasons(look_at(cast, f"4,D,d@example.com,,,,,,{cast.client.email}\n"))[2] == [
        "This client is already a partner."
    ]


def test_imported_clients_are_their_partners_from_the_import_on(cast):
    take_in(cast, "1,Root,root@example.com,,rootcode,,,2021-01-01,\n")
    partner = Partner.objects.get(name="Root")
    text = (
        "id,email,IB ID,registered\n10,a@example.com,1,2022-01-01\n11,b@example.com,ROOTCODE,\n"
        "12,c@example.com,,\n13,d@example.com,404,\n"
    )
    batch = imported(cast, text)
    assert reasons(batch) == {5: ["No partner with this number or code. Import partners first."]}
    rows = Attribution.objects.filter(partner=partner).order_by("client__email")
    assert [(one.client.email, one.method, one.made_by) for one in rows] == [
        ("a@example.com", "import", cast.administrator),
        ("b@example.com", "import", cast.administrator),
    ]
    client = Client.objects.get(email="a@example.com")
    assert rows[0].starts_at > client.registered_at + dt.timedelta(days=365), "earlier trades were the other system's"
    assert TimelineEntry.objects.get(client=client, kind="partner").title == "Referred by Root"
    assert AuditEvent.objects.filter(action="ib.client_attributed", client_id=client.pk).count() == 1


def test_tree_comes_in_whole_or_not_at_all(cast, monkeypatch):
    """The second login is taken in the moment between the last look and the write."""
    batch = look_at(cast, "1,A,a@example.com,,,,,,\n2,B,b@example.com,1,,,,,\n")
    importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)
    monkeypatch.setattr(PartnerKind, "judge", lambda kind, span: None)
    login(cast, "b@example.com")
    with pytest.raises(DomainError, match="already a login"):
        applying.apply(batch, silent)
    assert not Partner.objects.filter(name__in=["A", "B"]).exists() and not ExternalReference.objects.exists()


def test_file_beyond_the_limit_is_refused_from_there_on(cast, monkeypatch):
    monkeypatch.setattr("ib.import_kinds.partners.PARTNERS_MAX", 1)
    batch = look_at(cast, "1,A,a@example.com,,,,,,\n2,B,b@example.com,,,,,,\n")
    assert batch.counts == {"new": 1, "refused": 1} and "at most 1 partners" in reasons(batch)[3][0]

"""Why can this user see this record?"""

import pytest

from crm.choices import Role
from crm.models import AccessEvent
from crm.staff.reach import grant
from tests.cast import make_staff, signed_in

pytestmark = pytest.mark.django_db


def ask(asking, user, client):
    return signed_in(asking).get("/explain/", {"user": user.email, "client": client.pk})


def test_a_grant_is_named_with_who_gave_it(cast):
    grant(cast.agent, cast.other_book, actor=cast.administrator)
    answer = ask(cast.auditor, cast.agent, cast.other_client)
    (way,) = answer.context["explanation"].ways
    assert way.name == "Access to the book “Bruno&#x27;s book”".replace("&#x27;", "'")
    assert way.by == str(cast.administrator) and way.at is not None
    assert "can open" in answer.content.decode()


def test_every_way_is_named_owner_and_grant(cast):
    ways = ask(cast.auditor, cast.agent, cast.client).context["explanation"].ways
    assert {way.kind for way in ways} == {"owner", "book"}
    (way,) = ask(cast.auditor, cast.finance, cast.client).context["explanation"].ways
    assert way.kind == "brand"


def test_why_not_is_said(cast):
    answer = ask(cast.auditor, cast.other_agent, cast.client)
    text = answer.content.decode()
    assert "can't open" in text and "No access to the book" in text and "German desk" in text


def test_rights_come_with_the_role_they_come_from_and_contacts_with_how_they_appear(cast):
    answer = ask(cast.auditor, cast.agent, cast.client)
    rights = {right.codename: right.roles for right in answer.context["explanation"].rights}
    assert rights["clients.reveal_contact"] == ("Sales agent",)
    assert "Each can be revealed" in answer.content.decode()
    assert "shown in full" in ask(cast.auditor, cast.finance, cast.client).content.decode()


def test_only_who_may_explain_asks_and_only_about_what_they_reach(cast):
    for role in (cast.agent, cast.finance, cast.marketing):
        assert ask(role, cast.agent, cast.client).status_code == 403
    stranger = make_staff("sid@southern.example", Role.AGENT, brand=cast.other_brand)
    assert "No staff member you have access to" in ask(cast.auditor, stranger, cast.client).content.decode()
    answer = ask(cast.desk_head, cast.agent, cast.other_client)
    assert "No client you have access to" in answer.content.decode()


def test_asking_is_itself_a_look_at_the_client(cast):
    ask(cast.auditor, cast.agent, cast.client)
    row = AccessEvent.objects.get(kind="view")
    assert (row.user_id, row.client_id, row.target) == (
        cast.auditor.pk,
        cast.client.pk,
        f"explain:user:{cast.agent.pk}",
    )


def test_the_page_stays_within_its_queries(cast, django_assert_max_num_queries):
    browser = signed_in(cast.auditor)
    browser.get("/explain/")
    with django_assert_max_num_queries(26):
        browser.get("/explain/", {"user": cast.agent.email, "client": cast.client.pk})


def test_names_are_escaped_once(cast):
    cast.client.first_name = "<i>Eve"
    cast.client.save()
    text = ask(cast.auditor, cast.agent, cast.client).content.decode()
    assert "&lt;i&gt;Eve" in text and "<i>Eve" not in text and "&amp;lt;" not in text

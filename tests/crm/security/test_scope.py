import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from clients.queries import clients_visible_to, get_client, is_in_own_book
from crm.choices import Role
from crm.errors import NotAllowed
from crm.models import AuditEvent, User
from crm.security import roles
from crm.security.scope import NOTHING, reach_of, staff_of_brand
from crm.staff import reach as staff_reach
from crm.staff import roles as staff_roles

pytestmark = pytest.mark.django_db


def test_an_agent_reaches_the_own_book_only(cast):
    assert list(clients_visible_to(cast.agent)) == [cast.client]
    assert is_in_own_book(cast.agent, cast.client)
    with pytest.raises(Http404):
        get_client(cast.agent, cast.other_client.pk)


def test_a_desk_head_reaches_every_book_of_the_desk_and_none_of_another(cast):
    reach = reach_of(cast.desk_head)
    assert reach.books == {cast.book.pk, cast.pool.pk}
    assert not reach.own_books


def test_a_brand_grant_reaches_every_desk_and_says_why(cast):
    reach = reach_of(cast.kyc_officer)
    assert reach.books == {cast.book.pk, cast.other_book.pk, cast.pool.pk}
    assert reach.why[cast.book.pk] == ("brand",)
    assert reach.whole_brands == {cast.brand.pk}


def test_a_client_reaches_the_own_record_only(cast):
    assert list(clients_visible_to(cast.client_user)) == [cast.client]
    assert reach_of(cast.client_user).books == frozenset()


def test_someone_who_left_reaches_nothing(cast):
    cast.agent.is_active = False
    assert not clients_visible_to(cast.agent).exists()


def test_reach_and_rights_cost_one_query_however_many_grants(cast, django_assert_num_queries):
    for book in (cast.other_book, cast.pool):
        staff_reach.grant(cast.agent, book, actor=None)
    agent = User.objects.get(pk=cast.agent.pk)
    with django_assert_num_queries(1):
        assert reach_of(agent).books == {cast.book.pk, cast.other_book.pk, cast.pool.pk}
        assert agent.has_perm("clients.view_client") and not agent.has_perm("crm.manage_staff")
        reach_of(agent)


def test_rights_read_in_one_call_are_those_that_django_reads(cast):
    for user in (cast.agent, cast.desk_head, cast.kyc_officer, cast.administrator, cast.client_user):
        fresh = User.objects.get(pk=user.pk)
        assert fresh.get_all_permissions() == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))


def test_nobody_grants_what_they_do_not_reach(cast):
    with pytest.raises(NotAllowed):
        staff_reach.grant(cast.agent, cast.other_brand, actor=cast.administrator)
    with pytest.raises(NotAllowed):
        staff_reach.grant(cast.agent, cast.other_book, actor=cast.desk_head)
    assert reach_of(cast.agent).books == {cast.book.pk}


def test_a_grant_widens_the_reach_and_is_audited(cast):
    reach_of(cast.agent)
    staff_reach.grant(cast.agent, cast.other_book, actor=cast.administrator)
    assert reach_of(cast.agent).books == {cast.book.pk, cast.other_book.pk}
    assert AuditEvent.objects.filter(action="crm.access_granted", target_id=str(cast.agent.pk)).count() == 1


def test_every_role_names_only_rights_that_exist(db):
    assert roles.unknown_permissions() == set()


def test_only_those_who_manage_staff_give_roles(cast):
    with pytest.raises(NotAllowed):
        staff_roles.give_role(cast.other_agent, Role.FINANCE, actor=cast.agent)
    assert not cast.other_agent.groups.filter(name=Role.FINANCE).exists()


def test_nobody_and_who_is_not_of_the_team_reach_nothing(cast):
    for user in (None, AnonymousUser(), cast.client_user):
        assert reach_of(user) is NOTHING
    for user in (cast.agent, cast.desk_head, cast.kyc_officer):
        assert reach_of(user) is not NOTHING
        user.is_active = False
        assert reach_of(user) is NOTHING


def test_a_reach_says_by_what_each_book_is_reached(cast):
    staff_reach.grant(cast.agent, cast.other_book, actor=None)
    agent = reach_of(User.objects.get(pk=cast.agent.pk))
    assert agent.own_books == {cast.book.pk} and agent.brands == {cast.brand.pk} and not agent.whole_brands
    assert "owner" in agent.why[cast.book.pk] and agent.why[cast.other_book.pk] == ("book",)
    assert agent.desks == {cast.desk.pk, cast.other_desk.pk}
    head = reach_of(cast.desk_head)
    assert set(head.why.values()) == {("desk",)} and not head.own_books
    root = User.objects.create_superuser(username="root", email="root@example.com", kind="staff")
    assert ("superuser",) in reach_of(root).why.values()


def test_staff_of_a_brand_are_those_who_reach_some_of_it(cast):
    staff = set(staff_of_brand(cast.brand.pk))
    assert {cast.agent.pk, cast.desk_head.pk, cast.kyc_officer.pk} <= staff
    assert not staff & {cast.client_user.pk, cast.other_client_user.pk}
    assert not set(staff_of_brand(cast.other_brand.pk)) & {cast.agent.pk, cast.desk_head.pk}

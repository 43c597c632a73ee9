"""A brokerage sets itself up: legal entities, brands, desks and books."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, connections, transaction
from guardian.shortcuts import assign_perm

from clients.models import Client
from crm.choices import Role, UserKind
from crm.errors import DomainError, NotAllowed, NotFound, WrongState
from crm.models import AuditEvent, Book, Brand, Desk, LegalEntity, User
from crm.security.scope import reach_of
from crm.staff.books import BookDetails, archive_book, change_book, create_book, restore_book
from crm.staff.brands import BrandDetails, archive_brand, change_brand, create_brand, restore_brand
from crm.staff.desks import DeskDetails, archive_desk, change_desk, create_desk, restore_desk
from crm.staff.entities import (
    EntityDetails,
    archive_legal_entity,
    change_legal_entity,
    create_legal_entity,
    restore_legal_entity,
)
from crm.texts.risk_warning import risk_warning_of
from tests.cast import signed_in

COMPANY = EntityDetails(name="Northern Lights Ltd", jurisdiction="CY", licence_number="123/45")
OTHERS = [role.value for role in Role if role not in (Role.ADMINISTRATOR, Role.AGENT, Role.RETENTION)]


def administrator(*brands: Brand) -> User:
    """An administrator who was granted these brands."""
    person = User.objects.create_user(username="adam@x.example", email="adam@x.example", kind=UserKind.STAFF)
    person.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
    for brand in brands:
        assign_perm("crm.access_brand", person, brand)
    return User.objects.get(pk=person.pk)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def details(entity: LegalEntity, **changes) -> BrandDetails:
    values = {"name": "Aurora", "support_email": "help@aurora.example", "languages": ["en"], **changes}
    return BrandDetails(legal_entity=entity, **values)


@pytest.fixture
def founder(cast) -> User:
    return administrator(cast.brand, cast.other_brand)


@pytest.fixture
def entity(founder) -> LegalEntity:
    return create_legal_entity(actor=founder, details=COMPANY)


@pytest.fixture
def brand(founder, entity) -> Brand:
    return create_brand(actor=founder, code="aurora", details=details(entity))


def trail(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")


@pytest.mark.django_db
def test_an_empty_installation_is_set_up_by_its_first_administrator():
    first = administrator()
    browser = signed_in(first)
    assert "Add legal entity" in browser.get("/legal-entities/").content.decode()
    assert "Add the company first" in browser.get("/brands/new/").content.decode()
    answer = browser.post("/legal-entities/new/", {"name": "Northern Lights Ltd", "jurisdiction": "CY"})
    assert answer.status_code == 302
    answer = browser.post("/brands/new/", brand_post(LegalEntity.objects.get(), code="aurora"))
    brand = Brand.objects.get()
    assert answer["Location"] == f"/brands/{brand.pk}/"
    assert reach_of(fresh(first)).whole_brands == {brand.pk}
    page = browser.get(answer["Location"]).content.decode()
    assert "Northern Lights Ltd" in page and 'data-dialog="archive"' in page
    answer = browser.post("/desks/new/", {"brand": brand.pk, "name": "North", "languages": ["en"], "time_zone": "UTC"})
    assert answer.status_code == 302
    pool = Book.objects.get()
    assert (pool.name, pool.is_pool, pool.desk.name) == ("North pool", True, "North")
    answer = browser.post("/books/new/", {"brand": brand.pk, "name": "Ann's book", "desk": pool.desk_id})
    assert answer.status_code == 302 and Book.objects.count() == 2
    for path in ("/", "/home/", "/brands/", "/desks/", "/books/", "/staff/", f"/brands/{brand.pk}/look/"):
        assert browser.get(path, follow=True).status_code == 200, path


def brand_post(entity: LegalEntity, **changes) -> dict:
    return {
        "code": "aurora",
        "name": "Aurora",
        "legal_entity": entity.pk,
        "support_email": "help@aurora.example",
        "sender_email": "",
        "base_currency": "EUR",
        "languages": ["en", "de"],
        "default_language": "en-gb",
        "time_zone": "UTC",
        "loss_percentage": "71",
        **changes,
    }


@pytest.mark.django_db
def test_a_brand_prints_its_entity_and_its_founder_reaches_it(founder, brand, entity):
    assert (brand.legal_name, brand.jurisdiction, brand.licence_number) == ("Northern Lights Ltd", "CY", "123/45")
    assert brand.pk in reach_of(fresh(founder)).whole_brands
    assert trail("crm.brand_created").actor_id == founder.pk
    assert trail("crm.access_granted").target_id == str(founder.pk)
    assert brand.history.count() == 1 and entity.history.count() == 1


@pytest.mark.django_db
def test_the_key_holds_the_copies_equal_to_the_entity(founder, brand, entity):
    change_legal_entity(
        entity_id=entity.pk, actor=founder, details=EntityDetails("Polar Ltd", "MU", licence_number="9")
    )
    brand.refresh_from_db()
    assert (brand.legal_name, brand.jurisdiction, brand.licence_number) == ("Polar Ltd", "MU", "9")
    for column in ("legal_name", "jurisdiction", "licence_number"):
        refused = pytest.raises(IntegrityError, match="brand_prints_its_legal_entity")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE crm_brand SET {column} = 'XX' WHERE id = %s", [brand.pk])
    event = trail("crm.legal_entity_changed")
    assert event.actor_id == founder.pk


@pytest.mark.django_db
@pytest.mark.parametrize("who", OTHERS)
def test_other_roles_set_up_nothing(cast, who):
    actor = getattr(cast, who)
    before = (LegalEntity.objects.count(), Brand.objects.count(), Desk.objects.count(), Book.objects.count())
    with pytest.raises(NotAllowed):
        create_legal_entity(actor=actor, details=COMPANY)
    with pytest.raises(NotAllowed):
        create_desk(brand_id=cast.brand.pk, actor=actor, details=DeskDetails("X", ["en"]))
    with pytest.raises(NotAllowed):
        create_book(brand_id=cast.brand.pk, actor=actor, details=BookDetails("X"))
    with pytest.raises(NotAllowed):
        archive_brand(brand_id=cast.brand.pk, actor=actor, reason="x")
    with pytest.raises(NotAllowed):
        change_desk(desk_id=cast.desk.pk, actor=actor, details=DeskDetails("X", ["en"]))
    assert before == (LegalEntity.objects.count(), Brand.objects.count(), Desk.objects.count(), Book.objects.count())
    assert signed_in(actor).get("/brands/").status_code == 403


@pytest.mark.django_db
def test_an_administrator_of_one_brand_changes_no_other_and_founds_none(cast):
    # The cast's administrator reaches one brand of two.
    with pytest.raises(NotAllowed, match="all brands"):
        create_legal_entity(actor=cast.administrator, details=COMPANY)
    entity = create_legal_entity(actor=None, details=COMPANY)
    with pytest.raises(NotAllowed, match="all brands"):
        create_brand(actor=cast.administrator, code="aurora", details=details(entity))
    for work in (
        lambda: create_desk(brand_id=cast.other_brand.pk, actor=cast.administrator, details=DeskDetails("X", ["en"])),
        lambda: archive_brand(brand_id=cast.other_brand.pk, actor=cast.administrator, reason="x"),
        lambda: change_brand(brand_id=cast.other_brand.pk, actor=cast.administrator, details=details(entity)),
    ):
        with pytest.raises(NotAllowed, match="access to this brand"):
            work()
    browser = signed_in(cast.administrator)
    assert browser.get(f"/brands/{cast.other_brand.pk}/").status_code == 404
    assert "Southern" not in browser.get("/brands/").content.decode()
    assert "Add brand" not in browser.get("/brands/").content.decode()
    assert browser.post(f"/company/brand/{cast.other_brand.pk}/archive/", {"reason": "x"}).status_code == 404


@pytest.mark.django_db
def test_an_entity_shared_with_an_unreached_brand_is_not_changed(cast):
    shared = create_legal_entity(actor=None, details=COMPANY)
    for row in (cast.brand, cast.other_brand):
        named = details(shared, base_currency=row.base_currency, name=row.name)
        change_brand(brand_id=row.pk, actor=None, details=named)
    with pytest.raises(NotAllowed, match="brands you don't have access to"):
        change_legal_entity(entity_id=shared.pk, actor=cast.administrator, details=COMPANY)
    page = signed_in(cast.administrator).get(f"/legal-entities/{shared.pk}/").content.decode()
    assert "Only an administrator with access to all brands" in page and "archive-reason" not in page
    listed = signed_in(cast.administrator).get("/legal-entities/").content.decode()
    assert cast.brand.name in listed and cast.other_brand.name not in listed, "a brand out of reach isn't named"


@pytest.mark.django_db
def test_names_and_codes_are_taken_once(founder, entity, brand):
    with pytest.raises(DomainError, match="already exists"):
        create_legal_entity(actor=founder, details=COMPANY)
    with pytest.raises(DomainError, match="code already exists"):
        create_brand(actor=fresh(founder), code="Aurora", details=details(entity))
    desk = create_desk(brand_id=brand.pk, actor=fresh(founder), details=DeskDetails("North", ["en"]))
    with pytest.raises(DomainError, match="desk with this name"):
        create_desk(brand_id=brand.pk, actor=fresh(founder), details=DeskDetails("North", ["en"]))
    with pytest.raises(DomainError, match="book with this name"):
        create_book(brand_id=brand.pk, actor=fresh(founder), details=BookDetails("North pool", desk))


@pytest.mark.django_db(transaction=True)
def test_one_code_asked_for_by_two_makes_one_brand(cast):
    entity = create_legal_entity(actor=None, details=COMPANY)
    came: list[str] = []

    def create() -> None:
        try:
            create_brand(actor=None, code="aurora", details=details(entity))
            came.append("made")
        except DomainError as error:
            came.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["duplicate", "made"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss_percentage": "101"}, "less than or equal to 100"),
        ({"code": "a" * 21}, "at most 20"),
        ({"code": "<script>"}, "valid"),
        ({"name": "x" * 81}, "at most 80"),
        ({"support_email": "no address"}, "valid email"),
        ({"sender_email": "a@b.example\r\nBcc: x@y.example"}, "valid email"),
        ({"base_currency": "XXX"}, "not one of the available"),
        ({"currencies": ["USD"]}, "base currency must be among"),
        ({"time_zone": "Mars/North"}, "not one of the available"),
        ({"languages": []}, "required"),
    ],
)
def test_wrong_input_is_refused_at_its_field(founder, entity, changes, words):
    answer = signed_in(founder).post("/brands/new/", brand_post(entity, **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Brand.objects.filter(legal_entity=entity).exists()


@pytest.mark.django_db
def test_verbs_check_what_no_form_has_checked(founder, entity):
    for changes in (
        {"name": "x" * 81},
        {"support_email": "no"},
        {"base_currency": "XXX"},
        {"time_zone": "Mars/North"},
        {"loss_percentage": 101},
        {"languages": []},
    ):
        with pytest.raises((DomainError, IntegrityError)), transaction.atomic():
            create_brand(actor=founder, code="aurora", details=details(entity, **changes))
    with pytest.raises(DomainError):
        create_brand(actor=founder, code="two words", details=details(entity))


@pytest.mark.django_db
def test_markup_in_names_is_shown_as_text(founder, entity):
    browser = signed_in(founder)
    evil = "<script>alert(1)</script>"
    answer = browser.post("/brands/new/", brand_post(entity, name=evil))
    assert answer.status_code == 302
    brand = Brand.objects.get(code="aurora")
    for path in (answer["Location"], "/brands/", f"/brands/{brand.pk}/look/", "/b/aurora/login/"):
        page = browser.get(path).content.decode()
        assert evil not in page, path


@pytest.mark.django_db
def test_the_percentage_is_filled_into_the_risk_warning(founder, entity, client):
    signed_in(founder).post("/brands/new/", brand_post(entity))
    brand = Brand.objects.get(code="aurora")
    assert "71% of retail" in risk_warning_of(brand, "en-gb") and "71 % der" in risk_warning_of(brand, "de")
    page = client.get("/b/aurora/login/").content.decode()
    assert "71% of retail" in page and "{{" not in page
    brand.loss_percentage = None
    assert "vast majority of retail" in risk_warning_of(brand, "en") and "{{" not in risk_warning_of(brand, "de")


@pytest.mark.django_db
def test_the_base_currency_stays_once_there_are_clients(cast):
    entity = create_legal_entity(actor=None, details=COMPANY)
    with pytest.raises(DomainError, match="has clients"):
        change_brand(brand_id=cast.brand.pk, actor=None, details=details(entity, base_currency="USD"))
    changed = change_brand(brand_id=cast.other_brand.pk, actor=None, details=details(entity, base_currency="GBP"))
    assert changed.base_currency == "GBP" and changed.code == "southern"
    page = signed_in(cast.administrator).get(f"/brands/{cast.brand.pk}/").content.decode()
    assert "base currency can't change" in page


@pytest.mark.django_db
def test_a_brand_is_archived_with_a_reason_and_restored(founder, cast, brand, entity):
    founder = fresh(founder)
    with pytest.raises(DomainError, match="reason"):
        archive_brand(brand_id=brand.pk, actor=founder, reason=" ")
    with pytest.raises(DomainError, match="Archive the brands of this company first"):
        archive_legal_entity(entity_id=entity.pk, actor=founder, reason="Closed")
    assert archive_brand(brand_id=brand.pk, actor=founder, reason="Closed").archived_at
    with pytest.raises(WrongState, match="already archived"):
        archive_brand(brand_id=brand.pk, actor=founder, reason="Closed")
    with pytest.raises(WrongState, match="is archived"):
        create_desk(brand_id=brand.pk, actor=founder, details=DeskDetails("North", ["en"]))
    archive_legal_entity(entity_id=entity.pk, actor=founder, reason="Closed")
    with pytest.raises(WrongState, match="Northern Lights"):
        restore_brand(brand_id=brand.pk, actor=founder, reason="Again")
    with pytest.raises(WrongState, match="is archived"):
        create_brand(actor=founder, code="second", details=details(entity))
    restore_legal_entity(entity_id=entity.pk, actor=founder, reason="Again")
    assert restore_brand(brand_id=brand.pk, actor=founder, reason="Again").archived_at is None
    assert trail("crm.brand_archived").actor_id == founder.pk


@pytest.mark.django_db
def test_the_last_open_brand_stays(founder, cast):
    archive_brand(brand_id=cast.brand.pk, actor=founder, reason="Closed")
    with pytest.raises(DomainError, match="last open brand"):
        archive_brand(brand_id=cast.other_brand.pk, actor=founder, reason="Closed")


@pytest.mark.django_db
def test_a_desk_is_archived_without_people_and_books(cast):
    actor = cast.administrator
    with pytest.raises(DomainError, match="on this desk"):
        archive_desk(desk_id=cast.desk.pk, actor=actor, reason="Closed")
    User.objects.filter(desk=cast.desk).update(desk=None)
    with pytest.raises(DomainError, match=r"Archive the books.*Alice"):
        archive_desk(desk_id=cast.desk.pk, actor=actor, reason="Closed")
    with pytest.raises(DomainError, match="has clients"):
        archive_book(book_id=cast.book.pk, actor=actor, reason="Closed")
    Client.objects.filter(book=cast.book).update(book=cast.other_book)
    for book in (cast.book, cast.pool):
        archive_book(book_id=book.pk, actor=actor, reason="Closed")
    assert archive_desk(desk_id=cast.desk.pk, actor=actor, reason="Closed").archived_at
    with pytest.raises(WrongState, match="German desk is archived"):
        restore_book(book_id=cast.book.pk, actor=actor, reason="Again")
    restore_desk(desk_id=cast.desk.pk, actor=actor, reason="Again")
    assert restore_book(book_id=cast.book.pk, actor=actor, reason="Again").archived_at is None


@pytest.mark.django_db
def test_a_books_owner_reaches_it_first(cast):
    actor = cast.administrator
    book = create_book(brand_id=cast.brand.pk, actor=actor, details=BookDetails("Bruno's second", cast.desk))
    mine = BookDetails("Bruno's second", cast.desk, owner=cast.other_agent)
    with pytest.raises(DomainError, match="no access to this book"):
        change_book(book_id=book.pk, actor=actor, details=mine)
    with pytest.raises(DomainError, match="pool has no owner"):
        change_book(book_id=book.pk, actor=actor, details=BookDetails("B", cast.desk, cast.other_agent, is_pool=True))
    assign_perm("crm.access_book", cast.other_agent, book)
    assert change_book(book_id=book.pk, actor=actor, details=mine).owner == cast.other_agent
    theirs = Desk.objects.create(brand=cast.other_brand, name="Far desk", languages=["en"])
    with pytest.raises(DomainError, match="another brand"):
        change_book(book_id=book.pk, actor=actor, details=BookDetails("B", theirs, cast.other_agent))
    with pytest.raises(DomainError, match="To change their owner"):
        change_book(book_id=cast.book.pk, actor=actor, details=BookDetails("Alice's book", cast.desk))


@pytest.mark.django_db
def test_a_gone_record_is_no_error(cast):
    with pytest.raises(NotFound):
        archive_desk(desk_id=999_999, actor=cast.administrator, reason="x")
    assert signed_in(cast.administrator).post("/company/nothing/1/archive/").status_code == 404


@pytest.mark.django_db
def test_archiving_works_from_the_page(cast, founder, brand):
    browser = signed_in(founder)
    page = browser.post(f"/company/brand/{brand.pk}/archive/", {"reason": "Closed"}, follow=True).content.decode()
    assert "Aurora archived." in page and "takes no registrations" in page
    assert "Aurora" not in browser.get("/brands/?state=open").content.decode()
    page = browser.post(f"/company/brand/{brand.pk}/archive/", {"reason": "Again"}, follow=True).content.decode()
    assert "Aurora restored." in page


@pytest.mark.django_db
def test_pages_cost_few_queries(cast, founder, brand, django_assert_max_num_queries):
    browser = signed_in(founder)
    for path, most in (
        ("/legal-entities/", 12),
        ("/brands/", 11),
        (f"/brands/{brand.pk}/", 16),
        ("/desks/", 11),
        ("/books/", 11),
        (f"/desks/{cast.desk.pk}/", 14),
        (f"/books/{cast.book.pk}/", 17),
    ):
        browser.get(path)
        with django_assert_max_num_queries(most):
            assert browser.get(path).status_code == 200

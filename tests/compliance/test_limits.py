"""Every limit of screening, rating and their pages: just below, exactly there, just above."""

import datetime as dt

import pytest
from django.utils import timezone

from compliance import queries, record_views, screening
from compliance.matching.score import BirthRange, ListedName, Person, compare_names, score
from compliance.matching.words import word_likeness
from compliance.models import Hit
from compliance.sentences import VALUE_MAX, details, plain
from crm.models import AccessEvent
from tests.brand_policies import set_policies
from tests.compliance.factories import BORN, load
from tests.monitoring.factories import look

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 21)


# ── screening ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("by", "is_hit"), [(-0.0001, True), (0.0, True), (0.0001, False)])
def test_a_match_reaches_the_brands_threshold(cast, tmp_path, by, is_hit):
    load(tmp_path, {"first": "Klara", "second": "Webber"})
    person = screening.person_of(cast.client)
    ((_entry, found),), _compared = screening.matches(person, threshold=0.5)
    set_policies(cast.brand, screening_threshold=str(found.score + by))
    made = screening.screen_client(client_id=cast.client.pk, trigger="demand")
    assert (made.hit_count, Hit.objects.count()) == (int(is_hit), int(is_hit))


def test_thresholds_are_the_brands_own(cast):
    set_policies(cast.other_brand, screening_threshold="0.6")
    assert str(screening.threshold_of(cast.client)) == "0.8"


def birth(day: int, month: int, year: int, *births: BirthRange) -> tuple[str, float]:
    who = Person(("Anna Listed",), dt.date(year, month, day))
    found = score(who, [ListedName("Anna Listed")], births or [BirthRange(BORN, BORN, is_exact=True)])
    return found.birth, found.birth_points


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ((4, 3, 1970), ("same_day", 0.06)),
        ((3, 4, 1970), ("day_and_month_swapped", 0.03)),
        ((5, 3, 1970), ("near", -0.1)),
        ((1, 1, 1969), ("near", -0.1)),
        ((31, 12, 1968), ("differs", -0.22)),
        ((31, 12, 1971), ("near", -0.1)),
        ((1, 1, 1972), ("differs", -0.22)),
        ((3, 4, 1971), ("near", -0.1)),
    ],
)
def test_a_birth_is_near_within_one_year(born, expected):
    assert birth(*born) == expected


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ((31, 12, 1959), ("near", -0.03)),
        ((1, 1, 1960), ("same_year", 0.03)),
        ((31, 12, 1962), ("same_year", 0.03)),
        ((1, 1, 1963), ("near", -0.03)),
        ((1, 1, 1964), ("differs", -0.22)),
        ((31, 12, 1958), ("differs", -0.22)),
    ],
)
def test_a_range_of_births_holds_both_its_ends(born, expected):
    assert birth(*born, BirthRange(dt.date(1960, 1, 1), dt.date(1962, 12, 31))) == expected


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("weber", "weber", "equal"),
        ("w", "weber", "initial"),
        ("k", "weber", ""),
        ("al", "el", "particle"),
        ("bin", "ibn", "particle"),
        ("bin", "weber", ""),
        ("li", "wu", ""),
        ("lee", "lea", "spelling"),
    ],
)
def test_how_two_words_are_alike(one, other, how):
    likeness, found = word_likeness(one, other)
    assert found == how and (likeness > 0) is bool(how)


def test_other_order_one_word_and_weak_names_cost_points():
    plain_score = compare_names("Anna Maria Weber", "Anna Maria Weber").name_score
    assert plain_score == 1.0
    turned = compare_names("Anna Maria Weber", "Weber Anna Maria")
    assert (turned.name_score, turned.notes) == (pytest.approx(0.97), ["other_order"])
    weak = score(Person(("Anna Weber",)), [ListedName("Anna Weber", is_weak=True)])
    assert weak.score == pytest.approx(0.95)
    alone = compare_names("Weber", "Weber")
    assert (alone.name_score, alone.notes) == (pytest.approx(0.92), ["one_word"])
    one_of_two = compare_names("Anna Weber", "Karl Weber")
    assert "one_word" in one_of_two.notes and one_of_two.name_score < 0.5


def test_common_names_alone_say_less():
    def common(word: str) -> bool:
        return word in ("ali", "hassan")

    rare = compare_names("Ali Hassan", "Ali Hassan Mustafa")
    often = compare_names("Ali Hassan", "Ali Hassan Mustafa", common)
    assert "common_words_only" in often.notes and often.name_score < rare.name_score
    same = compare_names("Ali Hassan", "Ali Hassan", common)
    assert same.notes == [] and same.name_score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (("DE",), ["DE", "FR"], ("same", 0.02)),
        (("DE", "VN"), ["VN"], ("same", 0.02)),
        (("DE",), ["FR"], ("differs", -0.02)),
        ((), ["FR"], ("unknown", 0.0)),
        (("DE",), [], ("unknown", 0.0)),
    ],
)
def test_countries_move_the_score_a_little(mine, theirs, expected):
    found = score(Person(("Anna Listed",), None, mine), [ListedName("Anna Listed")], [], theirs)
    assert (found.country, found.country_points) == expected


# ── the access log and the sentences ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("rows", "pages"), [(49, 1), (50, 1), (51, 2)])
def test_a_page_of_the_access_log_holds_fifty(cast, rows, pages):
    for number in range(rows):
        look(cast.agent, dt.datetime(2026, 9, 10, 9, tzinfo=dt.UTC), client=number)
    found = record_views.page_of(AccessEvent.objects.all(), cast.desk_head)
    assert (len(found.rows), bool(found.next)) == (min(rows, 50), pages == 2)
    if found.next:
        assert [
            row.client_id for row in record_views.page_of(AccessEvent.objects.all(), cast.desk_head, found.next).rows
        ] == [0]


def test_only_a_client_in_reach_is_linked_from_the_access_log(cast):
    """An agent of the desk worked on a client who has left it: the head sees the look, and no way to a page that is shut."""
    for client in (cast.client, cast.other_client):
        look(cast.agent, dt.datetime(2026, 9, 10, 9, tzinfo=dt.UTC), client=client.pk)
    found = record_views.page_of(AccessEvent.objects.all(), cast.agent)
    assert {row.client_id for row in found.rows} == {cast.client.pk, cast.other_client.pk}
    assert found.opened == {cast.client.pk}


@pytest.mark.parametrize("cursor", ["%%%", "bm9uc2Vuc2U", "MjAyNg", "2026|x"])
def test_a_damaged_place_begins_again(cast, cursor):
    look(cast.agent, dt.datetime(2026, 9, 10, 9, tzinfo=dt.UTC))
    assert len(record_views.page_of(AccessEvent.objects.all(), cast.desk_head, cursor).rows) == 1


@pytest.mark.parametrize(("days", "is_counted"), [(89.9, True), (90.1, False)])
def test_who_saw_a_client_within_ninety_days(cast, days, is_counted):
    moment = timezone.now() - dt.timedelta(days=days)
    look(cast.agent, moment, client=cast.client.pk)
    look(cast.agent, moment, "reveal", client=cast.client.pk)
    look(cast.other_agent, moment, client=cast.client.pk, in_book=False)
    found = {row["person"]: row for row in record_views.who_saw(AccessEvent.objects.filter(client_id=cast.client.pk))}
    if not is_counted:
        assert found == {}
        return
    mine, theirs = found[cast.agent], found[cast.other_agent]
    assert (mine["views"], mine["revealed"], mine["outside"]) == (2, 1, 0)
    assert (theirs["views"], theirs["revealed"], theirs["outside"]) == (1, 0, 1)


def test_each_reads_the_log_of_their_own_people(cast):
    for person in (cast.agent, cast.other_agent):
        look(person, dt.datetime(2026, 9, 10, 9, tzinfo=dt.UTC))
    assert {row.user_id for row in record_views.views_visible_to(cast.mlro)} == {cast.agent.pk, cast.other_agent.pk}
    assert not record_views.views_visible_to(cast.agent).exists()
    assert not record_views.views_visible_to(cast.client_user).exists()


@pytest.mark.parametrize(("length", "is_cut"), [(VALUE_MAX - 1, False), (VALUE_MAX, False), (VALUE_MAX + 1, True)])
def test_long_values_are_cut_at_three_hundred_letters(length, is_cut):
    shown = plain("w" * length)
    assert len(shown) == min(length, VALUE_MAX) and shown.endswith("…") is is_cut


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (0.123456, "0.123"),
        ({"is_new": True, "empty": None, "score": 3}, "is new yes, score 3"),
        (["a", 2], "a, 2"),
        ("f" * 39, "f" * 39),
        ("f" * 40, "f" * 12 + "…"),
    ],
)
def test_values_in_words(value, shown):
    assert plain(value) == shown


def test_a_page_shows_a_state_by_its_name_and_a_pack_as_it_is_stored():
    body = {"before": {"sales_status": "new", "email": "new"}, "after": {"sales_status": "contacted", "email": "x"}}
    shown = dict(details(body, target_type="clients.Client"))
    assert shown == {"Sales status": "New → Contacted", "E-mail": "new → x"}
    assert dict(details(body))["Sales status"] == "new → contacted"
    assert dict(details(body, target_type="gone.Model"))["Sales status"] == "new → contacted"


def test_what_changed_reads_from_before_to_after():
    body = {"before": {"state": "open", "gone": "x"}, "after": {"state": "shut", "new_field": 2}, "reason": "why"}
    assert list(details({**body, "evidence": {"list": "un"}})) == [
        ("State", "open → shut"),
        ("Gone", "x → –"),
        ("New field", "2"),
        ("Reason", "why"),
        ("List", "un"),
    ]
    assert next(iter(details({"erased": True})))[1].startswith("Erased")
    assert next(iter(details({"tampered": True})))[1].startswith("Unreadable")


def test_nothing_waits_for_those_who_see_no_matches(cast, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    assert [queries.open_hit_count(user) for user in (cast.kyc_officer, cast.agent, cast.finance)] == [1, 0, 0]

"""Zones of Doc 9303: ICAO's own specimens, what OCR confuses, and what is no zone."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyc import mrz

TODAY = dt.date(2026, 11, 21)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
MRV_A = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRV_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")
# The number is longer than its nine places and runs over into the optional data (Doc 9303 part 5).
LONG_NUMBER = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")


@pytest.mark.parametrize(
    ("lines", "form", "number"),
    [
        (TD3, "TD3", "L898902C3"),
        (TD2, "TD2", "D23145890"),
        (TD1, "TD1", "D23145890"),
        (MRV_A, "MRV-A", "L8988901C"),
        (MRV_B, "MRV-B", "L8988901C"),
    ],
)
def test_icaos_specimens_read_as_printed(lines, form, number):
    zone = mrz.parse(lines, today=TODAY)
    assert (zone.format, zone.surname, zone.given_names, zone.number) == (form, "ERIKSSON", "ANNA MARIA", number)
    assert zone.is_valid and zone.issuing_country == "UTO" and zone.sex == "F"


def test_dates_of_the_passport():
    zone = mrz.parse(TD3, today=TODAY)
    assert (zone.birth_date, zone.expiry_date) == (dt.date(1974, 8, 12), dt.date(2012, 4, 15))
    assert zone.nationality == "UTO" and zone.optional == "ZE184226B"


def test_the_passport_of_the_standard_is_built_to_the_letter():
    assert (
        mrz.build_td3(
            mrz.TravelDocument(
                country="UTO",
                surname="ERIKSSON",
                given_names="ANNA MARIA",
                number="L898902C3",
                nationality="UTO",
                birth_date=dt.date(1974, 8, 12),
                sex="F",
                expiry_date=dt.date(2012, 4, 15),
                optional="ZE184226B",
            )
        )
        == TD3
    )
    assert (
        mrz.build_td1(
            mrz.TravelDocument(
                country="UTO",
                surname="ERIKSSON",
                given_names="ANNA MARIA",
                number="D23145890",
                nationality="UTO",
                birth_date=dt.date(1974, 8, 12),
                sex="F",
                expiry_date=dt.date(2012, 4, 15),
            )
        )
        == TD1
    )


def test_a_number_that_runs_over_is_put_together():
    zone = mrz.parse(LONG_NUMBER, today=TODAY)
    assert zone.number == "D23145890734" and zone.is_valid
    assert (zone.surname, zone.given_names, zone.birth_date) == ("STEVENSON", "PETER JOHN", dt.date(1934, 7, 12))


@pytest.mark.parametrize("place", [0, 3, 9, 13, 19, 21, 27, 43])
def test_a_changed_character_of_line_two_fails_a_digit(place):
    second = TD3[1]
    other = "7" if second[place] != "7" else "4"
    assert not mrz.parse((TD3[0], second[:place] + other + second[place + 1 :]), today=TODAY).is_valid


def test_the_digits_are_blind_to_the_name():
    """Which is why the name is compared with the registration."""
    assert mrz.parse((TD3[0].replace("ERIKSSON", "ERIKSSEN"), TD3[1]), today=TODAY).is_valid


def test_letters_read_for_digits_are_put_right():
    second = TD3[1].replace("7408122", "74O8I22")
    assert mrz.parse((TD3[0], second), today=TODAY).birth_date == dt.date(1974, 8, 12)


def test_noise_in_the_fillers_is_no_given_name():
    assert mrz.parse((TD3[0].replace("<<<<<<<<<<<<<<<<<<<", "<<<<<<<K<<<<<<<<C<<"), TD3[1])).given_names == "ANNA MARIA"


def holder(**fields):
    values = {
        "country": "UTO",
        "surname": "ERIKSSON",
        "given_names": "ANNA",
        "number": "AB0120O5K",
        "nationality": "UTO",
        "birth_date": dt.date(1990, 5, 17),
        "sex": "F",
        "expiry_date": dt.date(2031, 4, 15),
        **fields,
    }
    return mrz.build_td3(mrz.TravelDocument(**values))


@pytest.mark.parametrize(
    ("number", "misread"), [("PKHNWCY5F", "PKHNWCYSF"), ("YRHNWCG8X", "YRHNWCGBX"), ("XKHNWCPXO", "XKHNWCPX0")]
)
def test_a_number_with_look_alikes_is_repaired_when_one_reading_fits(number, misread):
    right = holder(number=number)
    zone = mrz.parse((right[0], right[1].replace(number, misread)), today=TODAY)
    assert not zone.is_valid
    assert mrz.repaired(zone, today=TODAY).number == number


def test_a_number_that_two_readings_fit_is_left_to_people():
    """With as many look-alikes as here, some other pair of swaps makes the digits right, too."""
    right = holder(number="X1234567O")
    misread = mrz.parse((right[0], right[1].replace("X1234567O", "X12345670")), today=TODAY)
    assert not misread.is_valid and mrz.repaired(misread, today=TODAY) is misread


@given(place=st.integers(0, 38), letter=st.sampled_from("OI1S5B8Z2"))
def test_names_are_never_repaired(place, letter):
    first, second = holder(number="X1234567O")
    changed = first[: 5 + place] + letter + first[6 + place :]
    zone = mrz.parse((changed, second.replace("X1234567O", "X12345670")), today=TODAY)
    assert mrz.repaired(zone, today=TODAY).lines[0] == changed


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", min_size=44, max_size=44))
def test_a_repair_makes_every_digit_right_or_changes_nothing(second):
    zone = mrz.parse((TD3[0], second), today=TODAY)
    repaired = mrz.repaired(zone, today=TODAY)
    assert repaired.is_valid or repaired is zone


def test_open_birth_dates_are_none_and_never_in_the_future():
    unknown = mrz.parse((TD3[0], TD3[1].replace("7408122", "74<<<<5")), today=TODAY)
    assert unknown.birth_date is None
    # 30 for a year of birth is 1930: nobody is born in 2030 yet.
    assert mrz._date("300101", latest=TODAY) == dt.date(1930, 1, 1)


def test_a_name_that_fills_its_field_is_marked_as_cut():
    long = mrz.build_td3(
        mrz.TravelDocument(
            country="UTO",
            surname="PAPADOPOULOU KONSTANTINIDOU",
            given_names="ALEXANDRA EVANGELIA",
            number="L898902C3",
            nationality="UTO",
            birth_date=dt.date(1990, 5, 17),
            sex="F",
            expiry_date=dt.date(2031, 4, 15),
        )
    )
    assert mrz.parse(long, today=TODAY).is_name_cut
    assert not mrz.parse(TD3, today=TODAY).is_name_cut


@pytest.mark.parametrize("lines", [(), ("ABC",), (TD3[0],), (TD3[0], TD3[1][:-1]), (TD3[0], "Ä" * 44), TD1[:2]])
def test_what_has_no_shape_is_no_zone(lines):
    with pytest.raises(mrz.NotAnMrz):
        mrz.parse(lines)


NAMES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=14)


@given(
    surname=NAMES,
    given=NAMES,
    number=st.text(alphabet="ABCDEFGHJKLMNPRSTUVWXYZ123456789", min_size=6, max_size=9),
    born=st.dates(dt.date(1930, 1, 1), dt.date(2008, 1, 1)),
    expires=st.dates(dt.date(2020, 1, 1), dt.date(2036, 1, 1)),
)
def test_what_is_built_reads_back(surname, given, number, born, expires):
    lines = mrz.build_td3(
        mrz.TravelDocument(
            country="UTO",
            surname=surname,
            given_names=given,
            number=number,
            nationality="UTO",
            birth_date=born,
            sex="M",
            expiry_date=expires,
        )
    )
    zone = mrz.parse(lines, today=TODAY)
    assert zone.is_valid and (zone.surname, zone.given_names, zone.number) == (surname, given, number)
    assert (zone.birth_date, zone.expiry_date) == (born, expires)

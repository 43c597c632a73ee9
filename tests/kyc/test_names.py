import pytest

from kyc import names


@pytest.mark.parametrize(
    ("registered", "printed"),
    [
        ("Müller", "MUELLER"),
        ("Müller", "MULLER"),
        ("Müller", "MUXXLLER"),
        ("Núñez", "NUNXXEZ"),
        ("Núñez", "NUNEZ"),
        ("Weiß", "WEISS"),
        ("Bjørn", "BJOERN"),
        ("Åse", "AASE"),
        ("Łukasz", "LUKASZ"),
        ("O'Neill", "ONEILL"),
        ("O'Neill", "O NEILL"),
        ("Jean-Luc", "JEAN LUC"),
        ("Сергей", "SERGEI"),
        ("Юлия", "IULIIA"),
        ("Юлия", "YULIYA"),
        ("Щербаков", "SHCHERBAKOV"),
        ("Nguyễn", "NGUYEN"),
        ("von der Leyen", "VON DER LEYEN"),
        ("Clara", "CLARA MARIA"),
    ],
)
def test_a_name_equals_every_spelling_the_standard_permits(registered, printed):
    assert names.likeness(registered, printed) == 1.0


@pytest.mark.parametrize(
    ("registered", "printed"), [("Weber", "MUELLER"), ("Clara", "KARL"), ("Weber", ""), ("Maria", "MARIO")]
)
def test_another_name_is_not_taken_for_it(registered, printed):
    assert names.likeness(registered, printed) < 0.85


def test_a_cut_name_is_compared_by_its_beginning():
    assert names.likeness("Alexandra Evangelia", "ALEXANDRA EVAN", is_cut=True) == 1.0
    assert names.likeness("Alexandra Evangelia", "ALEXANDRA EVAN") < 1.0


def test_swapped_names_count_for_less_than_names_in_place():
    straight = names.person_likeness(first_name="Wei", last_name="Zhang", given_names="WEI", surname="ZHANG")
    swapped = names.person_likeness(first_name="Wei", last_name="Zhang", given_names="ZHANG", surname="WEI")
    assert straight == (1.0, 1.0) and swapped == (0.9, 0.9)

import pytest

from clients.texting.segments import size_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 0, True)),
        ("a" * 160, (1, 160, True)),
        ("a" * 161, (2, 161, True)),
        ("a" * 306, (2, 306, True)),
        ("€" * 80, (1, 160, True)),
        ("a" * 152 + "€" + "a" * 152, (3, 306, True)),  # the euro sign isn't divided between two parts
        ("ш" * 70, (1, 70, False)),
        ("ш" * 71, (2, 71, False)),
        ("😀" * 35, (1, 70, False)),
        ("😀" * 36, (2, 72, False)),
    ],
)
def test_a_text_is_counted_as_carriers_count_it(text, expected):
    size = size_of(text)
    assert (size.segments, size.units, size.is_gsm) == expected

"""Machine-readable zones after ICAO Doc 9303: TD1, TD2, TD3 and visas (MRV-A, MRV-B), read and written.

Check digits (7-3-1) do not see swaps among characters of equal value modulo 10 (such as <, 0, A, K and U), and cover neither
name nor nationality nor sex: a zone that checks is necessary, never sufficient. The caller compares with the registration.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from dataclasses import dataclass, field

# Line count and length → format; visas share the shape of passports and TD2 and begin with V.
SHAPES = {(2, 44): "TD3", (2, 36): "TD2", (3, 30): "TD1"}
NAME_LENGTH = {"TD1": 30, "TD2": 31, "TD3": 39, "MRV-A": 39, "MRV-B": 31}
ALLOWED = re.compile(r"[A-Z0-9<]+")
TO_DIGIT = str.maketrans("OQDILZSBGT", "0001125867")
TO_LETTER = str.maketrans("0125678", "OIZSGTB")
# What readers take for one another in fields with digits.
CONFUSED = ("O0QD", "I1L", "Z27", "S5", "B8", "G6", "A4")
LOOK_ALIKES = {one: [other for other in alike if other != one] for alike in CONFUSED for one in alike}
# Where each checked field is, with its digit: format → field → (line, first character, end).
DIGIT_FIELDS = {
    "TD1": {"number": (0, 5, 15), "birth": (1, 0, 7), "expiry": (1, 8, 15), "composite": (1, 29, 30)},
    "TD2": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "composite": (1, 28, 36)},
    "TD3": {
        "number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "optional": (1, 28, 43), "composite": (1, 43, 44),
    },
    "MRV-A": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28)},
    "MRV-B": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28)},
}  # fmt: skip  # a table of pairs
REPAIRED_FIELDS_MAX = 2
EXPIRY_YEARS_AHEAD_MAX = 20


class NotAnMrz(ValueError):
    """The lines have no shape of Doc 9303."""


@dataclass(frozen=True)
class Mrz:
    """What a zone says. Dates are None where the zone leaves them open (`<<`) or they are no dates."""

    format: str
    lines: tuple[str, ...]
    document_code: str
    issuing_country: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth_date: dt.date | None
    birth_text: str
    sex: str
    expiry_date: dt.date | None
    optional: str
    checks: dict[str, bool] = field(default_factory=dict)
    is_name_cut: bool = False

    @property
    def is_valid(self) -> bool:
        """Every check digit is right."""
        return all(self.checks.values())

    @property
    def failed(self) -> list[str]:
        return [name for name, right in self.checks.items() if not right]


def check_digit(text: str) -> str:
    """7-3-1 weights, A = 10 … Z = 35, < = 0, modulo 10."""
    return str(sum(_value(character) * (7, 3, 1)[place % 3] for place, character in enumerate(text)) % 10)


def _value(character: str) -> int:
    if character.isdigit():
        return int(character)
    return 0 if character == "<" else ord(character) - 55


def shape_of(lines: tuple[str, ...] | list[str]) -> str | None:
    """Recognise the format by line count and length; None where there is no such format."""
    if not lines or len({len(line) for line in lines}) != 1:
        return None
    shape = SHAPES.get((len(lines), len(lines[0])))
    if shape and lines[0][0] == "V":
        return {"TD3": "MRV-A", "TD2": "MRV-B"}.get(shape)
    return shape


def parse(lines: tuple[str, ...] | list[str], *, today: dt.date | None = None) -> Mrz:
    """Read a zone; letters in number fields and digits in name fields that OCR confuses are put right first.

    Raises: NotAnMrz when the lines have no known shape.
    """
    lines = tuple(line.strip().upper().replace(" ", "") for line in lines)
    shape = shape_of(lines)
    if shape is None or not all(ALLOWED.fullmatch(line) for line in lines):
        raise NotAnMrz(f"no zone has {len(lines)} lines of {[len(line) for line in lines]} characters")
    today = today or dt.datetime.now(dt.UTC).date()
    return {"TD3": _td3, "MRV-A": _td3, "TD2": _td2, "MRV-B": _td2, "TD1": _td1}[shape](lines, shape, today)


def _td3(lines: tuple[str, ...], shape: str, today: dt.date) -> Mrz:
    first, second = lines[0], _digits_in(lines[1], (9, 10), (13, 20), (21, 28), (42, 44))
    optional = second[28:42] if shape == "TD3" else second[28:]
    checks = {
        "number": _right(second[:9], second[9]),
        "birth": _right(second[13:19], second[19]),
        "expiry": _right(second[21:27], second[27]),
    }
    if shape == "TD3":
        checks["optional"] = _right(optional, second[42], may_be_filler=True)
        checks["composite"] = _right(second[:10] + second[13:20] + second[21:43], second[43])
    return _made(
        shape,
        (first, second),
        _Fields(
            code=first[:2],
            country=first[2:5],
            names=first[5:],
            number=second[:9],
            nationality=second[10:13],
            birth=second[13:19],
            sex=second[20],
            expiry=second[21:27],
            optional=optional,
        ),
        checks,
        today,
    )


def _td2(lines: tuple[str, ...], shape: str, today: dt.date) -> Mrz:
    first, second = lines[0], _digits_in(lines[1], (9, 10), (13, 20), (21, 28), (35, 36) if shape == "TD2" else (0, 0))
    checks = {
        "number": _right(second[:9], second[9]),
        "birth": _right(second[13:19], second[19]),
        "expiry": _right(second[21:27], second[27]),
    }
    optional = second[28:35] if shape == "TD2" else second[28:]
    if shape == "TD2":
        checks["composite"] = _right(second[:10] + second[13:20] + second[21:35], second[35])
    return _made(
        shape,
        (first, second),
        _Fields(
            code=first[:2],
            country=first[2:5],
            names=first[5:],
            number=second[:9],
            nationality=second[10:13],
            birth=second[13:19],
            sex=second[20],
            expiry=second[21:27],
            optional=optional,
        ),
        checks,
        today,
    )


def _td1(lines: tuple[str, ...], shape: str, today: dt.date) -> Mrz:
    first, second, third = lines[0], _digits_in(lines[1], (0, 7), (8, 15), (29, 30)), lines[2]
    number, number_check, optional = first[5:14], first[14], first[15:30]
    if number_check == "<" and optional[0] != "<":
        # A long number runs over into the optional data: its rest, then its check digit, then a filler.
        rest, _filler, optional_rest = optional.partition("<")
        number, number_check, optional = number + rest[:-1], rest[-1:], optional_rest
    checks = {
        "number": _right(number, number_check),
        "birth": _right(second[:6], second[6]),
        "expiry": _right(second[8:14], second[14]),
        "composite": _right(first[5:30] + second[:7] + second[8:15] + second[18:29], second[29]),
    }
    return _made(
        shape,
        (first, second, third),
        _Fields(
            code=first[:2],
            country=first[2:5],
            names=third,
            number=number,
            nationality=second[15:18],
            birth=second[:6],
            sex=second[7],
            expiry=second[8:14],
            optional=optional + second[18:29],
        ),
        checks,
        today,
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """The characters of each field, as they are printed."""

    code: str
    country: str
    names: str
    number: str
    nationality: str
    birth: str
    sex: str
    expiry: str
    optional: str


def _made(shape: str, lines: tuple[str, ...], fields: _Fields, checks: dict[str, bool], today: dt.date) -> Mrz:
    surname, _separator, given_names = _letters(fields.names).partition("<<")
    return Mrz(
        format=shape,
        lines=lines,
        document_code=_letters(fields.code).replace("<", ""),
        issuing_country=_letters(fields.country).replace("<", ""),
        surname=_words(surname),
        given_names=_words(_without_noise(given_names)),
        number=fields.number.replace("<", ""),
        nationality=_letters(fields.nationality).replace("<", ""),
        birth_date=_date(fields.birth, latest=today),
        birth_text=fields.birth,
        sex=fields.sex if fields.sex in "MF" else "X",
        expiry_date=_date(fields.expiry, latest=today.replace(year=today.year + EXPIRY_YEARS_AHEAD_MAX, day=28)),
        optional=fields.optional.strip("<"),
        checks=checks,
        # A name field that is filled to its end was cut: compare by prefix.
        is_name_cut=len(fields.names.rstrip("<")) >= NAME_LENGTH[shape] - 1,
    )


def _right(text: str, digit: str, *, may_be_filler: bool = False) -> bool:
    if may_be_filler and digit == "<" and not text.strip("<"):
        return True
    return check_digit(text) == digit


def _digits_in(line: str, *spans: tuple[int, int]) -> str:
    for start, end in spans:
        line = line[:start] + line[start:end].translate(TO_DIGIT) + line[end:]
    return line


def _letters(text: str) -> str:
    return text.translate(TO_LETTER)


def _without_noise(given: str) -> str:
    """OCR reads single letters (mostly K, C, E, S) into the row of fillers: a lone one behind two fillers is noise."""
    return re.split(r"<<", given)[0] if "<<" in given else given


def _words(text: str) -> str:
    return re.sub(r"<+", " ", text).strip()


def _date(text: str, *, latest: dt.date) -> dt.date | None:
    """YYMMDD in the last hundred years before `latest`."""
    if not text.isdigit():
        return None
    century = latest.year - latest.year % 100
    for base in (century, century - 100):
        try:
            day = dt.date(base + int(text[:2]), int(text[2:4]), int(text[4:6]))
        except ValueError:
            continue
        if day <= latest:
            return day
    return None


def repaired(zone: Mrz, *, today: dt.date | None = None) -> Mrz:
    """Undo what readers confuse in fields with digits: at most two characters, and only where exactly one such reading makes
    every check digit right. Never in names, nationality or sex, which no digit covers; other misreadings are left to people."""
    if zone.is_valid or len(set(zone.failed) - {"composite"}) > REPAIRED_FIELDS_MAX:
        return zone
    places = [(line, column) for line, column in _places_to_repair(zone) if zone.lines[line][column] in LOOK_ALIKES]
    for how_many in (1, 2):
        fitting: dict[tuple[str, ...], Mrz] = {}
        for chosen in itertools.combinations(places, how_many):
            for letters in itertools.product(*(LOOK_ALIKES[zone.lines[line][column]] for line, column in chosen)):
                lines = [list(line) for line in zone.lines]
                for (line, column), letter in zip(chosen, letters, strict=True):
                    lines[line][column] = letter
                candidate = parse(["".join(line) for line in lines], today=today)
                if candidate.is_valid:
                    fitting[candidate.lines] = candidate
                if len(fitting) > 1:
                    return zone
        if fitting:
            return next(iter(fitting.values()))
    return zone


def _places_to_repair(zone: Mrz) -> list[tuple[int, int]]:
    """List (line, column) of the fields whose digit fails; never the digit itself: a wrong one is no misreading to undo."""
    spans = DIGIT_FIELDS[zone.format]
    failed = [name for name in zone.failed if name in spans]
    if failed != ["composite"]:
        failed = [name for name in failed if name != "composite"]
    return [(spans[name][0], column) for name in failed for column in range(spans[name][1], spans[name][2] - 1)]


# ── writing (specimens and tests) ──────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class TravelDocument:
    """What an issuer prints into a zone. Names as A to Z and spaces, states as codes of Doc 9303 (UTO is the specimens')."""

    country: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth_date: dt.date
    sex: str
    expiry_date: dt.date
    optional: str = ""


def build_td3(document: TravelDocument) -> tuple[str, str]:
    """Write the two lines of a passport, with their check digits."""
    names = f"{_filled(document.surname)}<<{_filled(document.given_names)}"[:39].ljust(39, "<")
    first = f"P<{document.country.ljust(3, '<')}{names}"
    number, personal = document.number.ljust(9, "<"), document.optional.ljust(14, "<")
    birth, expiry = f"{document.birth_date:%y%m%d}", f"{document.expiry_date:%y%m%d}"
    second = (
        f"{number}{check_digit(number)}{document.nationality.ljust(3, '<')}{birth}{check_digit(birth)}{document.sex}"
        f"{expiry}{check_digit(expiry)}{personal}{check_digit(personal) if document.optional else '<'}"
    )
    return first, second + check_digit(second[:10] + second[13:20] + second[21:43])


def build_mrva(document: TravelDocument) -> tuple[str, str]:
    """Write the two lines of a visa of a passport's size: like a passport's, without a digit over all of it."""
    first, second = build_td3(document)
    return "V" + first[1:], second[:28] + document.optional.ljust(16, "<")


def build_td1(document: TravelDocument, *, code: str = "I") -> tuple[str, str, str]:
    """Write the three lines of a card, with their check digits; a card has no room for `optional` here.

    code: I of an identity card, AR of a residence permit.
    """
    number = document.number.ljust(9, "<")
    first = f"{code.ljust(2, '<')}{document.country.ljust(3, '<')}{number}{check_digit(number)}".ljust(30, "<")
    birth, expiry = f"{document.birth_date:%y%m%d}", f"{document.expiry_date:%y%m%d}"
    second = (
        f"{birth}{check_digit(birth)}{document.sex}{expiry}{check_digit(expiry)}{document.nationality.ljust(3, '<')}"
    ).ljust(29, "<")
    second += check_digit(first[5:30] + second[:7] + second[8:15] + second[18:29])
    names = f"{_filled(document.surname)}<<{_filled(document.given_names)}"
    return first, second, names[:30].ljust(30, "<")


def _filled(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "<", text.upper()).strip("<")

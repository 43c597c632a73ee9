"""bench kyc: documents drawn and spoilt as cameras and forgers do, read, checked, and judged by the shipped policy.

Every page says SPECIMEN; holders, states, languages, light, angle, blur, glare and compression come from one seed. What is judged
by machine here is not yet approved by machine: the figures say what the policy would do.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from bench.harness import Figure, at_least, at_most, p95, say
from kyc import mrz, mrz_zone, specimens
from kyc.choices import IssueCode
from kyc.examination import states
from kyc.examination.decision import Outcome
from kyc.examination.sheet import Sheet, Subject
from kyc.examination.trial import Trial, decide_together, try_sheet
from kyc.specimens import Holder, Style

# Zones read in each condition, good submissions, bad submissions of each kind.
SIZES: Final = {"tiny": (2, 3, 1), "quick": (10, 12, 2), "full": (250, 400, 80)}
TODAY: Final = dt.date(2026, 11, 24)
CPU_SECONDS_MAX: Final = 2.0
SEED: Final = 21
GERMAN: Final = ("Name", "Vornamen", "Staatsangehörigkeit", "Geburtsdatum", "Gültig bis", "Geschlecht", "Pass-Nr.")
FRENCH: Final = ("Nom", "Prénoms", "Nationalité", "Date de naissance", "Date d'expiration", "Sexe", "Passeport n°")
ITALIAN: Final = ("Cognome", "Nome", "Cittadinanza", "Data di nascita", "Data di scadenza", "Sesso", "Passaporto N.")
SPANISH: Final = (
    "Apellidos",
    "Nombre",
    "Nacionalidad",
    "Fecha de nacimiento",
    "Fecha de caducidad",
    "Sexo",
    "Pasaporte No",
)
POLISH: Final = ("Nazwisko", "Imiona", "Obywatelstwo", "Data urodzenia", "Data ważności", "Płeć Sex", "Nr paszportu")
STYLES: Final[dict[str, Style]] = {
    "D": Style("TEST", "DEUTSCH", GERMAN, "REISEPASS · PASSPORT", "PERSONALAUSWEIS", "FÜHRERSCHEIN"),
    "FRA": Style("TEST", "Française", FRENCH, "PASSEPORT", "CARTE D'IDENTITE", "PERMIS DE CONDUIRE", "%d %m %Y"),
    "ITA": Style("TEST", "ITALIANA", ITALIAN, "PASSAPORTO", "CARTA D'IDENTITA", "PATENTE DI GUIDA", "%d/%m/%Y"),
    "ESP": Style(
        "TEST", "ESPAÑOLA", SPANISH, "PASAPORTE", "DOCUMENTO NACIONAL DE IDENTIDAD", "PERMISO DE CONDUCCION", "%d-%m-%Y"
    ),
    "POL": Style("TEST", "POLSKIE", POLISH, "PASZPORT · PASSPORT", "DOWÓD OSOBISTY", "PRAWO JAZDY"),
    "GBR": Style("TEST", "BRITISH CITIZEN", specimens.ENGLISH, "PASSPORT", "RESIDENCE PERMIT", date="%d %b %Y"),
}
PEOPLE: Final = {
    "F": ("Clara", "Martina", "Zoë", "Ana Lucía", "Małgorzata", "Johanna", "Chiara", "Élodie", "Katharina", "Núria"),
    "M": ("Martin", "Paul", "Jürgen", "José", "Łukasz", "Johann", "François", "Marco", "Andrew", "Søren"),
}
SURNAMES: Final = (
    "Müller",
    "Bergmann",
    "Kowalczyk",
    "García López",
    "Dubois",
    "Rossi",
    "O'Neill",
    "von Thun",
    "Nowak",
    "Weiß",
    "Ferrari",
    "Lefèvre",
    "Whitfield",
    "Hernández",
    "Wiśniewska",
    "Schröder",
    "Marchetti",
    "Beaumont",
)
Spoil = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Submission:
    """Pages of one person, the registration, and for bad ones the codes of which one must be named."""

    pages: tuple[Image.Image, ...]
    subject: Subject
    codes: frozenset[str] = frozenset()


def run(size: str) -> list[Figure]:
    zones, good, bad = SIZES[size]
    chance = random.Random(SEED)
    figures = list(_zones(chance, zones))
    say(f"{good} good submissions")
    spent: list[float] = []
    approved = sum(_judge(_good(chance), spent)[0] == Outcome.APPROVE for _turn in range(good))
    figures.append(at_least(Figure("good ones the policy would approve", 100 * approved / good, "%"), 70))
    false, right, total = 0, 0, 0
    for name, make in BAD.items():
        say(f"{bad} of: {name}")
        for _turn in range(bad):
            submission = make(chance)
            outcome, codes = _judge(submission, spent)
            total += 1
            false += outcome == Outcome.APPROVE
            named = bool(submission.codes & codes)
            right += named
            if outcome == Outcome.APPROVE or not named:
                say(f"  {name}: {outcome.value}, named {sorted(codes)}")
    figures.append(at_most(Figure(f"false approvals among {total} bad ones of {len(BAD)} kinds", false, "files"), 0))
    figures.append(at_least(Figure("bad ones whose flaw is named", 100 * right / total, "%"), 95))
    figures.append(at_most(Figure("processor time of a page, p95", p95(spent) / 1000, "s"), CPU_SECONDS_MAX))
    return figures


# ── zones ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _zones(chance: random.Random, count: int) -> Iterator[Figure]:
    conditions: tuple[tuple[str, Callable[[], Spoil], float], ...] = (
        ("clean", lambda: lambda page: page, 98),
        ("turned by up to 25°", lambda: _turn(chance.uniform(-25, 25)), 90),
        ("mildly blurred", lambda: _blur(chance.uniform(1.2, 2.2)), 90),
        ("turned by 90°, 180°, 270°", lambda: _turn(chance.choice([90, 180, 270])), 95),
    )
    for name, condition, goal in conditions:
        say(f"{count} zones, {name}")
        read = 0
        for _turn_number in range(count):
            holder = _holder(chance)
            is_card = chance.random() < 0.3
            page = specimens.id_card(holder)[1] if is_card else specimens.passport(holder)
            reading = mrz_zone.find_and_read(_as_sent(condition()(page), chance), today=TODAY)
            read += reading is not None and reading.mrz.is_valid and reading.mrz.number == holder.number
        yield at_least(Figure(f"zones read, {name}", 100 * read / count, "%"), goal)


def _holder(chance: random.Random, **fields: object) -> Holder:
    country = chance.choice(list(STYLES))
    sex = chance.choice("FM")
    letters = "CFGHJKLMNPRTVWXYZ"
    holder = Holder(
        chance.choice(PEOPLE[sex]),
        chance.choice(SURNAMES),
        dt.date(1950, 1, 1) + dt.timedelta(days=chance.randrange(19_000)),
        sex,
        "".join(chance.choice(letters if place < 3 else "0123456789") for place in range(9)),
        TODAY + dt.timedelta(days=chance.randrange(90, 3600)),
        country,
        country,
        STYLES[country],
    )
    return replace(holder, **fields)  # type: ignore[arg-type]


def _as_sent(page: Image.Image, chance: random.Random) -> np.ndarray:
    """Compress a picture as phones and messengers do, and open it again."""
    out = io.BytesIO()
    page.convert("RGB").save(out, "JPEG", quality=chance.randrange(60, 95))
    return np.array(Image.open(out).convert("RGB"))


def _turn(degrees: float) -> Spoil:
    return lambda page: specimens.turned(page, degrees)


def _blur(sigma: float) -> Spoil:
    return lambda page: specimens.blurred(page, sigma)


def _photo(chance: random.Random) -> Spoil:
    """One of the ways a careful client's picture differs from a scan."""
    seed = chance.randrange(1_000)
    return chance.choice(
        [
            lambda page: page,
            lambda page: specimens.photographed(page, seed=seed),
            _turn(chance.uniform(-12, 12)),
            _blur(chance.uniform(0.6, 1.5)),
            lambda page: ImageEnhance.Brightness(page).enhance(0.7),
            lambda page: page.resize((900, round(900 * page.height / page.width))),
            lambda page: specimens.with_glare(page, centre=(0.9, 0.6), radius=0.04),
        ]
    )


# ── submissions ────────────────────────────────────────────────────────────────────────────────────────────────────
def _subject(holder: Holder, **fields: object) -> Subject:
    subject = Subject(
        0,
        0,
        holder.first_name,
        holder.last_name,
        holder.birth_date,
        "",
        "",
        "",
        nationality=states.alpha2_of(holder.nationality),
    )
    return replace(subject, **fields)  # type: ignore[arg-type]


def _good(chance: random.Random) -> Submission:
    holder, spoil = _holder(chance), _photo(chance)
    if chance.random() < 0.3:
        front, back = specimens.id_card(holder)
        return Submission((spoil(front), spoil(back)), _subject(holder))
    return Submission((spoil(specimens.passport(holder)),), _subject(holder))


def _bad(*codes: IssueCode) -> frozenset[str]:
    return frozenset(map(str, codes))


def _forged(chance: random.Random, change: Callable[[Holder], Holder]) -> Submission:
    """Draw a passport whose zone says something else than its print, check digits recomputed; the registration follows the zone."""
    holder = _holder(chance)
    forged = change(holder)
    page = specimens.passport(holder, lines=specimens.mrz_lines(forged))
    codes = _bad(IssueCode.PRINT_MISMATCH, IssueCode.PRINT_NEAR, IssueCode.NATIONALITY_MISMATCH)
    return Submission((_photo(chance)(page),), _subject(forged), codes)


def _covered(chance: random.Random) -> Submission:
    holder = _holder(chance)
    page = specimens.passport(holder)
    ImageDraw.Draw(page).rounded_rectangle((440, 190, 1240, 500), radius=120, fill="#d8a98a")
    return Submission((page,), _subject(holder), _bad(IssueCode.PRINT_MISMATCH, IssueCode.NOT_READ))


def _cut(chance: random.Random) -> Submission:
    holder = _holder(chance)
    page = specimens.passport(holder).crop((0, 300, 1250, 880))
    return Submission((page,), _subject(holder), _bad(IssueCode.PRINT_MISMATCH, IssueCode.NOT_READ))


def _other_person(chance: random.Random) -> Submission:
    holder, other = _holder(chance), _holder(chance, first_name="Gwendolyn", last_name="Featherstone")
    return Submission((_photo(chance)(specimens.passport(other)),), _subject(holder), _bad(IssueCode.NAME_MISMATCH))


def _other_licence(chance: random.Random) -> Submission:
    holder, other = _holder(chance), _holder(chance, first_name="Gwendolyn", last_name="Featherstone")
    return Submission((specimens.driving_licence(other),), _subject(holder), _bad(IssueCode.NAME_MISMATCH))


def _expired(chance: random.Random) -> Submission:
    holder = _holder(chance, expires_on=TODAY - dt.timedelta(days=chance.randrange(1, 2000)))
    return Submission((_photo(chance)(specimens.passport(holder)),), _subject(holder), _bad(IssueCode.EXPIRED))


def _expired_front(chance: random.Random) -> Submission:
    holder = _holder(chance, expires_on=TODAY - dt.timedelta(days=chance.randrange(1, 2000)))
    return Submission((specimens.id_card(holder)[0],), _subject(holder), _bad(IssueCode.EXPIRED))


def _other_ending(chance: random.Random) -> Submission:
    one, other = chance.choice([("Martin", "Martina"), ("Paul", "Paula"), ("Johann", "Johanna"), ("Mario", "Maria")])
    holder = _holder(chance, first_name=other)
    return Submission((specimens.passport(holder),), _subject(holder, first_name=one), _bad(IssueCode.NAME_MISMATCH))


def _near_name(chance: random.Random) -> Submission:
    holder = _holder(chance, last_name="Bergmann")
    codes = _bad(IssueCode.NAME_NEAR, IssueCode.NAME_MISMATCH)
    return Submission((specimens.passport(holder),), _subject(holder, last_name="Borgmann"), codes)


def _with_line(chance: random.Random, change: Callable[[str], str], *codes: IssueCode) -> Submission:
    """Draw a passport whose second line was changed at will."""
    holder = _holder(chance)
    first, second = specimens.mrz_lines(holder)
    return Submission((specimens.passport(holder, lines=(first, change(second))),), _subject(holder), _bad(*codes))


def _with_composite(line: str) -> str:
    return line[:43] + mrz.check_digit(line[:10] + line[13:20] + line[21:43])


def _unknown_state(chance: random.Random) -> Submission:
    code = chance.choice(["XQZ", "UTO", "QQQ"])
    holder = _holder(chance, country=code, nationality=code)
    return Submission(
        (specimens.passport(holder),),
        _subject(holder, nationality="DE"),
        _bad(IssueCode.UNKNOWN_STATE, IssueCode.SPECIMEN),
    )


def _no_document(chance: random.Random) -> Submission:
    noise = Image.effect_noise((1200, 800), 60).convert("RGB")
    sky = Image.linear_gradient("L").resize((1200, 800)).convert("RGB")
    page = Image.blend(noise, sky, chance.uniform(0.3, 0.9))
    return Submission((page,), _subject(_holder(chance)), _bad(IssueCode.NO_MRZ, IssueCode.NOT_READ))


def _hopeless_blur(chance: random.Random) -> Submission:
    holder = _holder(chance)
    page = specimens.blurred(specimens.passport(holder), chance.uniform(6, 9))
    return Submission((page,), _subject(holder), _bad(IssueCode.BLUR, IssueCode.NO_MRZ))


def _hidden_zone(chance: random.Random) -> Submission:
    holder = _holder(chance)
    page = specimens.with_glare(specimens.passport(holder), centre=(0.5, 0.88), radius=0.12)
    return Submission((page,), _subject(holder), _bad(IssueCode.GLARE, IssueCode.NO_MRZ, IssueCode.MRZ_CHECKDIGIT))


def _underage(chance: random.Random) -> Submission:
    holder = _holder(chance, birth_date=TODAY - dt.timedelta(days=chance.randrange(3_000, 6_500)))
    return Submission((specimens.passport(holder),), _subject(holder), _bad(IssueCode.UNDERAGE))


def _blank_registration(chance: random.Random) -> Submission:
    holder = _holder(chance)
    blank = chance.choice([{"birth_date": None}, {"last_name": ""}, {"nationality": ""}])
    return Submission((specimens.passport(holder),), _subject(holder, **blank), _bad(IssueCode.NOT_REGISTERED))


BAD: Final[dict[str, Callable[[random.Random], Submission]]] = {
    "forged birth": lambda c: _forged(
        c, lambda h: replace(h, birth_date=h.birth_date - dt.timedelta(days=c.randrange(1, 900)))
    ),
    "forged number": lambda c: _forged(
        c, lambda h: replace(h, number=h.number[:5] + str((int(h.number[5]) + 3) % 10) + h.number[6:])
    ),
    "forged expiry": lambda c: _forged(
        c, lambda h: replace(h, expires_on=h.expires_on + dt.timedelta(days=c.randrange(30, 900)))
    ),
    "forged name": lambda c: _forged(c, lambda h: replace(h, last_name="Featherstone")),
    "forged sex": lambda c: _forged(c, lambda h: replace(h, sex="M" if h.sex == "F" else "F")),
    "forged nationality": lambda c: _forged(
        c, lambda h: replace(h, nationality="D" if h.nationality != "D" else "FRA")
    ),
    "forged issuer and nationality": lambda c: _forged(
        c, lambda h: replace(h, nationality="SWE" if c.random() < 0.5 else "DNK", country="SWE")
    ),
    "thumb over name and birth": _covered,
    "upper third missing": _cut,
    "another person": _other_person,
    "another person's licence": _other_licence,
    "expired": _expired,
    "expired card front": _expired_front,
    "another ending of the name": _other_ending,
    "a name one letter apart": _near_name,
    "open expiry": lambda c: _with_line(
        c, lambda line: _with_composite(line[:21] + "<<<<<<0" + line[28:]), IssueCode.NO_EXPIRY
    ),
    "birth 87-00-00": lambda c: _with_line(
        c,
        lambda line: _with_composite(line[:13] + "870000" + mrz.check_digit("870000") + line[20:]),
        IssueCode.DATE_INCOMPLETE,
    ),
    "wrong check digit": lambda c: _with_line(
        c, lambda line: line[:43] + str((int(line[43]) + 5) % 10), IssueCode.MRZ_CHECKDIGIT
    ),
    "a state that doesn't exist": _unknown_state,
    "no document": _no_document,
    "hopelessly blurred": _hopeless_blur,
    "glare over the zone": _hidden_zone,
    "underage": _underage,
    "blank registration": _blank_registration,
}


def _judge(submission: Submission, spent: list[float]) -> tuple[Outcome, set[str]]:
    trials: list[Trial] = []
    for page in submission.pages:
        sheet = Sheet(0, "passport", "front", submission.subject, [np.array(page.convert("RGB"))], TODAY)
        started = time.process_time()
        trials.append(try_sheet(sheet))
        spent.append((time.process_time() - started) * 1000)
    decision = decide_together(trials)
    codes = {str(result.code) for trial in trials for result in trial.results if result.is_issue}
    return decision.outcome, codes

"""What must not be approved: forged zones, covered or cut fields, other people's and expired documents, copies, screens.

Each submission names the codes of which one must be among the reasons.
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pikepdf
from PIL import Image, ImageDraw

from bench.submissions.good import photo
from bench.submissions.people import TODAY, Submission, billed, coded, holder_of, subject_of
from kyc import mrz, specimens
from kyc.choices import IssueCode
from kyc.specimens import Holder
from kyc.specimens.bills import BillStyle

STRANGER: Final = {"first_name": "Gwendolyn", "last_name": "Featherstone"}
ENDINGS: Final = (("Martin", "Martina"), ("Paul", "Paula"), ("Johann", "Johanna"), ("Mario", "Maria"))
NEAR_SURNAMES: Final = (("Borgmann", "Bergmann"), ("Mayer", "Maier"), ("Hansen", "Hanssen"), ("Thomsen", "Thomson"))


def forged(chance: random.Random, change: Callable[[Holder], Holder]) -> Submission:
    """Draw a passport whose zone says something else than its print, check digits recomputed; the registration follows the zone."""
    holder = holder_of(chance)
    zone = change(holder)
    page = specimens.passport(holder, lines=specimens.mrz_lines(zone))
    codes = coded(IssueCode.PRINT_MISMATCH, IssueCode.PRINT_NEAR, IssueCode.NATIONALITY_MISMATCH)
    return Submission((photo(chance)(page),), subject_of(zone), codes)


def _with_line(chance: random.Random, change: Callable[[str], str], *codes: IssueCode) -> Submission:
    """Draw a passport whose second line was changed at will."""
    holder = holder_of(chance)
    first, second = specimens.mrz_lines(holder)
    return Submission((specimens.passport(holder, lines=(first, change(second))),), subject_of(holder), coded(*codes))


def _with_composite(line: str) -> str:
    return line[:43] + mrz.check_digit(line[:10] + line[13:20] + line[21:43])


# ── forged ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def forged_birth(chance: random.Random) -> Submission:
    days = dt.timedelta(days=chance.randrange(1, 900))
    return forged(chance, lambda holder: replace(holder, birth_date=holder.birth_date - days))


def forged_number(chance: random.Random) -> Submission:
    def other(holder: Holder) -> Holder:
        digit = str((int(holder.number[5]) + 3) % 10)
        return replace(holder, number=holder.number[:5] + digit + holder.number[6:])

    return forged(chance, other)


def forged_expiry(chance: random.Random) -> Submission:
    days = dt.timedelta(days=chance.randrange(30, 900))
    return forged(chance, lambda holder: replace(holder, expires_on=holder.expires_on + days))


def forged_name(chance: random.Random) -> Submission:
    return forged(chance, lambda holder: replace(holder, last_name="Featherstone"))


def forged_sex(chance: random.Random) -> Submission:
    return forged(chance, lambda holder: replace(holder, sex="M" if holder.sex == "F" else "F"))


def forged_nationality(chance: random.Random) -> Submission:
    return forged(chance, lambda holder: replace(holder, nationality="D" if holder.nationality != "D" else "FRA"))


def forged_issuer(chance: random.Random) -> Submission:
    state = chance.choice(["SWE", "DNK"])
    return forged(chance, lambda holder: replace(holder, nationality=state, country=state))


def open_expiry(chance: random.Random) -> Submission:
    return _with_line(chance, lambda line: _with_composite(line[:21] + "<<<<<<0" + line[28:]), IssueCode.NO_EXPIRY)


def impossible_birth(chance: random.Random) -> Submission:
    born = "870000" + mrz.check_digit("870000")
    change = lambda line: _with_composite(line[:13] + born + line[20:])  # noqa: E731
    return _with_line(chance, change, IssueCode.DATE_INCOMPLETE)


def wrong_digit(chance: random.Random) -> Submission:
    step = chance.randrange(1, 10)
    return _with_line(chance, lambda line: line[:43] + str((int(line[43]) + step) % 10), IssueCode.MRZ_CHECKDIGIT)


def unknown_state(chance: random.Random) -> Submission:
    code = chance.choice(["XQZ", "UTO", "QQQ"])
    holder = holder_of(chance, country=code, nationality=code)
    codes = coded(IssueCode.UNKNOWN_STATE, IssueCode.SPECIMEN)
    return Submission((specimens.passport(holder),), subject_of(holder, nationality="DE"), codes)


# ── somebody else's, or no longer valid ────────────────────────────────────────────────────────────────────────────
def other_person(chance: random.Random) -> Submission:
    holder, other = holder_of(chance), holder_of(chance, **STRANGER)
    return Submission((photo(chance)(specimens.passport(other)),), subject_of(holder), coded(IssueCode.NAME_MISMATCH))


def other_licence(chance: random.Random) -> Submission:
    holder, other = holder_of(chance), holder_of(chance, **STRANGER)
    return Submission((specimens.driving_licence(other),), subject_of(holder), coded(IssueCode.NAME_MISMATCH))


def other_card(chance: random.Random) -> Submission:
    holder, other = holder_of(chance), holder_of(chance, **STRANGER)
    spoil = photo(chance)
    pages = tuple(spoil(page) for page in specimens.id_card(other))
    return Submission(pages, subject_of(holder), coded(IssueCode.NAME_MISMATCH))


def sides_of_two_cards(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    front, _back = specimens.id_card(holder)
    _front, back = specimens.id_card(replace(holder, number="H55X71T42"))
    return Submission((front, back), subject_of(holder), coded(IssueCode.PRINT_MISMATCH, IssueCode.NOT_READ))


def _expired(chance: random.Random) -> Holder:
    return holder_of(chance, expires_on=TODAY - dt.timedelta(days=chance.randrange(1, 2000)))


def expired(chance: random.Random) -> Submission:
    holder = _expired(chance)
    return Submission((photo(chance)(specimens.passport(holder)),), subject_of(holder), coded(IssueCode.EXPIRED))


def expired_front(chance: random.Random) -> Submission:
    holder = _expired(chance)
    return Submission((specimens.id_card(holder)[0],), subject_of(holder), coded(IssueCode.EXPIRED))


def expired_licence(chance: random.Random) -> Submission:
    holder = _expired(chance)
    return Submission((specimens.driving_licence(holder),), subject_of(holder), coded(IssueCode.EXPIRED))


def underage(chance: random.Random) -> Submission:
    holder = holder_of(chance, birth_date=TODAY - dt.timedelta(days=chance.randrange(3_000, 6_500)))
    return Submission((specimens.passport(holder),), subject_of(holder), coded(IssueCode.UNDERAGE))


def other_ending(chance: random.Random) -> Submission:
    one, other = chance.choice(ENDINGS)
    holder = holder_of(chance, first_name=other)
    subject = subject_of(holder, first_name=one)
    return Submission((specimens.passport(holder),), subject, coded(IssueCode.NAME_MISMATCH))


def other_surname_ending(chance: random.Random) -> Submission:
    one, other = chance.choice([("Kowalski", "Kowalska"), ("Kowalska", "Kowalski"), ("Nowacki", "Nowacka")])
    holder = holder_of(chance, last_name=other)
    subject = subject_of(holder, last_name=one)
    return Submission((specimens.passport(holder),), subject, coded(IssueCode.NAME_MISMATCH))


def near_name(chance: random.Random) -> Submission:
    one, other = chance.choice(NEAR_SURNAMES)
    holder = holder_of(chance, last_name=other)
    codes = coded(IssueCode.NAME_NEAR, IssueCode.NAME_MISMATCH)
    return Submission((specimens.passport(holder),), subject_of(holder, last_name=one), codes)


def blank_registration(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    blank = chance.choice([{"birth_date": None}, {"last_name": ""}, {"nationality": ""}])
    return Submission((specimens.passport(holder),), subject_of(holder, **blank), coded(IssueCode.NOT_REGISTERED))


# ── covered, cut, unreadable ───────────────────────────────────────────────────────────────────────────────────────
def covered(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.passport(holder)
    ImageDraw.Draw(page).rounded_rectangle((440, 190, 1240, 500), radius=120, fill="#d8a98a")
    return Submission((page,), subject_of(holder), coded(IssueCode.PRINT_MISMATCH, IssueCode.NOT_READ))


def upper_third_missing(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.passport(holder).crop((0, 300, 1250, 880))
    return Submission((page,), subject_of(holder), coded(IssueCode.PRINT_MISMATCH, IssueCode.NOT_READ))


def right_side_missing(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.passport(holder).crop((0, 0, chance.randrange(900, 1120), 880))
    codes = coded(IssueCode.CROPPED, IssueCode.NO_MRZ, IssueCode.MRZ_CHECKDIGIT, IssueCode.PRINT_MISMATCH)
    return Submission((page,), subject_of(holder), codes)


def blurred(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.blurred(specimens.passport(holder), chance.uniform(6, 9))
    return Submission((page,), subject_of(holder), coded(IssueCode.BLUR))


def hidden_zone(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.with_glare(specimens.passport(holder), centre=(0.5, 0.88), radius=0.12)
    return Submission((page,), subject_of(holder), coded(IssueCode.GLARE))


# ── not the document ───────────────────────────────────────────────────────────────────────────────────────────────
def screen(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    page = specimens.of_screen(specimens.passport(holder), seed=chance.randrange(10_000))
    return Submission((page,), subject_of(holder), coded(IssueCode.SCREEN_PHOTO))


def screen_of_card(chance: random.Random) -> Submission:
    holder, seed = holder_of(chance), chance.randrange(10_000)
    pages = tuple(specimens.of_screen(page, seed=seed) for page in specimens.id_card(holder))
    return Submission(pages, subject_of(holder), coded(IssueCode.SCREEN_PHOTO))


def copy(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    return Submission(
        (photo(chance)(specimens.copied(specimens.passport(holder))),), subject_of(holder), coded(IssueCode.NO_COLOUR)
    )


def landscape(chance: random.Random) -> Submission:
    page = specimens.landscape(seed=chance.randrange(10_000))
    return Submission((page,), subject_of(holder_of(chance)), coded(IssueCode.UNSUPPORTED_TYPE))


def noise(chance: random.Random) -> Submission:
    sky = Image.linear_gradient("L").resize((1200, 800)).convert("RGB")
    page = Image.blend(Image.effect_noise((1200, 800), 60).convert("RGB"), sky, chance.uniform(0.3, 0.9))
    codes = coded(IssueCode.UNSUPPORTED_TYPE, IssueCode.NO_MRZ, IssueCode.BLUR)
    return Submission((page,), subject_of(holder_of(chance)), codes)


def visa(chance: random.Random) -> Submission:
    holder = holder_of(chance, nationality=chance.choice(["UKR", "IND", "TUR"]))
    return Submission((specimens.visa(holder),), subject_of(holder), coded(IssueCode.UNSUPPORTED_TYPE))


# ── proofs of address ──────────────────────────────────────────────────────────────────────────────────────────────
def bill_of_other(chance: random.Random) -> Submission:
    return billed(chance, codes=coded(IssueCode.POA_NAME), name="Gwendolyn Featherstone")


def bill_elsewhere(chance: random.Random) -> Submission:
    fields = {"address_line": "Am Markt 3", "postal_code": "14467", "city": "Potsdam"}
    return billed(chance, codes=coded(IssueCode.POA_ADDRESS), **fields)


def old_bill(chance: random.Random) -> Submission:
    issued_on = TODAY - dt.timedelta(days=chance.randrange(100, 1500))
    return billed(chance, codes=coded(IssueCode.POA_TOO_OLD), issued_on=issued_on)


def shop_bill(chance: random.Random) -> Submission:
    style = BillStyle("Flower Shop Rosa", "Invoice", "Date", "Invoice no.", ("Roses", "Vase", "Delivery"))
    return billed(chance, codes=coded(IssueCode.POA_ISSUER), style=style)


def changed_bill(chance: random.Random) -> Submission:
    submission = billed(chance, codes=coded(IssueCode.PDF_CHANGED, IssueCode.EDITED))
    return replace(submission, bill=changed_pdf(submission.bill, chance.choice(["Sejda 3.2", "PDFescape Online"])))


def changed_pdf(content: bytes, producer: str) -> bytes:
    """Save a PDF again, as an editor of PDFs does."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.docinfo["/Producer"] = producer
        pdf.save(out)
    return out.getvalue()


KINDS: Final[dict[str, Callable[[random.Random], Submission]]] = {
    "forged birth": forged_birth,
    "forged number": forged_number,
    "forged expiry": forged_expiry,
    "forged name": forged_name,
    "forged sex": forged_sex,
    "forged nationality": forged_nationality,
    "forged issuer and nationality": forged_issuer,
    "open expiry": open_expiry,
    "birth 87-00-00": impossible_birth,
    "wrong check digit": wrong_digit,
    "a state that doesn't exist": unknown_state,
    "another person": other_person,
    "another person's licence": other_licence,
    "another person's card": other_card,
    "sides of two cards": sides_of_two_cards,
    "expired": expired,
    "expired card front": expired_front,
    "expired licence": expired_licence,
    "underage": underage,
    "another ending of the name": other_ending,
    "another ending of the surname": other_surname_ending,
    "a name one letter apart": near_name,
    "blank registration": blank_registration,
    "thumb over name and birth": covered,
    "upper third missing": upper_third_missing,
    "right side missing": right_side_missing,
    "hopelessly blurred": blurred,
    "glare over the zone": hidden_zone,
    "photo of a screen": screen,
    "card on a screen": screen_of_card,
    "black-and-white copy": copy,
    "landscape": landscape,
    "noise": noise,
    "visa": visa,
    "bill to another person": bill_of_other,
    "bill to another address": bill_elsewhere,
    "old bill": old_bill,
    "bill of a shop": shop_bill,
    "bill changed in an editor": changed_bill,
}

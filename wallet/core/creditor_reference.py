"""The reference that a client writes on a wire: an ISO 11649 creditor reference (RF) around our deposit's own.

"RF18 D7XK 2MPQ …": two check digits (mod 97), so that a mistyped one is not somebody else's.
"""

from __future__ import annotations

import re

from wallet.core.references import ALPHABET, LENGTH

BODY = f"D[{ALPHABET}]{{{LENGTH}}}"
WITH_CHECK = re.compile(rf"(?=(RF\d{{2}}{BODY}))")
ALONE = re.compile(rf"(?=({BODY}))")
NOT_A_LETTER = re.compile(r"[^A-Z0-9]")


def check_digits(body: str) -> str:
    """Compute the two check digits of `RF` + digits + body (ISO 7064, mod 97)."""
    number = "".join(str(int(letter, 36)) for letter in f"{body}RF00")
    return f"{98 - int(number) % 97:02d}"


def is_creditor_reference(text: str) -> bool:
    """Tell whether a text is a valid ISO 11649 reference: RF, two check digits, up to 21 letters and digits."""
    plain = NOT_A_LETTER.sub("", text.upper())
    if not re.fullmatch(r"RF\d{2}[A-Z0-9]{1,21}", plain):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def wire_reference(deposit_reference: str) -> str:
    """Compute the reference that the client is shown: `RF…` in one piece."""
    body = NOT_A_LETTER.sub("", deposit_reference.upper())
    return f"RF{check_digits(body)}{body}"


def printed(reference: str) -> str:
    """Write a reference in groups of four, as people copy it."""
    return " ".join(reference[place : place + 4] for place in range(0, len(reference), 4))


def deposits_named_in(*texts: str) -> list[str]:
    """List the deposit references (`D-…`) that the texts may name, whatever is before, between and around the letters.

    Check digits must be right where there are any; the bare reference of twelve letters counts too. Whether such a
    deposit exists is for the caller to check.
    """
    references: dict[str, None] = {}
    for text in texts:
        plain = NOT_A_LETTER.sub("", text.upper())
        for match in WITH_CHECK.finditer(plain):
            if is_creditor_reference(match[1]):
                references[f"D-{match[1][5:]}"] = None
        for match in ALONE.finditer(plain):
            spoiled = plain[max(0, match.start() - 4) : match.start()]
            if re.fullmatch(r"RF\d{2}", spoiled) and not is_creditor_reference(spoiled + match[1]):
                continue  # a check digit says that something was mistyped
            references[f"D-{match[1][1:]}"] = None
    return list(references)

"""Field :86: of MT940, as the banks of many countries fill it."""

from __future__ import annotations

import re

from wallet.statement_formats.parsed import Booking, Party

FULL = 61  # of 65, and the first line has less
MARKED = re.compile(r"\s{0,9}\d{0,3}\s{0,9}[?~<>^+§]\d\d|\d{3,9}\?")
SUB_WIDTH = 27
# German: code of the transaction, then subfields. 20–29 and 60–63 are the text.
PURPOSE = {*range(20, 30), *range(60, 66)}
SLASHED = re.compile(
    r"(?:^|(?<=/)|(?<=\s))/?(TRTP|IBAN|BIC|NAME|REMI|EREF|CNTP|ORDP|BENM|MARF|CSID|PREF|RTRN|IREF|PURP|ULTD|ULTC|ULTB|ADDR|TRCD|ISDT|SVCL|ACCW|"
    r"BUSP|ID|CREF|KREF|NRTX|BO|BI|PY|CRNM|EXCH|OCMT|CHGS|CLID|TRID|SEPA|RTYP|BENE|RFB|INFO)/"
)
KEYWORD = re.compile(
    r"(?:^|(?<=[\s/.]))(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT|IBAN|BIC|ORDP|PURP|CREF|BREF|RREF|SQTP|RTRN)[+:]\s?"
)
IBAN = re.compile(r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{0,4})\b")
POLISH = re.compile(r"\b(?:Z|NA) RACH\.?:?\s*(\d{26})\b")
NAMES = {
    "EREF": "end_to_end",
    "KREF": "customer",
    "CREF": "customer",
    "MREF": "mandate",
    "MARF": "mandate",
    "CRED": "creditor",
    "CSID": "creditor",
    "PREF": "batch",
    "IREF": "instruction",
    "TRID": "transaction",
    "BREF": "bank",
    "RREF": "return",
    "DEBT": "debtor",
}
NOTHING = {"NOTPROVIDED", "NONREF", "NOT PROVIDED", ""}


def read_field_86(entry: Booking, lines: list[str]) -> None:
    """Add to the entry what its text contains: other side, references, text."""
    raw = unwrap_lines(lines)
    if subfields := _split_subfields(raw):
        _read_subfields(entry, *subfields)
    elif len(SLASHED.findall(raw)) >= 2 or re.match(r"/(EREF|REMI|NAME|IBAN|TRTP|CNTP|BENM|ORDP|PY|PREF)/", raw):
        _read_slashed(entry, raw)
    else:
        _read_plain(entry, " ".join(raw.split()))


def unwrap_lines(lines: list[str]) -> str:
    """Join lines into one text: a full line continues in the next one; so does every line where subfields are marked."""
    lines = [line for line in lines if line.strip()]
    is_marked = bool(lines) and bool(MARKED.match(lines[0]))
    text = ""
    for at, line in enumerate(lines):
        text += line if at == 0 or is_marked or len(lines[at - 1]) >= FULL else f" {line.strip()}"
    return text


def _split_subfields(raw: str) -> tuple[str, dict[int, list[str]]] | None:
    """Split the transaction code and its subfields; None where the text isn't written in them."""
    match = re.match(r"\s{0,9}(\d{3})?\s{0,9}([?~<>^+§])(\d\d)", raw)
    if match is None and not (match := re.match(r"(\d{3})\d{0,9}[^?]{0,40}(\?)(\d\d)", raw)):
        return None
    mark = match[2]
    parts = re.split(rf"{re.escape(mark)}(\d\d)", raw)
    if len(parts) < 3:
        return None
    subfields: dict[int, list[str]] = {}
    for number, value in zip(parts[1::2], parts[2::2], strict=True):
        subfields.setdefault(int(number), []).append(value)
    return parts[0].strip(), subfields


def _join_values(values: list[str], width: int = SUB_WIDTH) -> str:
    text = ""
    for at, value in enumerate(values):
        is_cut = at and len(values[at - 1]) >= width
        text += value if is_cut or not at or text.endswith(" ") else f" {value}"
    return " ".join(text.split())


def _read_subfields(entry: Booking, code: str, subfields: dict[int, list[str]]) -> None:
    entry.code = f"{entry.code} {code[:3]}".strip() if code[:3].isdigit() else entry.code
    posting = _join_values(subfields.get(0, []))
    text = _join_values([value for number in sorted(subfields) if number in PURPOSE for value in subfields[number]])
    name = _join_values([value.rstrip() for number in (32, 33) for value in subfields.get(number, [])], SUB_WIDTH)
    account = "".join(_join_values(subfields.get(31, []) or subfields.get(38, [])).split())
    iban = "".join(_join_values(subfields.get(38, [])).split())
    bank = "".join(_join_values(subfields.get(30, [])).split())
    _merge_party(entry, Party(name, iban or account, bank))
    if number := _join_values(subfields.get(10, [])):
        entry.references.setdefault("journal", number)
    _read_keywords(entry, text)
    if posting:
        entry.references.setdefault("posting_text", posting)
        entry.text = entry.text or posting
    if (more := _join_values(subfields.get(34, []))) and more not in ("000", "0"):
        entry.references.setdefault("text_key", more)


def _merge_party(entry: Booking, party: Party) -> None:
    for name in ("name", "account", "bic"):
        if not getattr(entry.party, name):
            setattr(entry.party, name, getattr(party, name))


def _append_text(entry: Booking, text: str) -> None:
    entry.text = " ".join(part for part in (entry.text, " ".join(text.split())) if part)


def _read_keywords(entry: Booking, text: str) -> None:
    """Read SEPA's `EREF+…SVWZ+…`; without such keywords all of it is text."""
    parts = KEYWORD.split(text)
    _append_text(entry, parts[0])
    for key, value in zip(parts[1::2], parts[2::2], strict=True):
        _set_value(entry, key.upper(), value.strip())


def _set_value(entry: Booking, key: str, value: str) -> None:
    value = value.strip()
    if key in ("SVWZ", "REMI"):
        _append_text(entry, re.sub(r"^(?:USTD|STRD)//?", "", value).strip("/ "))
    elif key in ("ABWA", "ABWE", "NAME"):
        _merge_party(entry, Party(name=value.strip("/ ")))
    elif key == "IBAN":
        _merge_party(entry, Party(account="".join(value.split()).strip("/")))
    elif key == "BIC":
        _merge_party(entry, Party(bic="".join(value.split()).strip("/")))
    elif key == "RTRN":
        entry.return_reason = entry.return_reason or value.strip("/ ")[:20]
    elif key in NAMES:
        plain = value.strip("/ ")
        if plain.upper() in NOTHING:
            return
        if key == "EREF":
            entry.end_to_end = entry.end_to_end or plain
        elif key == "BREF":
            entry.bank_reference = entry.bank_reference or plain
        else:
            entry.references.setdefault(NAMES[key], plain)
    elif value.strip("/ "):
        entry.references.setdefault(key.lower(), value.strip("/ "))


def _read_slashed(entry: Booking, raw: str) -> None:
    """Read `/TRTP/SEPA …/IBAN/…/NAME/…/REMI/…/EREF/…`; ING writes account, BIC and name into one `/CNTP/`.

    Ultimate parties (ULTD, ULTC, ULTB) are left out.
    """
    parts = SLASHED.split(raw)
    _append_text(entry, parts[0].strip("/ "))
    for key, value in zip(parts[1::2], parts[2::2], strict=True):
        if key == "CNTP":
            account_bic_name = [*(part.strip() for part in value.split("/")), "", "", ""]
            _merge_party(entry, Party(account_bic_name[2], "".join(account_bic_name[0].split()), account_bic_name[1]))
        elif key in ("ORDP", "BENM", "BO", "BI", "ULTD", "ULTC", "ULTB"):
            if key in ("ORDP", "BENM", "BO", "BI"):
                _merge_party(entry, Party(name=value.strip("/ ")))
        else:
            _set_value(entry, key, value)


def _read_plain(entry: Booking, text: str) -> None:
    _read_keywords(entry, text)
    if entry.party.account:
        return
    if (polish := POLISH.search(text)) and _is_iban(f"PL{polish[1]}"):
        entry.party.account = f"PL{polish[1]}"
        return
    for match in IBAN.finditer(text):
        account = match[1].replace(" ", "")
        for length in range(len(account), 14, -1):  # words may follow it
            if _is_iban(account[:length]):
                entry.party.account = account[:length]
                return


def _is_iban(text: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1

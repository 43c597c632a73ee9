"""The hosted payment page that a client sees: card form, wallet sign-in, transfer details, coin address or local
methods.

Plain HTML forms, no script. Test cards: any number that passes Luhn pays; 4000 0000 0000 0002 is declined; 4000 0000
0000 3220 asks
for a second step, as every card does at Cardinal.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from sqlite3 import Row
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.psp import payments
from sandbox.psp.characters import Character, Kind
from sandbox.psp.money import exponent, major
from sandbox.psp.server import Request, Response, as_html, redirect, router
from sandbox.psp.words import translate

Words = Callable[[str], str]

DECLINED_CARD, CHALLENGED_CARD = "4000000000000002", "4000000000003220"
CHALLENGE_CODE_LENGTH = 6

STYLE = (Path(__file__).parent / "hosted.css").read_text()


def _page(character: Character, payment: Row, inner: str, *, error: str = "", status: int = 200) -> Response:
    texts = translate(payment["locale"])
    merchant = escape(payment["merchant_name"] or texts("the merchant"))
    problem = f'<p class="error" role="alert">{escape(texts(error))}</p>' if error else ""
    return as_html(
        f"""<!doctype html><html lang="{escape(payment["locale"])}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(character.name)}</title>
<style>:root {{ --brand: {character.colour}; }}{STYLE}</style></head><body><main>
<header><b>{escape(character.name)}</b><small>{texts("Sandbox")}</small></header><section>
<div class="amount">{major(payment["amount_minor"], payment["currency"])} {payment["currency"]}</div>
<p class="to">{texts("to")} {merchant} · {escape(payment["reference"])}</p>{problem}{inner}</section>
<footer>{texts("No real money moves here.")}</footer></main></body></html>""",
        status,
    )


def _field(name: str, label: str, value: str = "", extra: str = "") -> str:
    control = f'<input id="{name}" name="{name}" value="{escape(value)}" {extra}>'
    return f'<div><label for="{name}">{label}</label>{control}</div>'


def _card(words: Words, form: dict[str, str]) -> str:
    year = datetime.now(UTC).year % 100 + 3
    return (
        _field("payer_name", words("Name on card"), form.get("payer_name", ""), 'autocomplete="cc-name" required')
        + _field(
            "card_number",
            words("Card number"),
            form.get("card_number", "4242 4242 4242 4242"),
            'inputmode="numeric" autocomplete="cc-number" required',
        )
        + '<div class="pair">'
        + _field("expiry", words("Expiry (MM/YY)"), form.get("expiry", f"12/{year}"), 'autocomplete="cc-exp" required')
        + _field("cvc", words("Security code"), "", 'inputmode="numeric" autocomplete="cc-csc" maxlength="4" required')
        + "</div>"
    )


def _details(rows: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{term}</dt><dd>{escape(value)}</dd>" for term, value in rows) + "</dl>"


def _form_for(character: Character, payment: Row, words: Words, form: dict[str, str]) -> str:
    seed = hashlib.sha256(payment["id"].encode()).hexdigest()
    kind = character.kind_of(payment["method"])
    if kind == Kind.CARD:
        return _card(words, form)
    if kind == Kind.WALLET:
        return _field("account", words("Wallet e-mail"), form.get("account", ""), 'type="email" required') + _field(
            "password", words("Password"), "", 'type="password" required'
        )
    if kind == Kind.BANK:
        digits = str(int(seed[:12], 16)).rjust(10, "0")[:10]
        rows = [
            ("IBAN", f"DE02 5001 0517 {digits[:4]} {digits[4:8]} {digits[8:]}"),
            (words("Reference"), payment["reference"]),
        ]
        return _details(rows) + _field(
            "payer_name", words("Name of the account holder"), form.get("payer_name", ""), "required"
        )
    if kind == Kind.CRYPTO:
        amount = form.get("sent", major(payment["amount_minor"], payment["currency"]))
        return _details([(words("Address"), f"bc1q{seed[:38]}")]) + _field(
            "sent", words("Amount you send"), amount, "required"
        )
    local = [payment["method"]] if payment["method"] else character.methods
    options = "".join(f'<option value="{method}">{method.upper()}</option>' for method in local)
    return (
        f'<label for="method">{words("Method")}</label><select id="method" name="method">{options}</select>'
        + _field("payer_name", words("Your name"), form.get("payer_name", ""), "required")
    )


def _payment_page(character: Character, payment: Row, form: dict[str, str] | None = None, error: str = "") -> Response:
    texts = translate(payment["locale"])
    kind = character.kind_of(payment["method"])
    pay = texts("I have sent the transfer") if kind in (Kind.BANK, Kind.CRYPTO) else texts("Pay")
    amount = f"{major(payment['amount_minor'], payment['currency'])} {payment['currency']}"
    inner = f"""<form method="post">{_form_for(character, payment, texts, form or {})}
<button name="action" value="pay">{pay} · {amount}</button></form>
<form method="post"><button class="quiet" name="action" value="decline">{texts("Decline")}</button></form>"""
    return _page(character, payment, inner, error=error, status=422 if error else 200)


def _challenge_page(character: Character, payment: Row, form: dict[str, str], error: str = "") -> Response:
    texts = translate(payment["locale"])
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(form.get(name, ""))}">'
        for name in ("payer_name", "card_number", "expiry", "cvc")
    )
    explanation = texts("Your bank sent you a code of six digits. In the sandbox, any six digits will do.")
    inner = f"""<form method="post"><p>{explanation}</p>{hidden}
{_field("code", texts("Code"), "", 'inputmode="numeric" autocomplete="one-time-code" required autofocus')}
<button name="action" value="pay">{texts("Confirm")}</button></form>
<form method="post"><button class="quiet" name="action" value="decline">{texts("Decline")}</button></form>"""
    return _page(character, payment, inner, error=error, status=422 if error else 200)


def _is_card_number(number: str) -> bool:
    """Luhn: every second digit from the right doubled, the sum of digits a multiple of ten."""
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _card_error(form: dict[str, str]) -> str:
    if not form.get("payer_name"):
        return "Enter the name on the card."
    if not _is_card_number(_card_number(form)):
        return "This is not a card number. Check the digits."
    try:
        month, year = (int(part) for part in form.get("expiry", "").split("/"))
        expired = not 1 <= month <= 12 or (2000 + year, month) < (datetime.now(UTC).year, datetime.now(UTC).month)
    except ValueError:
        expired = True
    if expired:
        return "The card has expired, or the date is not written MM/YY."
    cvc = form.get("cvc", "")
    return "" if cvc.isdigit() and len(cvc) in (3, 4) else "Enter the security code: three or four digits."


def _card_number(form: dict[str, str]) -> str:
    return form.get("card_number", "").replace(" ", "").replace("-", "")


def _back(payment: Row) -> Response:
    """To the merchant's return URL. The status in it is a courtesy: the signed webhook is what counts."""
    url = urlsplit(payment["return_url"])
    query = urlencode({"reference": payment["reference"], "payment": payment["id"], "status": payment["status"]})
    return redirect(urlunsplit(url._replace(query="&".join(filter(None, (url.query, query))))))


def _minor(text: str, currency: str) -> int | None:
    """`1.50` → 150, exactly; None when it is not an amount of that currency."""
    whole, _, fraction = text.strip().partition(".")
    places = exponent(currency)
    if not whole.isdigit() or len(fraction) > places or (fraction and not fraction.isdigit()):
        return None
    return int(whole + fraction.ljust(places, "0"))


@router.route("GET", "/{psp}/pay/{token}")
def show_payment_page(request: Request) -> Response:
    """Show the payment page, or send the client back where the payment is over."""
    payment = payments.find_payment(request.store, request.character.code, token=request.parts["token"])
    if payment["status"] != "created":
        return _back(payment)
    return _payment_page(request.character, payment)


@router.route("POST", "/{psp}/pay/{token}")
def submit_payment_page(request: Request) -> Response:
    """Pay, confirm the second step, or decline; then back to the merchant."""
    character, form = request.character, request.form
    payment = payments.find_payment(request.store, character.code, token=request.parts["token"])
    if payment["status"] != "created":
        return _back(payment)
    if form.get("action") == "decline":
        return _back(payments.decline(request.store, payment["id"], "cancelled_by_client"))
    received, instrument = payment["amount_minor"], form.get("account", "")
    kind = character.kind_of(payment["method"])
    if kind == Kind.CARD:
        number = _card_number(form)
        if error := _card_error(form):
            return _payment_page(character, payment, form, error)
        if number == DECLINED_CARD:
            return _back(payments.decline(request.store, payment["id"], "declined_by_issuer"))
        if character.always_challenges or number == CHALLENGED_CARD:
            code = form.get("code")
            if code is None or not (code.isdigit() and len(code) == CHALLENGE_CODE_LENGTH):
                return _challenge_page(
                    character, payment, form, "" if code is None else "Enter the six digits of the code."
                )
        instrument = f"•••• {number[-4:]}"
    elif kind == Kind.CRYPTO:
        sent = _minor(form.get("sent", ""), payment["currency"])
        if not sent:
            return _payment_page(character, payment, form, "Enter the amount you send, like 100.00.")
        received = sent
    paid = payments.pay(
        request.store,
        payment["id"],
        pace=request.pace,
        method=payment["method"] or form.get("method") or character.methods[0],
        instrument=instrument,
        payer_name=form.get("payer_name") or form.get("account", ""),
        received_minor=received,
    )
    return _back(paid)

"""The hosted page in the client's language: English, and German where it is asked for."""

from collections.abc import Callable

GERMAN = {
    "the merchant": "den Händler",
    "Sandbox": "Testumgebung",
    "to": "an",
    "No real money moves here.": "Hier fließt kein echtes Geld.",
    "Name on card": "Name auf der Karte",
    "Card number": "Kartennummer",
    "Expiry (MM/YY)": "Gültig bis (MM/JJ)",
    "Security code": "Prüfziffer",
    "Wallet e-mail": "E-Mail der Wallet",
    "Password": "Passwort",
    "Reference": "Verwendungszweck",
    "Name of the account holder": "Name des Kontoinhabers",
    "Address": "Adresse",
    "Amount you send": "Gesendeter Betrag",
    "Method": "Zahlungsart",
    "Your name": "Ihr Name",
    "I have sent the transfer": "Überweisung ausgeführt",
    "Pay": "Bezahlen",
    "Decline": "Ablehnen",
    "Confirm": "Bestätigen",
    "Code": "Code",
    "Your bank sent you a code of six digits. In the sandbox, any six digits will do.": (
        "Ihre Bank hat Ihnen einen sechsstelligen Code geschickt. In der Testumgebung genügen sechs beliebige Ziffern."
    ),
    "Enter the six digits of the code.": "Bitte die sechs Ziffern des Codes eingeben.",
    "Enter the name on the card.": "Bitte den Namen auf der Karte eingeben.",
    "This is not a card number. Check the digits.": "Das ist keine Kartennummer. Bitte die Ziffern prüfen.",
    "The card has expired, or the date is not written MM/YY.": (
        "Die Karte ist abgelaufen, oder das Datum hat nicht die Form MM/JJ."
    ),
    "Enter the security code: three or four digits.": "Bitte die Prüfziffer eingeben: drei oder vier Ziffern.",
    "Enter the amount you send, like 100.00.": "Bitte den gesendeten Betrag eingeben, etwa 100.00.",
}


def translate(locale: str) -> Callable[[str], str]:
    """Words in one language; a text without a translation stays English."""
    words = GERMAN if locale.startswith("de") else {}
    return lambda text: words.get(text, text)

"""Who issued a proof of address: a bank, a utility, a telecom provider or an authority, by the words it uses."""

from __future__ import annotations

import re

from django.db import models
from django.utils.translation import gettext_lazy as _


class IssuerKind(models.TextChoices):
    BANK = "bank", _("Bank")
    UTILITY = "utility", _("Utility")
    TELECOM = "telecom", _("Telecom provider")
    AUTHORITY = "authority", _("Authority")


# In plain capital letters, in the languages of our clients. Words in every bill (IBAN, internet, bank details) say nothing.
WORDS: dict[IssuerKind, str] = {
    IssuerKind.BANK: (
        r"KONTOAUSZUG|BANK STATEMENT|ACCOUNT STATEMENT|STATEMENT OF ACCOUNT|RELEVE DE COMPTE|EXTRACTO (?:DE CUENTA|BANCARIO)|"
        r"ESTRATTO CONTO|WYCIAG|REKENINGAFSCHRIFT|EXTRATO|VYPIS Z UCTU|OPENING BALANCE|CLOSING BALANCE|ANFANGSSALDO|ENDSALDO|"
        r"ANCIEN SOLDE|NOUVEAU SOLDE|SALDO (?:INICIAL|FINAL|ANTERIOR|POCZATKOWE|KONCOWE|INIZIALE|FINALE)|CREDIT CARD STATEMENT|"
        r"SPARKASSE|VOLKSBANK|BUILDING SOCIETY|CREDIT UNION|BANQUE|BANCO|BANCA"
    ),
    IssuerKind.UTILITY: (
        r"ELECTRICITY|ELECTRIC BILL|STROM(?:RECHNUNG|VERBRAUCH|LIEFERUNG)?|ERDGAS|GASRECHNUNG|GAS BILL|WATER|WASSER|ENERG[A-Z]*|"
        r"POWER|KWH|STADTWERKE|FERNWARME|ELECTRICITE|EAU POTABLE|ELECTRICIDAD|LUZ|AGUA|ELETTRICA|ELETTRICITA|ACQUA|PRAD|"
        r"ENERGII|GAZOWNICTWO|WODOCIAGI|ELEKTRICITEIT|STROOM|DRINKWATER|ELETRICIDADE|ELEKTRINA|PLYN|METER READING|ZAHLERSTAND|"
        r"CONSUMPTION|VERBRAUCH|CONSOMMATION|CONSUMO|CONSUMI|ZUZYCIE|VERBRUIK|SPOTREBA|SEWERAGE|WASTE COLLECTION"
    ),
    IssuerKind.TELECOM: (
        r"TELECOM[A-Z]*|TELEKOM[A-Z]*|MOBILFUNK|FESTNETZ|BROADBAND|FIBRE|GLASFASER|MOBILE PLAN|PHONE BILL|LANDLINE|TELEFONICA|"
        r"VODAFONE|LIGNE FIXE|FORFAIT MOBILE|TELEFONO FIJO|FIBRA|TELEFONIA|INTERNETVERTRAG|DSL|CALLS AND DATA|ABONNEMENT MOBILE"
    ),
    IssuerKind.AUTHORITY: (
        r"COUNCIL TAX|TAX OFFICE|NOTICE OF ASSESSMENT|FINANZAMT|STEUERBESCHEID|MELDEBESTATIGUNG|MELDEBESCHEINIGUNG|BURGERAMT|"
        r"EINWOHNERMELDEAMT|MUNICIPALITY|CITY COUNCIL|BOROUGH|IMPOTS|TAXE D ?HABITATION|AVIS D ?IMPOSITION|MAIRIE|"
        r"AYUNTAMIENTO|EMPADRONAMIENTO|AGENCIA TRIBUTARIA|COMUNE DI|CERTIFICATO DI RESIDENZA|AGENZIA DELLE ENTRATE|"
        r"URZAD|ZAMELDOWANIA|GEMEENTE|BELASTINGDIENST|FINANCNI URAD|CAMARA MUNICIPAL|REVENUE|RESIDENCE CERTIFICATE"
    ),
}
PATTERNS = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in WORDS.items()}


def kind_of_issuer(text: str) -> IssuerKind | None:
    """Recognise the kind of issuer by what speaks most for it. `text` in plain capital letters; None where nothing speaks."""
    text = re.sub(r"[^A-Z0-9]+", " ", text)
    marks = {kind: len(set(pattern.findall(text))) for kind, pattern in PATTERNS.items()}
    best = max(marks, key=lambda kind: marks[kind])
    return best if marks[best] else None

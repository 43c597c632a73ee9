"""Names of columns in banks' tables, in many languages: meaning → names, best first, as `cells.plain` writes them."""

from __future__ import annotations

TEXTS = {
    "date": """
        booking date | posting date | post date | posted date | posted | booked at | date posted | completed date |
        date completed utc | transaction date | trans date | date processed | processed date | buchungstag |
        buchungsdatum | buchung | bookingdate | date de comptabilisation | date comptable | date operation |
        date de l operation | date d operation | data contabile | fecha operacion | fecha de operacion | f operacion |
        fecha contable | datum zauctovani | datum provedeni | data ksiegowania | data operacji | data transakcji |
        boekdatum | transactiedatum | bokforingsdatum | bokforingsdag | bokfort | kirjauspaiva | tranzakcio datuma |
        konyvelesi datum | kuupaev | datums | data lancamento | data movimento | data mov | date | datum | data |
        fecha | dato | tarih | islem tarihi | belegdatum | day | created | created at | created on | date and time |
        datetime | timestamp | transaction time | transaction created | execution date | datum verrichting |
        uitvoeringsdatum | paivays | paivamaara | txn date | tran date | started date | datum transakce
    """,
    "value": """
        value date | valuta | wertstellung | valutadatum | wert | valutatag | rentedatum | date de valeur |
        date valeur | data valuta | fecha valor | f valor | data waluty | valutadag | rentedag | arvopaiva | ertenap |
        data valor | effective date | datum valuty | valuedate | interest date | wertstellungstag | valeur |
        valuutapaev | rantedag
    """,
    "amount": """
        amount | transaction amount | amount in account currency | net amount | net | netto | betrag | buchungsbetrag
        | umsatz | montant | importe | importo | importe eur | bedrag | kwota | kwota operacji | kwota transakcji |
        castka | zauctovana castka | belopp | belop | belob | maara | summa | osszeg | tranzakcio osszege | valor |
        valor r | tutar | suma | amount value | value | total | total amount | gross | amt | transaktionsbetrag |
        lastschrift gutschrift | montante | quantia | amount bgn | betrag in kontowahrung | transaction amt |
        amount local | inflow | transaktsioon | net amt
    """,
    "debit": """
        debit | debits | debit amount | withdrawal | withdrawals | withdrawal amount | withdrawal amt | paid out |
        money out | out | outflow | soll | belastung | belastungen | lastschrift | debet | debito | cargo | cargos |
        addebiti | addebito | dare | uscite | wyplaty | obciazenia | obciazenie | uttag | ut | ut av konto | ausgaben
        | ausgang | payments | payment amount | spent | af | terheles | debit amt | withdrawals dr | debits dr | borc
        | debit value | debite | debit eur | schuld
    """,
    "credit": """
        credit | credits | credit amount | deposit | deposits | deposit amount | deposit amt | paid in | money in | in
        | haben | gutschrift | gutschriften | credito | abono | abonos | accrediti | accredito | avere | entrate |
        wplaty | uznania | uznanie | insattning | inn | inn pa konto | einnahmen | eingang | receipts | received | bij
        | jovairas | credit amt | deposits cr | credits cr | alacak | credit value
    """,
    "indicator": """
        d c | dc | c d | cd | dr cr | cr dr | debit credit | credit debit | debit or credit | soll haben | s h |
        af bij | bij af | bijaf | credit debet | debet credit | sign | credit debit indicator | cdtdbtind |
        transaction direction | direction | deebet kreedit d c | deebet kreedit | debit credit code | dr cr indicator
        | bevetel kiadas | tegn | debet kredit | d k | k d | cr db | db cr | soll haben kennzeichen |
        debit credit indicator | code debit credit | dr or cr | type dr cr | ba b
    """,
    "currency": """
        currency | ccy | monn | wahrung | waehrung | devise | divisa | munt | muntsoort | valuta code | waluta | mena |
        mena uctu | devizanem | moneda | buchungswahrung | kontowahrung | currency code | curr | tranzakcio devizaneme
        | account currency | moeda | doviz | para birimi | cur | tapahtuman valuutta | valuuta | valuutta | whg |
        transaction currency | settlement currency | payment currency | divise
    """,
    "name": """
        counterparty | counterparty name | counter party | name | payee | payer | partner name | partner neve |
        partnername | beneficiary | beneficiary name | auftraggeber empfanger | beguenstigter zahlungspflichtiger |
        begunstigter zahlungspflichtiger | name zahlungsbeteiligter | zahlungsempfanger in | zahlungspflichtige r |
        empfanger | auftraggeber begunstigter | zahlungsempfanger | beguenstigter auftraggeber | naam tegenpartij |
        naam | naam omschrijving | nazev protiuctu | nazwa kontrahenta | kontrahent | nadawca odbiorca | nom | tiers |
        libelle tiers | beneficiario | saaja maksaja | mottagare | motpart | counterpart | other party | merchant |
        merchant name | counteraccount name | vendor | from to | payee name | target name | naam tegenrekening |
        tegenpartij | naam tegenpartij begunstigde | beguenstigter | nombre | saaja | saaja maksaja nimi |
        payment target | sender or receiver | transaktionspartner | empfanger auftraggeber | handelaar | description 1
        | nimi | partner
    """,
    "iban": """
        iban | counterparty iban | counterparty account | kontonummer iban | iban zahlungsbeteiligter |
        account number of counterparty | counterparty account number | tegenrekening | tegenrekening iban bban |
        cislo protiuctu | partner szamlaszama | numer konta | rachunek kontrahenta | nr rachunku kontrahenta |
        iban des zahlungsbeteiligten | iban auftraggeber begunstigter | rekening tegenpartij |
        rekeningnummer tegenpartij | compte contrepartie | payee account number | counter account | bank account |
        to account | protiucet | motkonto | mottakerkonto | beneficiary account | kontonummer | saajan tilinumero |
        saaja maksaja konto | partner iban | account number or iban of counterparty
    """,
    "bic": """
        bic | bic swift | swift | bic swift code | bic zahlungsbeteiligter | bic tegenpartij | blz | counterparty bic
        | bic code
    """,
    "text": """
        description | text | purpose | details | memo | remittance | remittance information | verwendungszweck |
        buchungstext | narrative | particulars | particular | label | transaction description | transaction details |
        booking text | payment reference | reference | omschrijving | mededelingen | mededeling | vrije mededeling |
        libelle | libelle operation | concepto | descripcion | descrizione | causale | opis | opis operacji |
        opis transakcji | tytul | tytulem | zprava | zprava pro prijemce | poznamka | kozlemeny | tekst | beskrivning
        | selite | viesti | descricao | historico | aciklama | narration | remarks | notes | note | message | info |
        vwz | umsatztext | buchungsdetails | transaktionsbeschreibung | communication | communications |
        message for payee | transaction | selgitus | omschrijving 1 | omschrijving 2 | omschrijving 3 |
        extended description | description 2 | additional information | bank remittance | nachricht | forklaring |
        title | transaction remarks | avisierungstext | original description | simple description | beskrivelse |
        titel | merchant description | item | mitteilung | customer description | activity
    """,
    "bank_reference": """
        bank reference | transaction id | id | bankreferenz | transaction reference | transaction reference number |
        transactiereferentie | reference number | id transakce | referencia | transactionid | buchungsreferenz |
        bank reference number | transaction number | numero de operacion | archivierungskennung | archive id |
        arkistointitunnus | arhiveerimistunnus | uuid | volgnr | fitid | entry reference | account servicer reference
        | ref no | chq ref number | operation number | utr | utr number | umsatz id | txn id | ref
    """,
    "customer": """
        customer reference | kundenreferenz | kundenreferenz end to end | own reference | client reference |
        ref cheque no | invoice number | cheque number | check number | check or slip | check | cheque | cheque no |
        chq no | betalingskenmerk | viite | viitenumber | variable symbol | vs | structured reference |
        gestructureerde mededeling
    """,
    "end_to_end": """
        end to end | endtoendid | end to end id | ende zu ende referenz | end to end referenz | end to end reference |
        eref | endtoendreference
    """,
    "mandate": """
        mandate | mandatsreferenz | mandate reference | machtigingskenmerk | mandate id | mref
    """,
    "own_account": """
        own account | auftragskonto | iban auftragskonto | account | account number | account no | iban bban |
        rekening | rekeningnummer | eigene iban | iban auftraggeberkonto | cislo uctu | szamlaszam | konto |
        kontonummer eigen | client account | own iban | compte | numero compte | numero de compte | account iban |
        bezeichnung auftragskonto | kliendi konto | rachunek | cuenta | account id | zaradovani uctu | tili |
        uw rekening | iban own account | umsatz getatigt von
    """,
    "balance": """
        balance | balance after | running balance | saldo | saldo nach buchung | account balance | saldo na trn |
        closing balance | available balance | balance after transaction | solde | saldo po operacji |
        saldo po transakcji | egyenleg | saldo na mutatie | kontostand | zustatek | bokfort saldo | bakiye |
        resulting balance | saldo disponible | balance amount | ledger balance | current balance | saldo contabile |
        disponibel saldo | saldo eur | book balance | balance after booking | endsaldo | running total
    """,
    "opening": """
        opening balance | anfangssaldo | startsaldo | balance before | initial balance | saldo inicial | solde initial
    """,
    "fee": """
        fee | fees | gebuhr | charge | total fee amount | transaction fee | entgelt
    """,
    "status": """
        status | state | transaction status | status transakcji | stan | buchungsstatus | booking status
    """,
    "code": """
        type | transaction type | umsatzart | transaktionstyp | typ transakcji | typ operacji | typ transakce | code |
        mutatiesoort | transaction code | bai code | art | vorgang | transaction category | trntype |
        tranzakcio tipusa | booking type | type of transaction | tran type | entry type | buchungsart |
        geschaftsvorfallcode
    """,
    "original_amount": """
        original amount | originalbetrag | betrag fremdwahrung | amount foreign currency | local amount |
        amount currency | puvodni castka a mena | orig amount | foreign amount | oorspr bedrag |
        payment amount original
    """,
    "original_currency": """
        original currency | originalwahrung | fremdwahrung | local currency | foreign currency | type foreign currency
        | oorspr munt | original ccy | orig currency
    """,
}
NAMES: dict[str, tuple[str, ...]] = {
    meaning: tuple(" ".join(name.split()) for name in text.split("|")) for meaning, text in TEXTS.items()
}

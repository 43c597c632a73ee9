"""The standard wording of consents, in English and German. A brand publishes its own instead, as `ConsentText` rows."""

from __future__ import annotations

from crm.models import Brand
from portal.choices import ConsentKind

STANDARD_VERSION = "2026-01"

TEXTS: dict[str, dict[ConsentKind, tuple[str, str]]] = {
    "en": {
        ConsentKind.TERMS: (
            "I have read the terms of business and agree to them.",
            """Terms of business of {legal_name}

1. Who we are. {legal_name} ({name}) offers trading in contracts for difference and foreign exchange to persons of full age, for their own account.

2. Your account. You give true particulars and tell us when they change. You keep your password and your second factor to yourself. Orders that come through your login count as yours.

3. Identity. We verify identity and address before you trade with real money, because the law asks us to. Until then deposits are limited or not possible.

4. Your money. Client money is kept apart from ours. Withdrawals go back to the way the deposit came from, as far as that is possible, and to nobody but you.

5. Orders and prices. Orders are executed on the platform of your account under the execution policy that you find there. Prices can jump; an order may be filled at another price than the one you saw.

6. Costs. Spreads, commissions and overnight charges are shown on the platform before you trade.

7. Complaints. Write to {support_email}. We confirm within two working days and answer in substance within eight weeks. You may then turn to the ombudsman or authority named in our licence.

8. Ending. You may close your account at any time once positions are closed; the balance is paid out to you. We may end the relation with 14 days' notice, or at once where the law demands it.

9. Law. The law of our seat applies; mandatory consumer protection of your country stays untouched.""",
        ),
        ConsentKind.PRIVACY: (
            "I have read the privacy notice.",
            """Privacy notice of {legal_name}

What we process: your particulars and contact, identity documents, financial particulars you state, payments, trades, correspondence, and technical records of your visits (address, device, time).

Why: to open and run your account (contract), to prevent money laundering and to report to authorities (law), to protect our systems and your login (legitimate interest), and to send news if you agree (consent).

Who receives it: the trading platform, payment providers you choose, providers that check identities and lists on our behalf, auditors and authorities where the law demands it. Nobody else.

How long: as long as the relation lasts and for the period the law sets afterwards, usually five years; then it is erased. Identity documents are stored encrypted under a key of your own, which is destroyed at erasure.

Your rights: access, correction, erasure where the law allows it, restriction, portability, objection, and a complaint to the data protection authority. Write to {support_email}.""",
        ),
        ConsentKind.RISK: (
            "I understand that I can lose my money rapidly with leveraged products.",
            """Risk disclosure

{risk_warning}

Contracts for difference and leveraged foreign exchange are complex. A small movement of the price moves your result by a multiple of it. You can lose all the money on your account in a short time.

Trade only if you understand how these products work, and only with money whose loss you can bear. Past results say nothing about future ones. Prices can jump over a stop order. Orders may not be executed when markets are closed or very fast.

We give no advice and manage no money. If you are in doubt, ask an independent adviser.""",
        ),
        ConsentKind.MARKETING: (
            "Send me news and offers by e-mail and telephone. I can change this at any time.",
            "",
        ),
    },
    "de": {
        ConsentKind.TERMS: (
            "Ich habe die Geschäftsbedingungen gelesen und stimme ihnen zu.",
            """Geschäftsbedingungen der {legal_name}

1. Wer wir sind. {legal_name} ({name}) bietet volljährigen Personen den Handel mit Differenzkontrakten und Devisen auf eigene Rechnung an.

2. Ihr Konto. Sie machen wahre Angaben und teilen uns Änderungen mit. Passwort und zweiten Faktor behalten Sie für sich. Aufträge, die über Ihren Zugang kommen, gelten als Ihre.

3. Identität. Wir prüfen Identität und Anschrift, bevor Sie mit echtem Geld handeln, weil das Gesetz es verlangt. Bis dahin sind Einzahlungen begrenzt oder nicht möglich.

4. Ihr Geld. Kundengelder werden getrennt von unseren verwahrt. Auszahlungen gehen, soweit möglich, den Weg zurück, den die Einzahlung genommen hat, und an niemanden außer Ihnen.

5. Aufträge und Kurse. Aufträge werden auf der Plattform Ihres Kontos nach den dort veröffentlichten Ausführungsgrundsätzen ausgeführt. Kurse können springen; ein Auftrag kann zu einem anderen Kurs ausgeführt werden als dem, den Sie gesehen haben.

6. Kosten. Spreads, Kommissionen und Finanzierungskosten über Nacht zeigt die Plattform vor dem Handel an.

7. Beschwerden. Schreiben Sie an {support_email}. Wir bestätigen den Eingang binnen zwei Werktagen und antworten in der Sache binnen acht Wochen. Danach können Sie sich an die in unserer Lizenz genannte Schlichtungsstelle oder Behörde wenden.

8. Beendigung. Sie können Ihr Konto jederzeit schließen, sobald alle Positionen geschlossen sind; das Guthaben wird an Sie ausgezahlt. Wir können die Geschäftsbeziehung mit einer Frist von 14 Tagen beenden, oder sofort, wenn das Gesetz es verlangt.

9. Recht. Es gilt das Recht unseres Sitzes; zwingender Verbraucherschutz Ihres Landes bleibt unberührt.""",
        ),
        ConsentKind.PRIVACY: (
            "Ich habe die Datenschutzhinweise gelesen.",
            """Datenschutzhinweise der {legal_name}

Was wir verarbeiten: Ihre Angaben und Kontaktdaten, Ausweisdokumente, von Ihnen genannte wirtschaftliche Verhältnisse, Zahlungen, Geschäfte, Schriftverkehr und technische Aufzeichnungen Ihrer Besuche (Adresse, Gerät, Zeit).

Wozu: um Ihr Konto zu eröffnen und zu führen (Vertrag), um Geldwäsche zu verhindern und Behörden zu melden (Gesetz), um unsere Systeme und Ihren Zugang zu schützen (berechtigtes Interesse), und um Neuigkeiten zu senden, wenn Sie zustimmen (Einwilligung).

Wer sie erhält: die Handelsplattform, die von Ihnen gewählten Zahlungsdienste, Dienste, die in unserem Auftrag Identitäten und Listen prüfen, Prüfer und Behörden, soweit das Gesetz es verlangt. Sonst niemand.

Wie lange: solange die Geschäftsbeziehung dauert und danach so lange, wie das Gesetz es vorschreibt, in der Regel fünf Jahre; dann werden sie gelöscht. Ausweisdokumente liegen verschlüsselt unter einem eigenen Schlüssel, der bei der Löschung vernichtet wird.

Ihre Rechte: Auskunft, Berichtigung, Löschung, soweit das Gesetz es erlaubt, Einschränkung, Übertragbarkeit, Widerspruch und Beschwerde bei der Aufsichtsbehörde. Schreiben Sie an {support_email}.""",
        ),
        ConsentKind.RISK: (
            "Ich verstehe, dass ich mit gehebelten Produkten mein Geld schnell verlieren kann.",
            """Risikohinweis

{risk_warning}

Differenzkontrakte und gehebelter Devisenhandel sind komplex. Eine kleine Bewegung des Kurses bewegt Ihr Ergebnis um ein Vielfaches. Sie können in kurzer Zeit Ihr gesamtes Guthaben verlieren.

Handeln Sie nur, wenn Sie verstehen, wie diese Produkte funktionieren, und nur mit Geld, dessen Verlust Sie verkraften. Ergebnisse der Vergangenheit sagen nichts über künftige. Kurse können über eine Stop-Order springen. Aufträge werden möglicherweise nicht ausgeführt, wenn Märkte geschlossen oder sehr schnell sind.

Wir beraten nicht und verwalten kein Geld. Im Zweifel fragen Sie einen unabhängigen Berater.""",
        ),
        ConsentKind.MARKETING: (
            "Senden Sie mir Neuigkeiten und Angebote per E-Mail und Telefon. Ich kann das jederzeit ändern.",
            "",
        ),
    },
}


def standard_text(kind: ConsentKind, language: str, brand: Brand) -> tuple[str, str]:
    """(label, body) with the brand's particulars filled in."""
    label, body = TEXTS[language][kind]
    values = {
        "legal_name": brand.legal_name, "name": brand.name, "support_email": brand.support_email,
        "risk_warning": brand.risk_warning,
    }  # fmt: skip
    return label, body.format(**values).strip()

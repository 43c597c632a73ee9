"""Letters about documents; those about questionnaires and categories are in their rooms."""

from django.utils.translation import gettext_lazy as _

import kyc.categories.texts
import kyc.questionnaires.texts  # noqa: F401 — the rooms' own texts
from clients.texts.letters import letter
from crm.texts.catalogue import Text, Variable

DOCUMENT = Variable("document", _("Kind of document"), _("Passport"))

letter(
    "kyc.verified",
    title=_("Identity confirmed"),
    texts={
        "en": Text(
            "Welcome to {{ brand }}: your identity is confirmed",
            "Hello {{ first_name }},\n\nthank you for your documents. We have checked them, and your identity is confirmed. "
            "You can now deposit and trade.\n\n[Open the client portal]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Willkommen bei {{ brand }}: Ihre Identität ist bestätigt",
            "Guten Tag {{ first_name }},\n\nvielen Dank für Ihre Dokumente. Wir haben sie geprüft, Ihre Identität ist bestätigt. "
            "Sie können jetzt einzahlen und handeln.\n\n[Zum Kundenportal]({{ portal_url }})\n\n"
            "Freundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.documents_missing",
    title=_("Documents requested"),
    texts={
        "en": Text(
            "Please send us your documents",
            "Hello {{ first_name }},\n\nwe still need documents from you before you can use your account in full: a "
            "passport, identity card or driving licence, and a proof of address that is not older than three months. "
            "The client portal shows which of them are missing. It takes two minutes with your phone's camera.\n\n"
            "[Send my documents]({{ portal_url }})\n\nKind regards\n{{ agent }}\n{{ brand }}",
        ),
        "de": Text(
            "Bitte senden Sie uns Ihre Dokumente",
            "Guten Tag {{ first_name }},\n\nuns fehlen noch Dokumente, damit Sie Ihr Konto voll nutzen können: Reisepass, "
            "Personalausweis oder Führerschein, und ein Adressnachweis, der nicht älter als drei Monate ist. Im "
            "Kundenportal sehen Sie, was noch fehlt. Mit der Kamera Ihres Telefons dauert es zwei Minuten.\n\n"
            "[Dokumente senden]({{ portal_url }})\n\nFreundliche Grüße\n{{ agent }}\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.document_requested",
    title=_("Another document requested"),
    variables=(
        DOCUMENT,
        Variable("reason", _("Why the document is needed"), _("The photo is blurred."), is_required=True),
        Variable("due_on", _("Last day"), _("15 April 2027")),
    ),
    texts={
        "en": Text(
            "Please send us a document by {{ due_on }}",
            "Hello {{ first_name }},\n\nto finish reviewing your documents we need one more from you: {{ document }}.\n\n"
            "{{ reason }}\n\nPlease upload it by {{ due_on }}.\n\n[Send the document]({{ portal_url }})\n\n"
            "Kind regards\n{{ brand }}",
        ),
        "de": Text(
            "Bitte senden Sie uns bis {{ due_on }} ein Dokument",
            "Guten Tag {{ first_name }},\n\num die Prüfung Ihrer Dokumente abzuschließen, benötigen wir noch ein Dokument von "
            "Ihnen: {{ document }}.\n\n{{ reason }}\n\nBitte laden Sie es bis {{ due_on }} hoch.\n\n"
            "[Dokument senden]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.document_rejected",
    title=_("Document rejected"),
    variables=(
        DOCUMENT,
        Variable("reason", _("Why the document was rejected"), _("The photo is blurred."), is_required=True),
    ),
    texts={
        "en": Text(
            "Please send us another document",
            "Hello {{ first_name }},\n\nthank you for sending us your document ({{ document }}). Unfortunately we could not "
            "accept it:\n\n{{ reason }}\n\n[Send a new document]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Bitte senden Sie uns ein anderes Dokument",
            "Guten Tag {{ first_name }},\n\nvielen Dank für Ihr Dokument ({{ document }}). Leider konnten wir es nicht "
            "annehmen:\n\n{{ reason }}\n\n[Neues Dokument senden]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.document_expiring",
    title=_("Document expires soon"),
    variables=(DOCUMENT, Variable("expires_on", _("Last day of validity"), _("15 April 2027"))),
    texts={
        "en": Text(
            "Your document expires on {{ expires_on }}",
            "Hello {{ first_name }},\n\na document we have on file for you expires on {{ expires_on }} ({{ document }}). Please "
            "upload the new one before that, so that your account stays verified.\n\n"
            "[Upload the new document]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Ihr Dokument läuft am {{ expires_on }} ab",
            "Guten Tag {{ first_name }},\n\nein Dokument, das wir von Ihnen haben, läuft am {{ expires_on }} ab ({{ document }}). "
            "Bitte laden Sie vorher das neue hoch, damit Ihr Konto verifiziert bleibt.\n\n"
            "[Neues Dokument hochladen]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.document_expired",
    title=_("Document expired"),
    variables=(DOCUMENT,),
    texts={
        "en": Text(
            "Your document has expired",
            "Hello {{ first_name }},\n\na document we have on file for you has expired ({{ document }}). Please send us the new "
            "one, so that your account stays verified.\n\n[Send the new document]({{ portal_url }})\n\n"
            "Kind regards\n{{ brand }}",
        ),
        "de": Text(
            "Ihr Dokument ist abgelaufen",
            "Guten Tag {{ first_name }},\n\nein Dokument, das wir von Ihnen haben, ist abgelaufen ({{ document }}). Bitte senden "
            "Sie uns das neue, damit Ihr Konto verifiziert bleibt.\n\n[Neues Dokument senden]({{ portal_url }})\n\n"
            "Freundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.documents_reviewed_again",
    title=_("Documents reviewed again"),
    texts={
        "en": Text(
            "We're reviewing your documents again",
            "Hello {{ first_name }},\n\nwe're reviewing your documents again. Until we've finished, some functions of your "
            "account may not be available. You don't need to do anything now; we'll e-mail you.\n\n"
            "[Open the client portal]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Wir prüfen Ihre Dokumente erneut",
            "Guten Tag {{ first_name }},\n\nwir prüfen Ihre Dokumente erneut. Bis wir fertig sind, stehen einzelne Funktionen "
            "Ihres Kontos möglicherweise nicht zur Verfügung. Sie müssen derzeit nichts tun; wir schreiben Ihnen.\n\n"
            "[Zum Kundenportal]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)
letter(
    "kyc.verification_again",
    title=_("Verification to be repeated"),
    variables=(Variable("reason", _("What to do differently"), _("The photo is blurred."), is_required=True),),
    texts={
        "en": Text(
            "Please repeat your verification",
            "Hello {{ first_name }},\n\nthank you for verifying your identity. Unfortunately it couldn't be completed:"
            "\n\n{{ reason }}\n\n[Continue verification]({{ portal_url }})\n\nKind regards\n{{ brand }}",
        ),
        "de": Text(
            "Bitte wiederholen Sie Ihre Verifizierung",
            "Guten Tag {{ first_name }},\n\nvielen Dank für Ihre Verifizierung. Leider konnte sie nicht abgeschlossen "
            "werden:\n\n{{ reason }}\n\n[Verifizierung fortsetzen]({{ portal_url }})\n\nFreundliche Grüße\n{{ brand }}",
        ),
    },
)

"""Texts for clients: e-mails, consents, agreements, risk warnings and notices. Declared in code, replaced per brand and language.

    # kyc/texts.py
    letter("kyc.document_expired", title=_("Document expired"), variables=(Variable("document", _("…"), _("passport")),),
           texts={"en": Text("Your document has expired", "Hello {{ first_name }},…"), "de": Text(…)})

A brand's own version is a row (`TextVersion`), in force from a moment on; without one the declared text is used. Reading:
`crm.texts.reading`; writing and publishing: `crm.texts.publishing`; what a text may hold: `crm.texts.checks`.
"""

from crm.texts import risk_warning
from crm.texts.catalogue import DeclaredText, Text, TextKind, Variable, declare_text, find_text

__all__ = ["DeclaredText", "Text", "TextKind", "Variable", "declare_text", "find_text", "risk_warning"]

"""One e-mail to many: what is entered, who gets none and why; `clients.texts.to_many` writes it.

It is marketing: it goes to who agreed to news and offers, isn't on the suppression list and isn't marked as not to be contacted, by
day where they live, and each carries the way to unsubscribe and the risk warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from clients import policies
from clients.choices import Stage
from clients.models import Client, Suppression
from clients.texts.letters import COMMON, common_values
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import User
from crm.texts.catalogue import PLACEHOLDER, Text
from leads.automations.running import not_to_be_contacted

SUBJECT_MAX: Final = 160
TEXT_MAX: Final = 8_000
NAMES: Final = tuple(variable.name for variable in COMMON)


def clean_mail(options: Mapping[str, Any]) -> dict[str, str]:
    """Check subject and text. Raises: DomainError, also for a variable that doesn't exist."""
    given = {"subject": str(options.get("subject") or "").strip(), "message": str(options.get("message") or "").strip()}
    for name, most in (("subject", SUBJECT_MAX), ("message", TEXT_MAX)):
        if not given[name]:
            raise DomainError(_("Enter a subject and a text."), code=name)
        if len(given[name]) > most:
            raise DomainError(_("Enter at most %(most)s characters.") % {"most": formats.number(most)}, code=name)
        unknown = [word for word in PLACEHOLDER.findall(given[name]) if word not in NAMES]
        if unknown:
            values = {"name": unknown[0][:40], "names": ", ".join(NAMES)}
            raise DomainError(_("There is no variable “%(name)s”. Use one of: %(names)s.") % values, code=name)
    return given


def mail_problems(clients: Sequence[Client], user: User) -> dict[int, str]:
    """Say who of these gets no e-mail, and why, by the client's id."""
    rows = Suppression.objects.filter(address__in=[client.email.lower() for client in clients], lifted_at=None)
    suppressed = set(rows.values_list("brand_id", "address"))
    unwilling = not_to_be_contacted(clients)
    problems = {client.pk: _problem(client, user, suppressed, unwilling) for client in clients}
    return {pk: problem for pk, problem in problems.items() if problem}


def _problem(client: Client, user: User, suppressed: set[tuple[int, str]], unwilling: set[int]) -> str:
    if not (allowed := policies.can_log(user, client)):
        return allowed.reason
    if client.stage == Stage.CLOSED:
        return _("The account is closed")
    if not client.email:
        return _("Has no e-mail address")
    if client.pk in unwilling:
        return _("Marked as not to be contacted")
    if not client.marketing_consent:
        return _("Hasn’t agreed to news and offers")
    if (client.brand_id, client.email.lower()) in suppressed:
        return _("The address is on the suppression list")
    return ""


def sample(clients: Sequence[Client], given: Mapping[str, str]) -> Text | None:
    """Write the e-mail as the first of its readers gets it, for the preview."""
    if not clients:
        return None
    return Text(given["subject"], given["message"]).filled(common_values(clients[0], clients[0].language))

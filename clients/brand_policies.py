"""What a brand sets about its clients: who may register, who sees their contact details, and how they are called."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Choice, Count, Countries, Hosts, Lines, Policy, PolicyArea, Switch, declare

CONTENT_SID: Final = re.compile(r"HX[0-9a-f]{32}")

MINIMUM_AGE = declare(
    Policy(
        "minimum_age",
        PolicyArea.REGISTRATION,
        _("Minimum age"),
        Count(18, 30, _("years")),
        18,
        _("Asked at registration, and checked against the identity document."),
    )
)
BLOCKED_NATIONALITIES = declare(
    Policy(
        "blocked_nationalities", PolicyArea.REGISTRATION, _("Countries whose citizens can't register"), Countries(), []
    )
)
REVEAL_NEEDS_REASON = declare(
    Policy(
        "reveal_needs_reason",
        PolicyArea.ACCESS,
        _("Reason for viewing contact details"),
        Choice({"never": _("Never"), "outside_book": _("For clients of other books"), "always": _("Always")}),
        "never",
        _("Asked of staff whose role sees phone numbers and e-mail addresses masked."),
        needs_four_eyes=False,
    )
)
CALLS_THROUGH_EXCHANGE = declare(
    Policy(
        "calls_through_exchange",
        PolicyArea.CALLS,
        _("Calls through the exchange"),
        Switch(),
        False,
        _("Clients are called from their page, through the brand's phone exchange."),
        needs_four_eyes=False,
    )
)
CALLS_ARE_RECORDED = declare(
    Policy(
        "calls_are_recorded",
        PolicyArea.CALLS,
        _("Calls are recorded"),
        Switch(),
        False,
        _("Check what the law asks for first: in many countries both sides must know, in some they must agree."),
    )
)
AGENT_PHONE_COUNTRIES = declare(
    Policy(
        "agent_phone_countries",
        PolicyArea.CALLS,
        _("Countries of agents' own numbers"),
        Countries(),
        [],
        _(
            "Where the phones are that the exchange rings for its agents. Empty: the countries of the brand's own numbers."
        ),
    )
)
AGENT_SIP_HOSTS = declare(
    Policy(
        "agent_sip_hosts",
        PolicyArea.CALLS,
        _("SIP hosts of agents' phones"),
        Hosts(),
        [],
        _("Without a host here, agents can't enter SIP addresses."),
    )
)
CALL_HOUR_FROM = declare(
    Policy(
        "call_hour_from",
        PolicyArea.CALLS,
        _("Clients are called from"),
        Count(0, 23, _("o'clock")),
        8,
        _("By the clock where the client lives; in a country with several time zones, in each of them."),
    )
)
CALL_HOUR_UNTIL = declare(
    Policy("call_hour_until", PolicyArea.CALLS, _("Clients are called until"), Count(1, 24, _("o'clock")), 21)
)
CALLS_ON_SUNDAYS = declare(
    Policy("calls_on_sundays", PolicyArea.CALLS, _("Clients are called on Sundays"), Switch(), False)
)
RECORDINGS_KEPT_DAYS = declare(
    Policy(
        "recordings_kept_days",
        PolicyArea.CALLS,
        _("Recordings are kept for"),
        Count(30, 3_650, _("days")),
        1_826,
        _("MiFID II asks for five years where an order may be agreed on the phone."),
    )
)
CALL_OUTCOME_MINUTES = declare(
    Policy(
        "call_outcome_minutes",
        PolicyArea.CALLS,
        _("Time to enter a call's outcome"),
        Count(1, 240, _("minutes")),
        15,
        _("After that the call is logged with what the exchange reports."),
        needs_four_eyes=False,
    )
)
MARKETING_HOUR_FROM = declare(
    Policy(
        "marketing_hour_from",
        PolicyArea.MESSAGES,
        _("Marketing e-mails, SMS and WhatsApp messages are sent from"),
        Count(0, 23, _("o'clock")),
        8,
        _(
            "By the clock where the client lives. E-mails about their account, and messages to who wrote today, are sent "
            "at any time."
        ),
        needs_four_eyes=False,
    )
)
MARKETING_HOUR_UNTIL = declare(
    Policy(
        "marketing_hour_until",
        PolicyArea.MESSAGES,
        _("Marketing e-mails, SMS and WhatsApp messages are sent until"),
        Count(1, 24, _("o'clock")),
        21,
        needs_four_eyes=False,
    )
)


class WhatsAppTemplates(Lines):
    """Which of our texts WhatsApp approved as a template."""

    hint = _(
        "One template a line: key of the text, language, content SID. For example: "
        "clients.sms_documents en HX0123456789abcdef0123456789abcdef"
    )

    def clean_line(self, text: str) -> str:
        parts = text.split()
        if len(parts) != 3 or not parts[0].startswith("clients.sms_") or not CONTENT_SID.fullmatch(parts[2]):
            raise ValueError(text)
        return " ".join(parts)


WHATSAPP_TEMPLATES = declare(
    Policy(
        "whatsapp_templates",
        PolicyArea.MESSAGES,
        _("Templates that WhatsApp approved"),
        WhatsAppTemplates(),
        [],
        _("More than 24 hours after the client's last message, WhatsApp takes nothing else."),
        needs_four_eyes=False,
    )
)
CHAT_IN_PORTAL = declare(
    Policy(
        "chat_in_portal",
        PolicyArea.MESSAGES,
        _("Chat in the client portal"),
        Switch(),
        True,
        _("Without an agent online, clients leave a message, which becomes a follow-up."),
        needs_four_eyes=False,
    )
)
CHAT_ANSWER_MINUTES = declare(
    Policy(
        "chat_answer_minutes",
        PolicyArea.MESSAGES,
        _("A chat is answered within"),
        Count(1, 60, _("minutes")),
        3,
        _("After that the client is asked to leave a message, which becomes a follow-up."),
        needs_four_eyes=False,
    )
)

"""What audit rows record: every action has one code, one label and one icon, declared once in its app's `audit_codes.py`.

Verbs record a member; the audit log, its filter, timelines, exports and the documentation read its label and icon from here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_CODES: dict[str, AuditCode] = {}


class AuditCode(StrEnum):
    """Base of the apps' codes: `NAME = "app.verb_in_past", _("Label"), "icon"`, and a tone where it isn't neutral.

    The code is stored and sealed in the audit log, so it never changes; its label may. Tones: success, info, warning, danger.
    """

    label: Promise
    icon: str
    tone: str

    def __new__(cls, code: str, label: Promise, icon: str, tone: str = "neutral") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.icon, member.tone = label, icon, tone
        return member

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for member in cls:
            if member.value in _CODES:
                raise TypeError(f"two audit codes are called {member.value!r}")
            _CODES[member.value] = member

    @classmethod
    def of(cls, noun: str, state: str) -> Self:
        """Find the code of a thing that reached a state: `WalletAction.of("deposit", deposit.state)`."""
        return cls[f"{noun}_{state}".upper()]


def find(code: str) -> AuditCode | None:
    """Find the member of a stored code; None for one that only an older version knew."""
    return _CODES.get(code)


def label_of(code: str) -> str:
    """Name a stored action for a reader; a code nobody declares any more reads from its own name."""
    known = find(code)
    if known:
        return str(known.label)
    text = code.partition(".")[2].replace("_", " ") or code
    return text[:1].upper() + text[1:]


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """List all codes for a filter, by app and label."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for member in sorted(_CODES.values(), key=lambda member: str(member.label)):
        app = apps.get_app_config(member.value.partition(".")[0])
        groups.setdefault(str(app.verbose_name), []).append((member.value, str(member.label)))
    return sorted(groups.items())


class CrmAction(AuditCode):
    """What the ground floor does."""

    ACCESS_GRANTED = "crm.access_granted", _("Access granted"), "key-round"
    ACCESS_TAKEN = "crm.access_taken", _("Access removed"), "user-x"
    API_SCOPES_APPROVED = "crm.api_scopes_approved", _("Powerful API scopes approved"), "check", "warning"
    API_SCOPES_REJECTED = "crm.api_scopes_rejected", _("Powerful API scopes rejected"), "x"
    API_SCOPES_REQUESTED = "crm.api_scopes_requested", _("Powerful API scopes requested"), "key-round", "info"
    API_SCOPES_WITHDRAWN = "crm.api_scopes_withdrawn", _("Request for API scopes withdrawn"), "x"
    API_TOKEN_CREATED = "crm.api_token_created", _("API token created"), "key-round"
    API_TOKEN_REVOKED = "crm.api_token_revoked", _("API token revoked"), "x", "warning"
    API_TOKEN_ROTATED = "crm.api_token_rotated", _("API token rotated"), "refresh-cw"
    BOOK_ARCHIVED = "crm.book_archived", _("Book archived"), "archive", "warning"
    BOOK_CHANGED = "crm.book_changed", _("Book changed"), "pencil"
    BOOK_CREATED = "crm.book_created", _("Book created"), "plus"
    BOOK_RESTORED = "crm.book_restored", _("Book restored"), "archive-restore"
    BRAND_ARCHIVED = "crm.brand_archived", _("Brand archived"), "archive", "warning"
    BRAND_CHANGED = "crm.brand_changed", _("Brand changed"), "pencil"
    BRAND_CREATED = "crm.brand_created", _("Brand created"), "plus"
    BRAND_LOOK_CHANGED = "crm.brand_look_changed", _("Brand look changed"), "image"
    BRAND_RESTORED = "crm.brand_restored", _("Brand restored"), "archive-restore"
    DATA_IMPORTED = "crm.data_imported", _("Data import finished"), "database", "success"
    DATA_IMPORT_CONFIRMED = "crm.data_import_confirmed", _("Data import confirmed"), "database", "info"
    DATA_IMPORT_DISCARDED = "crm.data_import_discarded", _("Data import discarded"), "trash-2"
    DATA_IMPORT_MAPPED = "crm.data_import_mapped", _("Columns of a data import mapped"), "columns-3"
    DATA_IMPORT_MAPPING_DELETED = "crm.data_import_mapping_deleted", _("Remembered mapping deleted"), "trash-2"
    DATA_IMPORT_MAPPING_RENAMED = "crm.data_import_mapping_renamed", _("Remembered mapping renamed"), "pencil"
    DATA_IMPORT_ROWS_DELETED = "crm.data_import_rows_deleted", _("Rows of a data import deleted"), "trash-2"
    DATA_IMPORT_STARTED = "crm.data_import_started", _("Data import started"), "database"
    DEMO_LOADED = "crm.demo_loaded", _("Demo data loaded"), "sparkles"
    DESK_ARCHIVED = "crm.desk_archived", _("Desk archived"), "archive", "warning"
    DESK_CHANGED = "crm.desk_changed", _("Desk changed"), "pencil"
    DESK_CREATED = "crm.desk_created", _("Desk created"), "plus"
    DESK_RESTORED = "crm.desk_restored", _("Desk restored"), "archive-restore"
    DUE_REPLAYED = "crm.due_replayed", _("Failed due row run again"), "refresh-cw"
    ERASURES_REPLAYED = "crm.erasures_replayed", _("Erasures applied again after a restore"), "trash-2"
    EVENT_REPLAYED = "crm.event_replayed", _("Failed event delivered again"), "refresh-cw"
    EVENT_SKIPPED = "crm.event_skipped", _("Failed event skipped"), "x"
    EVENT_SUBSCRIPTION_ARCHIVED = (
        "crm.event_subscription_archived",
        _("Event subscription archived"),
        "archive",
        "warning",
    )
    EVENT_SUBSCRIPTION_CHANGED = "crm.event_subscription_changed", _("Event subscription changed"), "pencil"
    EVENT_SUBSCRIPTION_CREATED = "crm.event_subscription_created", _("Event subscription created"), "plus"
    EVENT_SUBSCRIPTION_PAUSED = "crm.event_subscription_paused", _("Event subscription paused"), "pause"
    EVENT_SUBSCRIPTION_RESUMED = "crm.event_subscription_resumed", _("Event subscription resumed"), "play"
    FIELD_KEY_ROTATED = "crm.field_key_rotated", _("Field key rotated"), "key-round"
    FIELD_KEY_ROTATION_STARTED = "crm.field_key_rotation_started", _("Field key rotation started"), "key-round"
    GRANT_APPROVED = "crm.grant_approved", _("Access request approved"), "user-check", "success"
    GRANT_REJECTED = "crm.grant_rejected", _("Access request rejected"), "user-x", "danger"
    GRANT_REQUESTED = "crm.grant_requested", _("Access requested"), "key-round", "info"
    GRANT_WITHDRAWN = "crm.grant_withdrawn", _("Access request withdrawn"), "x"
    LEGAL_ENTITY_ARCHIVED = "crm.legal_entity_archived", _("Legal entity archived"), "archive", "warning"
    LEGAL_ENTITY_CHANGED = "crm.legal_entity_changed", _("Legal entity changed"), "pencil"
    LEGAL_ENTITY_CREATED = "crm.legal_entity_created", _("Legal entity created"), "plus"
    LEGAL_ENTITY_RESTORED = "crm.legal_entity_restored", _("Legal entity restored"), "archive-restore"
    ORPHANS_DELETED = "crm.orphans_deleted", _("Orphaned files deleted"), "trash-2"
    PASSWORD_CHANGED = "crm.password_changed", _("Password changed"), "key-round"
    PASSWORD_CHOSEN = "crm.password_chosen", _("Password chosen"), "key-round"
    PASSWORD_RESET = "crm.password_reset", _("Password reset"), "key-round"
    PASSWORD_RESET_SENT = "crm.password_reset_sent", _("Link to reset the password sent"), "mail"
    POLICY_APPROVED = "crm.policy_approved", _("Policy change approved"), "check", "success"
    POLICY_CHANGED = "crm.policy_changed", _("Policy changed"), "sliders-horizontal"
    POLICY_PROPOSED = "crm.policy_proposed", _("Policy change proposed"), "sliders-horizontal", "info"
    POLICY_REJECTED = "crm.policy_rejected", _("Policy change rejected"), "x", "danger"
    POLICY_WITHDRAWN = "crm.policy_withdrawn", _("Policy change withdrawn"), "x"
    RECOVERY_CODES_RENEWED = "crm.recovery_codes_renewed", _("Recovery codes regenerated"), "life-buoy"
    ROLE_GIVEN = "crm.role_given", _("Role granted"), "user-plus"
    ROLE_TAKEN = "crm.role_taken", _("Role removed"), "user-x"
    SECOND_FACTOR_ADDED = "crm.second_factor_added", _("Second factor added"), "smartphone"
    SECOND_FACTOR_REMOVED = "crm.second_factor_removed", _("Second factor removed"), "smartphone", "warning"
    SECOND_FACTOR_RESET = "crm.second_factor_reset", _("Second factor reset"), "smartphone", "warning"
    SERVICE_ACCOUNT_CREATED = "crm.service_account_created", _("Service account created"), "user-plus"
    SESSION_ENDED = "crm.session_ended", _("Session ended"), "log-out"
    SESSIONS_ENDED = "crm.sessions_ended", _("Sessions ended"), "log-out"
    STAFF_CHANGED = "crm.staff_changed", _("Staff details changed"), "pencil"
    STAFF_DATES_CHANGED = "crm.staff_dates_changed", _("Employment dates changed"), "calendar"
    STAFF_INVITED = "crm.staff_invited", _("Staff member invited"), "user-plus"
    STAFF_INVITED_AGAIN = "crm.staff_invited_again", _("Staff invitation resent"), "mail"
    STAFF_SWITCHED_OFF = "crm.staff_switched_off", _("Staff account deactivated"), "user-x", "warning"
    STAFF_SWITCHED_ON = "crm.staff_switched_on", _("Staff account activated"), "user-check"
    TEXT_APPROVED = "crm.text_approved", _("Text approved"), "check", "success"
    TEXT_DRAFTED = "crm.text_drafted", _("Draft of a text saved"), "pencil"
    TEXT_DRAFT_DISCARDED = "crm.text_draft_discarded", _("Draft of a text discarded"), "trash-2"
    TEXT_PROPOSED = "crm.text_proposed", _("Text proposed"), "file-text", "info"
    TEXT_PUBLISHED = "crm.text_published", _("Text published"), "file-text"
    TEXT_REJECTED = "crm.text_rejected", _("Text rejected"), "x", "danger"
    TEXT_TESTED = "crm.text_tested", _("Test e-mail sent"), "mail"
    TEXT_WITHDRAWN = "crm.text_withdrawn", _("Proposed text withdrawn"), "x"
    WEBHOOK_ARCHIVED = "crm.webhook_archived", _("Webhook archived"), "archive", "warning"
    WEBHOOK_CHANGED = "crm.webhook_changed", _("Webhook changed"), "pencil"
    WEBHOOK_CREATED = "crm.webhook_created", _("Webhook created"), "webhook"
    WEBHOOK_DATA_APPROVED = (
        "crm.webhook_data_approved",
        _("Personal data for a webhook approved"),
        "user-check",
        "warning",
    )
    WEBHOOK_DATA_ENDED = "crm.webhook_data_ended", _("Personal data for a webhook ended"), "user-x"
    WEBHOOK_DATA_PROPOSED = "crm.webhook_data_proposed", _("Personal data for a webhook proposed"), "user-check", "info"
    WEBHOOK_DATA_REJECTED = "crm.webhook_data_rejected", _("Personal data for a webhook rejected"), "user-x", "danger"
    WEBHOOK_DATA_WITHDRAWN = "crm.webhook_data_withdrawn", _("Personal data for a webhook withdrawn"), "x"
    WEBHOOK_DISABLED = "crm.webhook_disabled", _("Webhook disabled after failures"), "octagon-alert", "danger"
    WEBHOOK_PAUSED = "crm.webhook_paused", _("Webhook paused"), "pause"
    WEBHOOK_REPLAYED = "crm.webhook_replayed", _("Failed webhooks sent again"), "refresh-cw"
    WEBHOOK_RESUMED = "crm.webhook_resumed", _("Webhook resumed"), "play"
    WEBHOOK_SECRET_ROTATED = "crm.webhook_secret_rotated", _("Webhook secret rotated"), "key-round"
    WEBHOOK_SECRET_SHOWN = "crm.webhook_secret_shown", _("Webhook secret shown"), "eye", "warning"
    WEBHOOK_TESTED = "crm.webhook_tested", _("Test webhook sent"), "webhook"
    WORK_ASSIGNED = "crm.work_assigned", _("Work assigned"), "user-check"
    WORK_COMMENTED = "crm.work_commented", _("Comment on work added"), "message-square"
    WORK_FILE_ATTACHED = "crm.work_file_attached", _("File attached to work"), "paperclip"
    WORK_PRIORITY_CHANGED = "crm.work_priority_changed", _("Priority of work changed"), "flag"
    WORK_PROPOSAL_APPROVED = "crm.work_proposal_approved", _("Proposed decision approved"), "check", "success"
    WORK_PROPOSAL_REJECTED = "crm.work_proposal_rejected", _("Proposed decision rejected"), "x", "danger"
    WORK_PROPOSAL_WITHDRAWN = "crm.work_proposal_withdrawn", _("Proposed decision withdrawn"), "x"
    WORK_PROPOSED = "crm.work_proposed", _("Decision proposed"), "users", "info"
    WORK_TAKEN_OVER = "crm.work_taken_over", _("Work claimed from a colleague"), "users", "warning"

"""The permission table: for every URL, who may open it and with which objects. Read by the walker and by people.

"clients:list": Rule(STAFF_WHO_SEE_CLIENTS),
"clients:detail": Rule(STAFF_WHO_SEE_CLIENTS, kwargs=lambda world: {"client_id": world.people["client"].client.pk}),
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import crm.urls  # noqa: F401  the apps' resources are declared when the addresses are
from crm.api.resources import RESOURCES
from crm.choices import Role

PUBLIC: Final = frozenset({"*"})
NOBODY: Final[frozenset[str]] = frozenset()
STAFF: Final = frozenset(role.value for role in Role)
# A partner's owner, and the roles of the partner's team.
PARTNER: Final = frozenset({"partner"})
PARTNER_PAYS: Final = PARTNER | {"partner_finance"}
PARTNER_SHARES: Final = PARTNER | {"partner_marketing"}
PARTNER_MONEY: Final = PARTNER_PAYS | {"partner_read_only"}
PARTNER_TEAM: Final = PARTNER_MONEY | PARTNER_SHARES
EVERYONE_SIGNED_IN: Final = STAFF | {"client"} | PARTNER_TEAM
CLIENT: Final = frozenset({"client"})
# Pages of libraries that guard themselves; sign-in pages have their own tests.
THIRD_PARTY_PREFIXES = ("admin:", "account_", "mfa_", "usersessions_", "socialaccount_", "rq_", "set_language")


def roles(*names: Role) -> frozenset[str]:
    return frozenset(role.value for role in names)


@dataclass(frozen=True)
class Rule:
    """`good`: answers that count as "may": 200, a redirect onwards, 405 where only POST is served, 400 without input.

    elsewhere: who may with other objects only, as with another kind of work: refused here, and shown the way there.
    """

    allows: frozenset[str]
    kwargs: Callable[[Any], dict[str, Any]] = lambda _world: {}
    query: str = ""
    good: tuple[int, ...] = (200, 302, 405)
    elsewhere: frozenset[str] = NOBODY


# What belongs to one person answers 404 to all others, whatever their role: the sample ids below are nobody's.
OWN: Final = (200, 302, 404, 405)
TABLE: dict[str, Rule] = {}
SEES_PROGRAMMES: Final = roles(Role.IB_MANAGER, Role.FINANCE, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR)
WRITES_PROGRAMMES: Final = roles(Role.ADMINISTRATOR)
USES_API: Final = roles(Role.ADMINISTRATOR, Role.MARKETING, Role.MLRO, Role.FINANCE, Role.DESK_HEAD, Role.IB_MANAGER)

# Who proposes or decides anything by four eyes.
FOUR_EYES: Final = STAFF - roles(Role.AGENT, Role.AUDITOR)
# Marketing writes e-mails; compliance consents, agreements and risk warnings.
WRITES_TEXTS: Final = roles(Role.ADMINISTRATOR, Role.MLRO, Role.MARKETING)

# The ground floor: home, palette, bell, jobs, lists.
TABLE |= {
    "entrance": Rule(PUBLIC),
    "brand_css": Rule(PUBLIC, kwargs=lambda _world: {"code": "meridian"}),
    "language": Rule(PUBLIC),
    "home": Rule(STAFF),
    "home_cards": Rule(STAFF),
    "favourites": Rule(STAFF),
    "favourite_pin": Rule(STAFF),
    "tile": Rule(STAFF, kwargs=lambda _world: {"dashboard": "home", "slug": "none"}, good=OWN),
    "palette": Rule(STAFF, query="?q=an"),
    "profile": Rule(EVERYONE_SIGNED_IN),
    "notifications": Rule(EVERYONE_SIGNED_IN),
    "notification_settings": Rule(EVERYONE_SIGNED_IN),
    "help": Rule(EVERYONE_SIGNED_IN),
    "help_topic": Rule(STAFF, kwargs=lambda _world: {"slug": "clients"}, good=OWN),
    "tour": Rule(EVERYONE_SIGNED_IN),
    "notifications_recent": Rule(EVERYONE_SIGNED_IN),
    "notifications_unread": Rule(EVERYONE_SIGNED_IN),
    "notifications_read": Rule(EVERYONE_SIGNED_IN),
    "notification": Rule(EVERYONE_SIGNED_IN, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "approvals": Rule(FOUR_EYES),
    "approvals_decide": Rule(FOUR_EYES),
    "approval": Rule(FOUR_EYES, kwargs=lambda _world: {"code": "none", "pk": 999_999}, good=OWN),
    "approval_decide": Rule(
        FOUR_EYES, kwargs=lambda _world: {"code": "none", "pk": 999_999, "act": "approve"}, good=OWN
    ),
    "jobs": Rule(EVERYONE_SIGNED_IN),
    "job": Rule(EVERYONE_SIGNED_IN, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "job_cancel": Rule(EVERYONE_SIGNED_IN, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "job_download": Rule(EVERYONE_SIGNED_IN, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_imports": Rule(roles(Role.ADMINISTRATOR)),
    "data_import_new": Rule(roles(Role.ADMINISTRATOR)),
    "data_import": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_import_mapping": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_import_confirm": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_import_discard": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_import_delete_rows": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "import_mappings": Rule(roles(Role.ADMINISTRATOR)),
    "import_mapping": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "import_mapping_delete": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "data_import_download": Rule(
        roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999, "what": "report"}, good=OWN
    ),
    "due": Rule(roles(Role.ADMINISTRATOR)),
    "due_failed": Rule(roles(Role.ADMINISTRATOR)),
    "due_finished": Rule(roles(Role.ADMINISTRATOR)),
    "due_replay_many": Rule(roles(Role.ADMINISTRATOR)),
    "due_row": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "due_replay": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "events": Rule(roles(Role.ADMINISTRATOR)),
    "events_waiting": Rule(roles(Role.ADMINISTRATOR)),
    "events_mail": Rule(roles(Role.ADMINISTRATOR)),
    "event_subscriptions": Rule(roles(Role.ADMINISTRATOR)),
    "event_subscription_new": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"target": "notice"}),
    "event_subscription": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "event_subscription_enabled": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "event_subscription_archive": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_endpoints": Rule(roles(Role.ADMINISTRATOR)),
    "webhook_endpoint_new": Rule(roles(Role.ADMINISTRATOR)),
    "webhook_deliveries": Rule(roles(Role.ADMINISTRATOR)),
    "webhook_replay_many": Rule(roles(Role.ADMINISTRATOR)),
    "webhook_delivery": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_delivery_replay": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_endpoint": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_endpoint_edit": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_endpoint_replay": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "webhook_endpoint_do": Rule(
        roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999, "what": "test"}, good=OWN
    ),
    "events_replay_many": Rule(roles(Role.ADMINISTRATOR)),
    "event_delivery": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "event_replay": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "event_skip": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "styleguide": Rule(STAFF),
    "table_settings": Rule(STAFF, kwargs=lambda _world: {"name": "none"}, good=OWN),
    "table_columns": Rule(STAFF, kwargs=lambda _world: {"name": "none"}, good=OWN),
    "table_view_save": Rule(STAFF, kwargs=lambda _world: {"name": "none"}, good=OWN),
    "table_view_default": Rule(STAFF, kwargs=lambda _world: {"name": "none"}, good=OWN),
    "table_density": Rule(STAFF),
    "table_peek": Rule(STAFF, kwargs=lambda _world: {"name": "none", "pk": 999_999}, good=OWN),
    "table_move": Rule(STAFF, kwargs=lambda _world: {"name": "none", "pk": 999_999}, good=OWN),
    "table_view_delete": Rule(STAFF, kwargs=lambda _world: {"name": "none", "pk": 999_999}, good=OWN),
}


def _account(_world: Any) -> dict[str, Any]:
    """Any account: whoever does not reach its client gets a 404."""
    from trading.models import TradingAccount

    found = TradingAccount.objects.filter(state="open").order_by("pk").values_list("pk", flat=True).first()
    return {"account_id": found or 999_999}


def _any_client(name: str) -> Callable[[Any], dict[str, Any]]:
    def kwargs(_world: Any) -> dict[str, Any]:
        from clients.models import Client

        return {name: Client.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}

    return kwargs


SEES_TRADES: Final = STAFF - {"kyc_officer", "marketing"}
OPENS_ACCOUNTS: Final = roles(Role.RETENTION, Role.DESK_HEAD, Role.SUPPORT, Role.ADMINISTRATOR)
IMPORTS_ACCOUNTS: Final = roles(Role.SUPPORT, Role.ADMINISTRATOR)
DECIDES_REQUESTS: Final = roles(Role.DESK_HEAD, Role.SUPPORT, Role.ADMINISTRATOR)
WATCHES_PLATFORMS: Final = roles(Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)

# Trading: accounts, deals, platform health. Accounts of clients out of reach answer 404.
TABLE |= {
    "trading_accounts": Rule(STAFF - {"marketing"}),
    "trading_account": Rule(STAFF - {"marketing"}, kwargs=_account, good=OWN),
    "trading_account_results": Rule(STAFF - {"marketing"}, kwargs=_account, good=OWN),
    "trading_account_deals": Rule(SEES_TRADES, kwargs=_account, good=OWN),
    "trading_leverage": Rule(OPENS_ACCOUNTS - {"retention"}, kwargs=_account, good=OWN),
    "trading_password": Rule(roles(Role.SUPPORT), kwargs=_account, good=OWN),
    "trading_retry": Rule(OPENS_ACCOUNTS, kwargs=_account, good=OWN),
    "trading_attach": Rule(OPENS_ACCOUNTS, kwargs=_account, good=OWN),
    "trading_login": Rule(OPENS_ACCOUNTS, kwargs=lambda _world: {"proposal_id": 999_999}, good=OWN),
    "trading_archive": Rule(DECIDES_REQUESTS, kwargs=_account, good=OWN),
    "trading_restore": Rule(DECIDES_REQUESTS, kwargs=_account, good=OWN),
    "trading_open_account": Rule(OPENS_ACCOUNTS, kwargs=_any_client("client_id"), good=OWN),
    "trading_deals": Rule(SEES_TRADES),
    "trading_exposure": Rule(SEES_TRADES),
    "trading_dealing": Rule(SEES_TRADES),
    "trading_holders": Rule(SEES_TRADES, kwargs=lambda _world: {"symbol": "EURUSD"}),
    "trading_margin": Rule(SEES_TRADES),
    "trading_margin_policies": Rule(roles(Role.ADMINISTRATOR)),
    "trading_margin_policy": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"code": "meridian"}, good=OWN),
    "trading_health": Rule(WATCHES_PLATFORMS),
    "trading_operation": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"operation_id": 999_999}, good=OWN),
    "trading_requests": Rule(DECIDES_REQUESTS),
    "trading_request": Rule(DECIDES_REQUESTS, kwargs=lambda _world: {"request_id": 999_999}, good=OWN),
    "trading_request_act": Rule(
        DECIDES_REQUESTS, kwargs=lambda _world: {"request_id": 999_999, "act": "claim"}, good=OWN
    ),
    "trading_imports": Rule(IMPORTS_ACCOUNTS),
    "trading_import_new": Rule(IMPORTS_ACCOUNTS),
    "trading_import": Rule(IMPORTS_ACCOUNTS, kwargs=lambda _world: {"import_id": 999_999}, good=OWN),
    "trading_import_act": Rule(
        IMPORTS_ACCOUNTS, kwargs=lambda _world: {"import_id": 999_999, "act": "match"}, good=OWN
    ),
    "trading_staged": Rule(IMPORTS_ACCOUNTS, kwargs=lambda _world: {"row_id": 999_999}, good=OWN),
    "trading_staged_act": Rule(IMPORTS_ACCOUNTS, kwargs=lambda _world: {"row_id": 999_999, "act": "later"}, good=OWN),
    "trading_types": Rule(roles(Role.ADMINISTRATOR, Role.MLRO, Role.AUDITOR)),
    "trading_type_new": Rule(roles(Role.ADMINISTRATOR)),
    "trading_type": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"type_id": 999_999}, good=OWN),
    "trading_caps": Rule(roles(Role.ADMINISTRATOR, Role.MLRO, Role.AUDITOR)),
    "trading_caps_above": Rule(roles(Role.ADMINISTRATOR, Role.MLRO, Role.AUDITOR)),
    "trading_caps_put_right": Rule(roles(Role.MLRO)),
    "trading_cap_end": Rule(roles(Role.MLRO), kwargs=lambda _world: {"line_id": 999_999}, good=OWN),
    "trading_servers": Rule(roles(Role.ADMINISTRATOR)),
    "trading_server_new": Rule(roles(Role.ADMINISTRATOR)),
    "trading_server": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"server_id": 999_999}, good=OWN),
    "trading_server_address": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"change_id": 999_999}, good=OWN),
    "trading_server_try": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"server_id": 999_999}, good=OWN),
    "trading_unknown_deals": Rule(WATCHES_PLATFORMS),
    "trading_deal": Rule(SEES_TRADES, kwargs=lambda _world: {"server_id": 999_999, "ticket": 1}, good=OWN),
    "trading_symbols": Rule(WATCHES_PLATFORMS | roles(Role.IB_MANAGER)),
    "trading_symbols_confirm": Rule(roles(Role.FINANCE, Role.ADMINISTRATOR)),
    "trading_symbol": Rule(
        WATCHES_PLATFORMS | roles(Role.IB_MANAGER), kwargs=lambda _world: {"info_id": 999_999}, good=OWN
    ),
    "trading_symbol_leave_out": Rule(
        roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=lambda _world: {"info_id": 999_999}, good=OWN
    ),
    "trading_symbol_correct": Rule(
        roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=lambda _world: {"info_id": 999_999}, good=OWN
    ),
    "trading_breaks": Rule(WATCHES_PLATFORMS),
    "trading_break": Rule(WATCHES_PLATFORMS, kwargs=lambda _world: {"break_id": 999_999}, good=OWN),
    "trading_break_fetch": Rule(
        roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=lambda _world: {"break_id": 999_999}, good=OWN
    ),
    "trading_server_steps": Rule(WATCHES_PLATFORMS, kwargs=lambda _world: {"server_id": 999_999}, good=OWN),
    "trading_backfill_act": Rule(
        roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"backfill_id": 999_999, "act": "drop"}, good=OWN
    ),
    "trading_issue_close": Rule(
        roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=lambda _world: {"issue_id": 999_999}, good=OWN
    ),
}

# Signing in and one's own security (allauth's pages have their own tests), staff and grants.
MANAGE_STAFF: Final = roles(Role.ADMINISTRATOR)
SOMEBODY = lambda world: {"pk": world.people["agent"].pk}  # noqa: E731
TABLE |= {
    "security": Rule(EVERYONE_SIGNED_IN),
    "second_factor_setup": Rule(EVERYONE_SIGNED_IN),
    "brand_logo": Rule(PUBLIC, kwargs=lambda _world: {"code": "meridian"}),
    "brand_picture": Rule(PUBLIC, kwargs=lambda _world: {"code": "meridian"}),
    "setup_guide": Rule(roles(Role.ADMINISTRATOR)),
    "policies": Rule(roles(Role.ADMINISTRATOR, Role.FINANCE, Role.MLRO), good=(302,)),
    "brand_policies": Rule(roles(Role.ADMINISTRATOR, Role.FINANCE, Role.MLRO), kwargs=lambda world: _a_brand(world)),
    "policy": Rule(
        roles(Role.ADMINISTRATOR, Role.FINANCE, Role.MLRO),
        kwargs=lambda world: {**_a_brand(world), "key": "minimum_age"},
    ),
    "legal_entities": Rule(MANAGE_STAFF),
    "legal_entity_new": Rule(MANAGE_STAFF),
    "brands": Rule(MANAGE_STAFF),
    "brand_new": Rule(MANAGE_STAFF),
    "desks": Rule(MANAGE_STAFF),
    "desk_new": Rule(MANAGE_STAFF),
    "books": Rule(MANAGE_STAFF),
    "book_new": Rule(MANAGE_STAFF),
    "legal_entity": Rule(MANAGE_STAFF, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "brand": Rule(MANAGE_STAFF, kwargs=lambda world: {"pk": _a_brand(world)["brand_id"]}),
    "desk": Rule(MANAGE_STAFF, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "book": Rule(MANAGE_STAFF, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "company_archive": Rule(MANAGE_STAFF, kwargs=lambda _world: {"kind": "desk", "pk": 999_999}, good=OWN),
    "custom_fields": Rule(MANAGE_STAFF, good=(302,)),
    "brand_custom_fields": Rule(MANAGE_STAFF, kwargs=lambda world: _a_brand(world)),
    "custom_field_new": Rule(MANAGE_STAFF, kwargs=lambda world: _a_brand(world)),
    "custom_field": Rule(MANAGE_STAFF, kwargs=lambda _world: {"field_id": 999_999}, good=OWN),
    "custom_field_do": Rule(MANAGE_STAFF, kwargs=lambda _world: {"field_id": 999_999, "action": "up"}, good=OWN),
    "country_rules": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), good=(302,)),
    "brand_countries": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world)),
    "brand_countries_change": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world)),
    "brand_country": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: {**_a_brand(world), "slug": "DE"}),
    "exemptions": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "brand_look": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda world: _a_brand(world), good=OWN),
    "staff": Rule(MANAGE_STAFF),
    "staff_invite": Rule(MANAGE_STAFF),
    "staff_grants": Rule(MANAGE_STAFF),
    "staff_grant": Rule(MANAGE_STAFF, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "staff_member": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_dates": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_ask_grant": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_take": Rule(MANAGE_STAFF, kwargs=lambda world: {**SOMEBODY(world), "kind": "role", "key": "agent"}),
    "staff_switch": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_reset_factor": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_end_sessions": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "staff_invite_again": Rule(MANAGE_STAFF, kwargs=SOMEBODY),
    "versions": Rule(
        roles(Role.ADMINISTRATOR, Role.AUDITOR, Role.MLRO),
        kwargs=lambda world: {"model": "brand", "pk": world.brand.pk},
    ),
    "explain_access": Rule(roles(Role.ADMINISTRATOR, Role.AUDITOR, Role.MLRO, Role.DESK_HEAD)),
    "api_tokens": Rule(USES_API),
    "api_token_new": Rule(USES_API),
    "api_token": Rule(USES_API, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "api_token_rotate": Rule(USES_API, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "api_token_revoke": Rule(USES_API, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "service_accounts": Rule(roles(Role.ADMINISTRATOR)),
    "service_account_new": Rule(roles(Role.ADMINISTRATOR)),
    "service_account": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "service_account_switch": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"pk": 999_999}, good=OWN),
}

# What strangers see of leads.
TABLE |= {
    "landing": Rule(PUBLIC, kwargs=lambda _world: {"brand_code": "meridian", "slug": "start"}),
    # Nothing to show while the brand names no site.
    "landing_embedded": Rule(PUBLIC, kwargs=lambda _world: {"brand_code": "meridian", "slug": "start"}, good=(404,)),
    "landing_thanks": Rule(PUBLIC, kwargs=lambda _world: {"brand_code": "meridian", "slug": "start", "language": "de"}),
    "registration_link": Rule(PUBLIC, kwargs=lambda _world: {"token": "forged"}, good=(302, 410)),
    "first_administrators": Rule(PUBLIC, kwargs=lambda _world: {"token": "forged"}, good=(410,)),
    # The API: the schema is public; every other route asks for a key.
    "api:openapi-json": Rule(PUBLIC),
    "api_docs": Rule(PUBLIC),
    "api:api-root": Rule(NOBODY, good=(404,)),
    "api:add_lead": Rule(NOBODY),
    "api:me": Rule(NOBODY),
    "api:list_client_facts": Rule(NOBODY),
    "api:read_ledger_balances": Rule(NOBODY),
    "api:read_partner_funnel": Rule(NOBODY),
    "api:send_document": Rule(NOBODY),
    "api:hooks": Rule(NOBODY),
    "api:subscribe": Rule(NOBODY),
    "api:unsubscribe": Rule(NOBODY, kwargs=lambda _world: {"hook_id": 999_999}),
    # A sign-in: it asks for client id and secret.
    "api:access_token": Rule(PUBLIC, good=(405,)),
}

# Sessions open no resource of the API: tokens do, and tests/crm/api tries them with every scope and right.
TABLE |= {f"api:list_{one.name.replace('-', '_')}": Rule(NOBODY) for one in RESOURCES.values()}
TABLE |= {
    f"api:read_{one.noun.replace(' ', '_')}": Rule(NOBODY, kwargs=lambda _world: {"id": 999_999})
    for one in RESOURCES.values()
}

TABLE |= {
    f"api:{name}": Rule(NOBODY)
    for name in (
        "create_note",
        "create_call",
        "create_task",
        "create_lead",
        "create_ticket",
        "create_trading_account",
        "create_withdrawal",
        "create_many_notes",
        "create_many_calls",
        "create_many_tasks",
        "create_many_leads",
    )
}
TABLE |= {
    f"api:{name}": Rule(NOBODY, kwargs=lambda _world: {"id": 999_999})
    for name in ("complete_task", "set_sales_status", "reply_to_ticket")
}

# The client portal and its doors.
BRAND_CODE = lambda _world: {"brand": "meridian"}  # noqa: E731
TABLE |= {
    "demo_mail": Rule(NOBODY),
    "demo_letter": Rule(NOBODY, kwargs=lambda _world: {"key": "0"}),
    "portal_brands": Rule(PUBLIC),
    "portal_brand": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_login": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_partner_login": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_register": Rule(PUBLIC),
    "portal_register_at": Rule(PUBLIC, kwargs=BRAND_CODE),
    "partner_apply": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_registered": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_confirm_email": Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "token": "x"}, good=(410,)),
    "portal_confirm_again": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_forgotten": Rule(PUBLIC, kwargs=BRAND_CODE),
    "portal_choose_password": Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "token": "x"}, good=(410,)),
    "portal_legal": Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "kind": "terms"}),
    "portal": Rule(CLIENT),
    "portal_activity": Rule(CLIENT),
    "portal_chat": Rule(CLIENT),
    "portal_chat_write": Rule(CLIENT),
    "portal_chat_end": Rule(CLIENT),
    "portal_chat_earlier": Rule(CLIENT, kwargs=lambda _world: {"chat_id": 999_999}, good=OWN),
    "portal_security": Rule(CLIENT),
    "portal_profile": Rule(CLIENT),
    "portal_marketing": Rule(CLIENT),
    "texts": Rule(WRITES_TEXTS, good=(302,)),
    "brand_texts": Rule(WRITES_TEXTS, kwargs=lambda world: _a_brand(world)),
    "brand_text": Rule(WRITES_TEXTS, kwargs=lambda world: {**_a_brand(world), "key": "kyc.verified"}),
    "text_preview": Rule(WRITES_TEXTS, kwargs=lambda world: {**_a_brand(world), "key": "kyc.verified"}),
    "text_frame": Rule(WRITES_TEXTS, kwargs=lambda _world: {"token": "none"}, good=OWN),
    "text_proposal": Rule(
        WRITES_TEXTS, kwargs=lambda world: {**_a_brand(world), "key": "kyc.verified", "pk": 999_999}, good=OWN
    ),
    "text_version": Rule(
        WRITES_TEXTS, kwargs=lambda world: {**_a_brand(world), "key": "kyc.verified", "number": 1}, good=OWN
    ),
    "portal_consents": Rule(CLIENT, good=(302,)),
    "portal_consent": Rule(CLIENT, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "portal_details": Rule(CLIENT),
    "portal_tickets": Rule(CLIENT),
    "portal_ticket_new": Rule(CLIENT),
    "portal_ticket": Rule(CLIENT, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "portal_ticket_reply": Rule(CLIENT, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "portal_ticket_change": Rule(CLIENT, kwargs=lambda _world: {"ticket_id": 999_999, "act": "solve"}, good=OWN),
    "portal_ticket_file": Rule(CLIENT, kwargs=lambda _world: {"file_id": 999_999}, good=OWN),
    "portal_category": Rule(CLIENT),
    "portal_category_evidence": Rule(CLIENT),
    "portal_category_change": Rule(CLIENT, kwargs=lambda _world: {"act": "retail"}),
    "portal_questionnaires": Rule(CLIENT),
    "portal_questionnaire": Rule(CLIENT, kwargs=lambda _world: {"questionnaire_id": 999_999}, good=OWN),
    "portal_questionnaire_save": Rule(CLIENT, kwargs=lambda _world: {"questionnaire_id": 999_999}, good=OWN),
    "portal_answers": Rule(CLIENT, kwargs=lambda _world: {"submission_id": 999_999}, good=OWN),
    "portal_partner": Rule(CLIENT),
    "portal_partner_company": Rule(CLIENT, good=(302,)),
    "portal_company": Rule(CLIENT, good=(302,)),
    "portal_company_details": Rule(CLIENT),
    "portal_company_person_new": Rule(CLIENT, good=OWN),
    "portal_company_person": Rule(CLIENT, kwargs=lambda _world: {"link_id": 999_999}, good=OWN),
    "portal_company_person_remove": Rule(CLIENT, kwargs=lambda _world: {"link_id": 999_999}, good=OWN),
    "portal_company_holding": Rule(CLIENT, good=OWN),
    "portal_company_holding_remove": Rule(CLIENT, kwargs=lambda _world: {"holding_id": 999_999}, good=OWN),
    "portal_documents": Rule(CLIENT),
    "portal_verification": Rule(CLIENT, good=(302,)),
    "portal_verification_start": Rule(CLIENT),
    "portal_verification_go": Rule(CLIENT, good=(302,)),
    "portal_verification_back": Rule(CLIENT, good=(302,)),
    "portal_upload_choose": Rule(CLIENT, kwargs=lambda _world: {"proof": "identity"}),
    **{
        name: Rule(CLIENT, kwargs=lambda _world: {"draft_id": 999_999}, good=OWN)
        for name in (
            "portal_upload",
            "portal_upload_pages",
            "portal_upload_send",
            "portal_upload_discard",
            "portal_upload_phone",
        )
    },
    **{
        name: Rule(CLIENT, kwargs=lambda _world: {"draft_id": 999_999, "page_id": 999_999}, good=OWN)
        for name in ("portal_upload_page", "portal_upload_change", "portal_upload_preview")
    },
    # Whoever has a code's secret or the phone's cookie; everybody else reads that the code isn't valid.
    "phone_upload": Rule(PUBLIC, kwargs=BRAND_CODE, good=(410,)),
    "phone_upload_open": Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "token": "x"}, good=(410,)),
    **{name: Rule(PUBLIC, kwargs=BRAND_CODE, good=(405,)) for name in ("phone_upload_pages", "phone_upload_send")},
    **{
        name: Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "page_id": 999_999}, good=good)
        for name, good in (("phone_upload_page", (410,)), ("phone_upload_change", (405,)))
    },
    "portal_wallet": Rule(CLIENT),
    "portal_deposit": Rule(CLIENT),
    "portal_withdraw": Rule(CLIENT),
    "portal_transfer": Rule(CLIENT),
    "portal_exchange": Rule(CLIENT),
    "portal_history": Rule(CLIENT),
    "portal_statement": Rule(CLIENT),
    "portal_wallet_documents": Rule(CLIENT),
    "portal_wallet_document": Rule(CLIENT, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
    "portal_receipt": Rule(CLIENT, kwargs=lambda _world: {"reference": "D-NONE"}, good=OWN),
    "portal_movement": Rule(CLIENT, kwargs=lambda _world: {"reference": "D-NONE"}, good=OWN),
    "portal_pay": Rule(CLIENT, kwargs=lambda _world: {"reference": "D-NONE"}, good=OWN),
    "portal_cancel_withdrawal": Rule(CLIENT, kwargs=lambda _world: {"reference": "W-NONE"}, good=OWN),
    "portal_accounts": Rule(CLIENT),
    "portal_challenges": Rule(CLIENT),
    "portal_leaderboard": Rule(CLIENT),
    "portal_challenge_buy": Rule(CLIENT, kwargs=lambda _world: {"size_id": 999_999}, good=OWN),
    "portal_challenge_reset": Rule(CLIENT, kwargs=lambda _world: {"phase_account_id": 999_999}, good=(405,)),
    "portal_certificate_pdf": Rule(CLIENT, kwargs=lambda _world: {"number": "AAAA"}, good=(405,)),
    "portal_certificate_name": Rule(CLIENT, kwargs=lambda _world: {"number": "AAAA"}, good=(405,)),
    "certificate": Rule(PUBLIC, kwargs=lambda _world: {"brand": "meridian", "number": "AAAA"}, good=(404,)),
    "portal_challenge_appeal": Rule(CLIENT, kwargs=lambda _world: {"challenge_id": 999_999}, good=OWN),
    "portal_challenge_evidence": Rule(CLIENT, kwargs=lambda _world: {"challenge_id": 999_999}, good=OWN),
    "portal_challenge_merge": Rule(CLIENT, kwargs=lambda _world: {"challenge_id": 999_999}, good=(405,)),
    "portal_challenge_payout": Rule(CLIENT, kwargs=lambda _world: {"challenge_id": 999_999}, good=(405,)),
    "portal_challenge": Rule(CLIENT, kwargs=lambda _world: {"challenge_id": 999_999}, good=OWN),
    "portal_open_account": Rule(CLIENT),
    "portal_account": Rule(CLIENT, kwargs=lambda _world: {"account_id": 999_999}, good=OWN),
    "portal_account_password": Rule(CLIENT, kwargs=lambda _world: {"account_id": 999_999}, good=OWN),
    "portal_account_ask": Rule(CLIENT, kwargs=lambda _world: {"account_id": 999_999, "kind": "leverage"}, good=OWN),
    "portal_account_withdraw_request": Rule(
        CLIENT, kwargs=lambda _world: {"account_id": 999_999, "request_id": 999_999}, good=OWN
    ),
}


def _money(model: str, name: str = "pk") -> Callable[[Any], dict[str, Any]]:
    """Any row of the wallet: whoever does not reach its client or brand gets a 404."""

    def kwargs(_world: Any) -> dict[str, Any]:
        from django.apps import apps

        return {
            name: apps.get_model("wallet", model).objects.order_by("pk").values_list("pk", flat=True).first() or 999_999
        }

    return kwargs


def _a_brand(_world: Any) -> dict[str, Any]:
    from crm.models import Brand

    found = Brand.objects.order_by("pk").values_list("pk", flat=True).first()
    return {"brand_id": found or 999_999}


def _a_method(_world: Any) -> dict[str, Any]:
    from wallet.models import PaymentMethod

    found = PaymentMethod.objects.order_by("pk").values_list("psp_id", "pk").first() or (999_999, 999_999)
    return dict(zip(("pk", "method_id"), found, strict=True))


# Money. Movements of clients out of reach answer 404, and so do accounts and PSPs of brands out of reach.
SEES_MONEY: Final = STAFF - {"marketing", "ib_manager"}
SEES_BOOKS: Final = roles(Role.FINANCE, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR)
DECIDES_MONEY: Final = roles(Role.FINANCE)
GIVES_BONUSES: Final = roles(Role.FINANCE, Role.RETENTION, Role.DESK_HEAD)
SETS_UP_PSPS: Final = roles(Role.FINANCE, Role.ADMINISTRATOR)
TABLE |= {
    "wallet:psp_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "northpay"}),
    "wallet:deposits": Rule(SEES_MONEY | {"ib_manager"}),
    "wallet:deposit": Rule(SEES_MONEY | {"ib_manager"}, kwargs=_money("Deposit", "deposit_id"), good=OWN),
    "wallet:withdrawal_queue": Rule(SEES_MONEY),
    "wallet:withdrawals": Rule(SEES_MONEY),
    "wallet:withdrawal": Rule(SEES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:withdrawal_approve": Rule(DECIDES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:withdrawal_reject": Rule(DECIDES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:withdrawal_batch": Rule(DECIDES_MONEY),
    "wallet:withdrawal_batch_confirm": Rule(DECIDES_MONEY),
    "wallet:withdrawal_batch_result": Rule(DECIDES_MONEY, kwargs=_money("ApprovalBatch"), good=OWN),
    "wallet:refund_claim_back": Rule(DECIDES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:payout_finding_propose": Rule(DECIDES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:withdrawal_look_up": Rule(DECIDES_MONEY, kwargs=_money("Withdrawal", "withdrawal_id"), good=OWN),
    "wallet:deposit_refund": Rule(DECIDES_MONEY, kwargs=_money("Deposit", "deposit_id"), good=OWN),
    "wallet:transfers": Rule(SEES_MONEY),
    "wallet:transfer": Rule(SEES_MONEY, kwargs=_money("Transfer", "transfer_id"), good=OWN),
    "wallet:exchanges": Rule(SEES_MONEY),
    "wallet:exchange": Rule(SEES_MONEY, kwargs=_money("Exchange", "exchange_id"), good=OWN),
    "wallet:ledger": Rule(SEES_BOOKS),
    "wallet:ledger_account": Rule(SEES_BOOKS, kwargs=_money("Account"), good=OWN),
    "wallet:ledger_export": Rule(DECIDES_MONEY, kwargs=_money("Account"), good=OWN),
    "wallet:journal": Rule(SEES_BOOKS, kwargs=_money("Journal"), good=OWN),
    "wallet:neighbour": Rule(
        SEES_MONEY | {"ib_manager"}, kwargs=lambda world: {"kind": "deposit", **_money("Deposit")(world)}, good=OWN
    ),
    "wallet:cash": Rule(SEES_BOOKS),
    "wallet:rates": Rule(SEES_BOOKS),
    "wallet:rate_enter": Rule(roles(Role.FINANCE), good=OWN),
    "wallet:periods": Rule(SEES_BOOKS),
    "wallet:money_sources": Rule(SEES_BOOKS),
    "wallet:source_run": Rule(DECIDES_MONEY, good=OWN),
    "wallet:daily_fetch": Rule(DECIDES_MONEY, kwargs=_money("Psp"), good=OWN),
    "wallet:client_money_start": Rule(SEES_BOOKS),
    "wallet:client_money": Rule(SEES_BOOKS, kwargs=lambda _world: {"brand": "meridian"}),
    "wallet:client_money_compute": Rule(DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian"}, good=OWN),
    "wallet:client_money_report": Rule(DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian"}, good=OWN),
    "wallet:client_money_day": Rule(SEES_BOOKS, kwargs=lambda _world: {"brand": "meridian", "day": "2026-11-20"}),
    "wallet:client_money_again": Rule(
        DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian", "day": "2026-11-20"}, good=OWN
    ),
    "wallet:month_end_start": Rule(SEES_BOOKS),
    "wallet:month_end": Rule(SEES_BOOKS, kwargs=lambda _world: {"brand": "meridian", "month": "2026-10"}, good=OWN),
    "wallet:month_sign": Rule(DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian", "month": "2026-10"}, good=OWN),
    "wallet:month_revalue": Rule(
        DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian", "month": "2026-10"}, good=OWN
    ),
    "wallet:month_pack": Rule(DECIDES_MONEY, kwargs=lambda _world: {"brand": "meridian", "month": "2026-10"}, good=OWN),
    "wallet:signature_withdraw": Rule(DECIDES_MONEY, kwargs=_money("MonthSignOff"), good=OWN),
    "wallet:period": Rule(SEES_BOOKS, kwargs=_money("Period"), good=OWN),
    "wallet:period_close": Rule(DECIDES_MONEY, kwargs=_money("Period"), good=OWN),
    "wallet:reopening_ask": Rule(DECIDES_MONEY, kwargs=_money("Period"), good=OWN),
    "wallet:trial_balance": Rule(DECIDES_MONEY, kwargs=_money("Period"), good=OWN),
    "wallet:manual_journals": Rule(SEES_BOOKS),
    "wallet:manual_journal_new": Rule(DECIDES_MONEY),
    "wallet:account_options": Rule(DECIDES_MONEY),
    "wallet:manual_journal": Rule(SEES_BOOKS, kwargs=_money("ManualJournal"), good=OWN),
    "wallet:manual_attach": Rule(DECIDES_MONEY, kwargs=_money("ManualJournal"), good=OWN),
    "wallet:opening_balances_list": Rule(SEES_BOOKS),
    "wallet:opening_balances": Rule(SEES_BOOKS, kwargs=_money("OpeningBalances"), good=OWN),
    "wallet:manual_file": Rule(SEES_BOOKS, kwargs=_money("ManualJournalFile"), good=OWN),
    "wallet:psps": Rule(SEES_BOOKS),
    "wallet:psp": Rule(SETS_UP_PSPS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_new": Rule(SETS_UP_PSPS),
    "wallet:psp_health": Rule(SEES_BOOKS, kwargs=_money("Psp"), good=OWN),
    "wallet:report_fetch_again": Rule(DECIDES_MONEY, kwargs=_money("AnnouncedReport"), good=OWN),
    "wallet:psp_method_add": Rule(SETS_UP_PSPS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_method": Rule(SETS_UP_PSPS, kwargs=_a_method, good=OWN),
    "wallet:psp_costs": Rule(SEES_BOOKS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_cost_new": Rule(SETS_UP_PSPS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_cost_take_back": Rule(SETS_UP_PSPS, kwargs=_money("PspCost"), good=OWN),
    "wallet:psp_check": Rule(SETS_UP_PSPS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_address_propose": Rule(SETS_UP_PSPS, kwargs=_money("Psp"), good=OWN),
    "wallet:psp_address_approve": Rule(SETS_UP_PSPS, kwargs=_money("PspAddressChange"), good=OWN),
    "wallet:webhooks": Rule(SEES_BOOKS),
    "wallet:webhook": Rule(SEES_BOOKS, kwargs=_money("WebhookMessage"), good=OWN),
    "wallet:webhook_retry": Rule(SETS_UP_PSPS, kwargs=_money("WebhookMessage"), good=OWN),
    "wallet:reconciliation": Rule(SEES_BOOKS),
    "wallet:report_upload": Rule(DECIDES_MONEY),
    "wallet:report_to_confirm": Rule(SEES_BOOKS, kwargs=_money("ReportToConfirm"), good=OWN),
    "wallet:report_confirm": Rule(DECIDES_MONEY, kwargs=_money("ReportToConfirm"), good=OWN),
    "wallet:report_discard": Rule(DECIDES_MONEY, kwargs=_money("ReportToConfirm"), good=OWN),
    "wallet:report_fetch": Rule(DECIDES_MONEY),
    "wallet:breaks": Rule(SEES_BOOKS),
    "wallet:breaks_give": Rule(DECIDES_MONEY),
    "wallet:break": Rule(SEES_BOOKS, kwargs=_money("Break"), good=OWN),
    "wallet:break_settle": Rule(DECIDES_MONEY, kwargs=_money("Break"), good=OWN),
    "wallet:break_comment": Rule(DECIDES_MONEY, kwargs=_money("Break"), good=OWN),
    "wallet:break_to_bank": Rule(DECIDES_MONEY, kwargs=_money("Break"), good=OWN),
    "wallet:break_propose": Rule(DECIDES_MONEY, kwargs=_money("Break"), good=OWN),
    "wallet:break_file": Rule(SEES_BOOKS, kwargs=_money("BreakNote"), good=OWN),
    "wallet:reserves": Rule(SEES_BOOKS),
    "wallet:suggestions": Rule(SEES_BOOKS),
    "wallet:suggestion_accept": Rule(DECIDES_MONEY, kwargs=_money("Suggestion"), good=OWN),
    "wallet:suggestion_reject": Rule(DECIDES_MONEY, kwargs=_money("Suggestion"), good=OWN),
    "wallet:match_undo": Rule(DECIDES_MONEY, kwargs=_money("Match"), good=OWN),
    "wallet:ageing": Rule(SEES_BOOKS),
    "wallet:break_resolve": Rule(DECIDES_MONEY, kwargs=_money("Break"), good=OWN),
    "wallet:settlement": Rule(SEES_BOOKS, kwargs=_money("SettlementImport"), good=OWN),
    "wallet:settlement_original": Rule(SEES_BOOKS, kwargs=_money("SettlementImport"), good=OWN),
    "wallet:held": Rule(SEES_MONEY | {"ib_manager"}),
    "wallet:methods": Rule(SEES_BOOKS),
    "wallet:methods_try": Rule(SEES_BOOKS),
    "wallet:disputes": Rule(SEES_BOOKS),
    "wallet:dispute": Rule(SEES_BOOKS, kwargs=_money("Dispute"), good=OWN),
    "wallet:dispute_evidence": Rule(DECIDES_MONEY, kwargs=_money("Dispute"), good=OWN),
    "wallet:dispute_file": Rule(DECIDES_MONEY, kwargs=_money("Dispute"), good=OWN),
    "wallet:dispute_sent": Rule(DECIDES_MONEY, kwargs=_money("Dispute"), good=OWN),
    "wallet:dispute_accept": Rule(DECIDES_MONEY, kwargs=_money("Dispute"), good=OWN),
    "wallet:bonuses": Rule(SEES_MONEY),
    "wallet:bonus": Rule(SEES_MONEY, kwargs=_money("BonusGrant"), good=OWN),
    "wallet:bonus_decide": Rule(DECIDES_MONEY, kwargs=_money("BonusGrant"), good=OWN),
    "wallet:bonus_take": Rule(DECIDES_MONEY, kwargs=_money("BonusGrant"), good=OWN),
    "wallet:bonus_return_propose": Rule(GIVES_BONUSES, kwargs=_money("BonusLoss"), good=OWN),
    "wallet:bonus_plans": Rule(SEES_BOOKS),
    "wallet:bonus_plan_new": Rule(DECIDES_MONEY),
    "wallet:bonus_rule_new": Rule(DECIDES_MONEY, kwargs=_money("BonusPlan"), good=OWN),
    "wallet:bonus_plan_switch": Rule(DECIDES_MONEY, kwargs=_money("BonusPlan"), good=OWN),
    "wallet:bonus_give": Rule(GIVES_BONUSES, kwargs=_any_client("client_id"), good=OWN),
    "wallet:unverified": Rule(SEES_BOOKS | roles(Role.KYC_OFFICER)),
    "wallet:unverified_rule_new": Rule(roles(Role.MLRO)),
    "wallet:bank": Rule(SEES_BOOKS),
    "wallet:bank_upload": Rule(DECIDES_MONEY),
    "wallet:bank_entry": Rule(SEES_BOOKS, kwargs=_money("BankEntry"), good=OWN),
    "wallet:bank_mappings": Rule(SEES_BOOKS),
    "wallet:bank_table": Rule(DECIDES_MONEY, kwargs=_money("WaitingTable"), good=OWN),
    "wallet:bank_table_discard": Rule(DECIDES_MONEY, kwargs=_money("WaitingTable"), good=OWN),
    "wallet:bank_mapping_forget": Rule(DECIDES_MONEY, kwargs=_money("TableMapping"), good=OWN),
    "wallet:bank_batch_make": Rule(DECIDES_MONEY, good=OWN),
    "wallet:bank_batch_file": Rule(DECIDES_MONEY, kwargs=_money("BankBatch"), good=OWN),
    "wallet:bank_batch_sent": Rule(DECIDES_MONEY, kwargs=_money("BankBatch"), good=OWN),
    "wallet:client_statement": Rule(DECIDES_MONEY, kwargs=_any_client("client_id"), good=OWN),
    "wallet:documents": Rule(SEES_BOOKS),
    "wallet:document_prove": Rule(SEES_BOOKS),
    "wallet:document_month": Rule(DECIDES_MONEY),
    "wallet:document": Rule(SEES_BOOKS, kwargs=_money("IssuedDocument"), good=OWN),
    "wallet:document_file": Rule(SEES_BOOKS, kwargs=_money("IssuedDocument"), good=OWN),
    "wallet:deposit_receipt": Rule(DECIDES_MONEY, kwargs=_money("Deposit"), good=OWN),
    "wallet:psp_pack": Rule(DECIDES_MONEY, kwargs=_money("SettlementImport"), good=OWN),
    "wallet:letterheads": Rule(roles(Role.FINANCE, Role.ADMINISTRATOR)),
    "wallet:letterhead": Rule(roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=_a_brand, good=OWN),
    "wallet:letterhead_logo": Rule(roles(Role.FINANCE, Role.ADMINISTRATOR), kwargs=_a_brand, good=OWN),
}

# Partners: staff pages, and the partners' own.
SEES_PARTNERS: Final = roles(Role.IB_MANAGER, Role.FINANCE, Role.MLRO, Role.DESK_HEAD, Role.AUDITOR, Role.ADMINISTRATOR)
SEES_COMMISSIONS: Final = SEES_PARTNERS - roles(Role.DESK_HEAD)
MANAGES_PARTNERS: Final = roles(Role.IB_MANAGER, Role.ADMINISTRATOR)
WRITES_PLANS: Final = roles(Role.IB_MANAGER)
# Whole brands see all partners; a desk head only those they were granted, so a sample is 404 to them.
PARTNER_KEY = lambda world: {"partner_id": world.partner.pk}  # noqa: E731
MISSING_PARTNER = lambda _world: {"partner_id": 999_999}  # noqa: E731
TABLE |= {
    "ib_partners": Rule(SEES_PARTNERS),
    "ib_performance": Rule(SEES_COMMISSIONS),
    "ib_partner": Rule(SEES_COMMISSIONS, kwargs=PARTNER_KEY),
    "ib_partner_tab": Rule(SEES_COMMISSIONS, kwargs=lambda world: {**PARTNER_KEY(world), "tab": "network"}),
    "ib_partner_terms": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_freeze": Rule(roles(Role.FINANCE), kwargs=PARTNER_KEY),
    "ib_partner_branch": Rule(SEES_COMMISSIONS, kwargs=PARTNER_KEY),
    "ib_partner_new": Rule(MANAGES_PARTNERS),
    "ib_partner_move": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_plan": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_state": Rule(MANAGES_PARTNERS, kwargs=lambda world: {**PARTNER_KEY(world), "state": "blocked"}),
    "ib_partner_approve": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_reject": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_agreement": Rule(SEES_COMMISSIONS, kwargs=PARTNER_KEY, good=OWN),
    "ib_applications": Rule(SEES_PARTNERS),
    "ib_partner_leaving": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_attribute": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_wallet": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_link": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "ib_partner_invite": Rule(MANAGES_PARTNERS, kwargs=PARTNER_KEY),
    "prop_programmes": Rule(SEES_PROGRAMMES),
    "prop_programme": Rule(SEES_PROGRAMMES, kwargs=lambda _world: {"programme_id": 999_999}, good=OWN),
    "prop_programme_new": Rule(WRITES_PROGRAMMES),
    "prop_version_new": Rule(WRITES_PROGRAMMES, kwargs=lambda _world: {"programme_id": 999_999}, good=OWN),
    "prop_version_edit": Rule(WRITES_PROGRAMMES, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "prop_version_propose": Rule(WRITES_PROGRAMMES, kwargs=lambda _world: {"version_id": 999_999}, good=(405,)),
    "prop_version_retire": Rule(WRITES_PROGRAMMES, kwargs=lambda _world: {"version_id": 999_999}, good=(405,)),
    "prop_version_file": Rule(SEES_PROGRAMMES, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "prop_version_try": Rule(SEES_PROGRAMMES, kwargs=lambda _world: {"version_id": 999_999}, good=(405,)),
    "prop_trial": Rule(SEES_PROGRAMMES, kwargs=lambda _world: {"trial_id": 999_999}, good=OWN),
    "prop_economics": Rule(SEES_PROGRAMMES),
    "prop_coupons": Rule(WRITES_PROGRAMMES),
    "prop_challenges": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_challenge": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"challenge_id": 999_999}, good=OWN
    ),
    "prop_breaches": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_breach_evidence": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"breach_id": 999_999}, good=OWN
    ),
    "prop_ending_evidence": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"ending_id": 999_999}, good=OWN
    ),
    "prop_appeals": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_appeal": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"appeal_id": 999_999}, good=OWN
    ),
    "prop_pause": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"pause_id": 999_999}, good=OWN),
    "prop_merges": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_merge": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"merge_id": 999_999}, good=OWN),
    "prop_merge_new": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"challenge_id": 999_999}, good=(405,)
    ),
    "prop_news": Rule(SEES_PROGRAMMES),
    "prop_news_remove": Rule(WRITES_PROGRAMMES, kwargs=lambda _world: {"release_id": 999_999}, good=(405,)),
    "prop_leaderboard": Rule(SEES_PROGRAMMES),
    "prop_corrections": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_correction": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"correction_id": 999_999}, good=OWN
    ),
    "prop_growths": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_growth": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"growth_id": 999_999}, good=OWN
    ),
    "prop_payouts": Rule(SEES_PROGRAMMES | roles(Role.DESK_HEAD)),
    "prop_payout": Rule(
        SEES_PROGRAMMES | roles(Role.DESK_HEAD), kwargs=lambda _world: {"payout_id": 999_999}, good=OWN
    ),
    "ib_plans": Rule(SEES_COMMISSIONS),
    "ib_plan": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"plan_id": 999_999}, good=OWN),
    "ib_plan_new": Rule(WRITES_PLANS),
    "ib_plan_entry": Rule(WRITES_PLANS, kwargs=lambda _world: {"plan_id": 999_999}, good=OWN),
    "ib_plan_open": Rule(WRITES_PLANS, kwargs=lambda _world: {"plan_id": 999_999}, good=(405,)),
    "ib_version_new": Rule(WRITES_PLANS, kwargs=lambda _world: {"plan_id": 999_999}, good=OWN),
    "ib_version_change": Rule(WRITES_PLANS, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "ib_version_decide": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "ib_version_file": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "ib_version_upload": Rule(WRITES_PLANS, kwargs=lambda _world: {"plan_id": 999_999}, good=OWN),
    "ib_what_if_new": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "ib_what_if": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"what_if_id": 999_999}, good=OWN),
    "ib_accruals": Rule(SEES_COMMISSIONS),
    "ib_exclusions": Rule(SEES_COMMISSIONS),
    "ib_accrual": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"accrual_id": 999_999}, good=OWN),
    "ib_runs": Rule(SEES_COMMISSIONS),
    "ib_replays": Rule(SEES_COMMISSIONS),
    "ib_replay_new": Rule(WRITES_PLANS),
    "ib_replay": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"replay_id": 999_999}, good=OWN),
    "ib_replay_propose": Rule(WRITES_PLANS, kwargs=lambda _world: {"replay_id": 999_999}, good=(405,)),
    "ib_replay_discard": Rule(WRITES_PLANS, kwargs=lambda _world: {"replay_id": 999_999}, good=(405,)),
    "ib_periods": Rule(SEES_COMMISSIONS),
    "ib_period": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"period_id": 999_999}, good=OWN),
    "ib_settle": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"period_id": 999_999}, good=OWN),
    "ib_settle_now": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"brand_id": 999_999}, good=(405,)),
    "ib_hold": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"accrual_id": 999_999}, good=OWN),
    "ib_verdict": Rule(MANAGES_PARTNERS, kwargs=lambda _world: {"client_id": 999_999}, good=OWN),
    "ib_disputes": Rule(SEES_COMMISSIONS),
    "ib_abuse": Rule(SEES_PARTNERS),
    "ib_abuse_review": Rule(SEES_PARTNERS, kwargs=lambda _world: {"review_id": 999_999}, good=OWN),
    "ib_abuse_confirm": Rule(MANAGES_PARTNERS, kwargs=lambda _world: {"review_id": 999_999}, good=(405,)),
    "ib_abuse_release": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"review_id": 999_999}, good=(405,)),
    "ib_materials": Rule(SEES_PARTNERS),
    "ib_material_new": Rule(MANAGES_PARTNERS),
    "ib_material": Rule(SEES_PARTNERS, kwargs=lambda _world: {"banner_id": 999_999}, good=OWN),
    "ib_material_switch": Rule(MANAGES_PARTNERS, kwargs=lambda _world: {"banner_id": 999_999}, good=(405,)),
    "ib_material_picture": Rule(SEES_PARTNERS, kwargs=lambda _world: {"banner_id": 999_999}, good=OWN),
    "ib_news": Rule(SEES_PARTNERS),
    "ib_news_new": Rule(MANAGES_PARTNERS),
    "ib_news_item": Rule(SEES_PARTNERS, kwargs=lambda _world: {"news_id": 999_999}, good=OWN),
    "ib_news_withdraw": Rule(MANAGES_PARTNERS, kwargs=lambda _world: {"news_id": 999_999}, good=(405,)),
    "ib_tasks": Rule(SEES_PARTNERS),
    "ib_task_new": Rule(MANAGES_PARTNERS, good=(302,)),
    "ib_task": Rule(SEES_PARTNERS, kwargs=lambda _world: {"task_id": 999_999}, good=OWN),
    "ib_task_complete": Rule(SEES_PARTNERS, kwargs=lambda _world: {"task_id": 999_999}, good=(405,)),
    "partner_materials": Rule(PARTNER_TEAM),
    "partner_material_picture": Rule(PARTNER_TEAM, kwargs=lambda _world: {"banner_id": 999_999}, good=OWN),
    "referral_banner": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody", "banner_id": 1}, good=(404,)),
    "ib_claims": Rule(SEES_PARTNERS),
    "ib_claim": Rule(SEES_PARTNERS, kwargs=lambda _world: {"claim_id": 999_999}, good=OWN),
    "ib_claim_accept": Rule(MANAGES_PARTNERS, kwargs=lambda _world: {"claim_id": 999_999}, good=(405,)),
    "partner_claims": Rule(PARTNER_SHARES),
    "ib_postbacks": Rule(SEES_PARTNERS),
    "ib_payouts": Rule(SEES_COMMISSIONS),
    "ib_payout_retry": Rule(roles(Role.FINANCE), kwargs=lambda _world: {"automatic_id": 999_999}, good=(405,)),
    "ib_dispute": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"dispute_id": 999_999}, good=OWN),
    "ib_dispute_message": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"dispute_id": 999_999}, good=(405,)),
    "ib_dispute_adjust": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"dispute_id": 999_999}, good=(405,)),
    "partner_disputes": Rule(PARTNER_MONEY),
    "partner_dispute_page": Rule(PARTNER_MONEY, kwargs=lambda _world: {"dispute_id": 999_999}, good=OWN),
    "ib_statement": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"settlement_id": 999_999, "ending": "pdf"}, good=OWN),
    "ib_credit_note": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"note_id": 999_999}, good=OWN),
    "ib_invoice": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"settlement_id": 999_999}, good=OWN),
    "ib_settlement": Rule(SEES_COMMISSIONS, kwargs=lambda _world: {"settlement_id": 999_999}, good=OWN),
    "partner_home": Rule(PARTNER_TEAM, good=(200, 302)),  # marketing starts with the links
    "partner_network": Rule(PARTNER_MONEY),
    "partner_tokens": Rule(PARTNER_PAYS | PARTNER_SHARES),
    "partner_token_new": Rule(PARTNER_PAYS | PARTNER_SHARES),
    "partner_token_rotate": Rule(PARTNER_PAYS | PARTNER_SHARES, kwargs=lambda _world: {"token_id": 999_999}, good=OWN),
    "partner_token_revoke": Rule(PARTNER_PAYS | PARTNER_SHARES, kwargs=lambda _world: {"token_id": 999_999}, good=OWN),
    "partner_sub_plans": Rule(PARTNER_MONEY),
    "partner_offer_withdraw": Rule(PARTNER, kwargs=lambda _world: {"offer_id": 999_999}, good=(405,)),
    "partner_network_list": Rule(PARTNER_MONEY),
    "partner_branch": Rule(PARTNER_MONEY, kwargs=MISSING_PARTNER, good=OWN),
    "partner_clients": Rule(PARTNER_TEAM),
    "partner_earnings": Rule(PARTNER_MONEY),
    "partner_trade": Rule(PARTNER_MONEY, kwargs=lambda _world: {"accrual_id": 999_999}, good=OWN),
    "partner_dispute": Rule(PARTNER_PAYS, kwargs=lambda _world: {"accrual_id": 999_999}, good=(405,)),
    "partner_settlement": Rule(PARTNER_MONEY, kwargs=lambda _world: {"settlement_id": 999_999}, good=OWN),
    "partner_links": Rule(PARTNER_TEAM),
    "partner_sources": Rule(PARTNER_TEAM),
    "partner_link_switch": Rule(PARTNER_SHARES, kwargs=lambda _world: {"link_id": 999_999}, good=OWN),
    "partner_link_share": Rule(PARTNER_TEAM, kwargs=lambda _world: {"link_id": 999_999}, good=OWN),
    "partner_link_qr": Rule(PARTNER_TEAM, kwargs=lambda _world: {"link_id": 999_999, "ending": "svg"}, good=OWN),
    "partner_payouts": Rule(PARTNER_MONEY),
    "partner_missing_deal": Rule(PARTNER_PAYS),
    "partner_payout_target": Rule(PARTNER_PAYS),
    "partner_payout_withdraw": Rule(PARTNER_PAYS, kwargs=lambda _world: {"request_id": 999_999}, good=(405,)),
    "partner_credit_note": Rule(PARTNER_MONEY, kwargs=lambda _world: {"note_id": 999_999}, good=OWN),
    "partner_agreement": Rule(PARTNER_MONEY, good=OWN),
    "partner_invoice": Rule(PARTNER_MONEY, kwargs=lambda _world: {"settlement_id": 999_999}, good=OWN),
    "partner_statement": Rule(
        PARTNER_MONEY, kwargs=lambda _world: {"settlement_id": 999_999, "ending": "pdf"}, good=OWN
    ),
    "partner_open_statement": Rule(PARTNER_MONEY, kwargs=lambda _world: {"ending": "csv"}),
    "partner_team": Rule(PARTNER),
    "partner_team_role": Rule(PARTNER, kwargs=lambda _world: {"member_id": 999_999}, good=(405,)),
    "partner_team_remove": Rule(PARTNER, kwargs=lambda _world: {"member_id": 999_999}, good=(405,)),
    "partner_team_invite": Rule(PARTNER, kwargs=lambda _world: {"member_id": 999_999}, good=(405,)),
    "partner_postbacks": Rule(PARTNER_SHARES),
    "partner_postback_new": Rule(PARTNER_SHARES),
    "partner_postback": Rule(PARTNER_SHARES, kwargs=lambda _world: {"postback_id": 999_999}, good=OWN),
    "partner_postback_act": Rule(
        PARTNER_SHARES, kwargs=lambda _world: {"postback_id": 999_999, "verb": "test"}, good=(405,)
    ),
    "partner_postback_resend": Rule(PARTNER_SHARES, kwargs=lambda _world: {"delivery_id": 999_999}, good=(405,)),
    "partner_postback_reporting": Rule(PARTNER_SHARES),
    "postback_report": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}, good=(404,)),
    "partner_join": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}, good=(302,)),
    "partner_welcome": Rule(PUBLIC, kwargs=lambda _world: {"token": "forged"}, good=(200, 302, 410)),
    "referral": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
}

# People: lists, the client's page and what is done there. Records out of reach answer 404.
WORKS_WITH_CLIENTS: Final = STAFF - {"marketing", "auditor", "administrator"}
MOVES_CLIENTS: Final = roles(Role.DESK_HEAD, Role.ADMINISTRATOR)
MERGES_CLIENTS: Final = roles(Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.ADMINISTRATOR)
KEEPS_CANNED_ANSWERS: Final = roles(Role.DESK_HEAD, Role.SUPPORT, Role.ADMINISTRATOR)
WORKS_TICKETS: Final = roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.KYC_OFFICER, Role.FINANCE, Role.SUPPORT)
SEES_TICKETS: Final = STAFF - {"marketing"}
ASSIGNS_MAIL: Final = roles(Role.SUPPORT, Role.DESK_HEAD, Role.MLRO)
MAKES_SEGMENTS: Final = roles(Role.DESK_HEAD, Role.MARKETING, Role.ADMINISTRATOR)
_person = _any_client("client_id")
_no_note = lambda _world: {"note_id": 999_999}  # noqa: E731
TABLE |= {
    "clients": Rule(STAFF),
    "clients_move": Rule(MOVES_CLIENTS),
    "client_condition": Rule(STAFF),
    "choose_client": Rule(STAFF, kwargs=lambda _world: {"slug": "client-task"}, query="?q=ann", good=OWN),
    "my_day": Rule(WORKS_WITH_CLIENTS),
    "follow_up_calendar": Rule(WORKS_WITH_CLIENTS),
    "follow_up_drop": Rule(WORKS_WITH_CLIENTS),
    "follow_up_reminder": Rule(WORKS_WITH_CLIENTS),
    "follow_up_move": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"task_id": 999_999}, good=OWN),
    "follow_up_undo": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"task_id": 999_999}, good=OWN),
    "client": Rule(STAFF, kwargs=_person, good=OWN),
    "client_tab": Rule(STAFF, kwargs=lambda world: {**_person(world), "slug": "timeline"}, good=OWN),
    "client_contact": Rule(STAFF, kwargs=_person, good=OWN),
    "client_call": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_phone": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_do_not_call": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "phone_call_link": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"call_id": 999_999}, good=OWN),
    "recording_audio": Rule(
        roles(Role.DESK_HEAD, Role.MLRO), kwargs=lambda _world: {"recording_id": 999_999}, good=OWN
    ),
    "dial_list": Rule(WORKS_WITH_CLIENTS),
    "dial_new": Rule(WORKS_WITH_CLIENTS),
    "dial_end": Rule(WORKS_WITH_CLIENTS),
    "dial_skip": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"entry_id": 999_999}, good=OWN),
    "own_phone": Rule(WORKS_WITH_CLIENTS),
    "phone_calls": Rule(WORKS_WITH_CLIENTS),
    "phone_call": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"call_id": 999_999}, good=OWN),
    "phone_call_hang_up": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"call_id": 999_999}, good=OWN),
    "phone_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
    "phone_call_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody", "reference": "0" * 32}),
    "text_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
    "text_file_link": Rule(PUBLIC, kwargs=lambda _world: {"token": "x"}, good=(404,)),
    "text_message_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody", "reference": "0" * 32}),
    "client_text": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_text_preview": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "text_threads": Rule(STAFF),
    "text_file": Rule(STAFF, kwargs=lambda _world: {"file_id": 999_999}, good=OWN),
    "text_thread": Rule(STAFF, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "text_thread_close": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "text_thread_opt_out": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"thread_id": 999_999}, good=OWN
    ),
    "text_thread_assign": Rule(
        ASSIGNS_MAIL, kwargs=lambda _world: {"thread_id": 999_999, "client_id": 999_999}, good=OWN
    ),
    "text_thread_discard": Rule(ASSIGNS_MAIL, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "unassigned_texts": Rule(ASSIGNS_MAIL),
    "text_undo": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"message_id": 999_999}, good=OWN),
    "text_services": Rule(roles(Role.ADMINISTRATOR)),
    "text_service_new": Rule(roles(Role.ADMINISTRATOR)),
    "text_service_change": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"service_id": 999_999}, good=OWN),
    "text_service_test": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"service_id": 999_999}, good=OWN),
    "text_opt_outs": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "text_events": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "text_event": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN),
    "text_event_retry": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN
    ),
    "mail_service_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
    "mail_services": Rule(roles(Role.ADMINISTRATOR)),
    "mail_service_new": Rule(roles(Role.ADMINISTRATOR)),
    "mail_service_change": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"service_id": 999_999}, good=OWN),
    "mail_service_test": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"service_id": 999_999}, good=OWN),
    "mail_events": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "mail_event": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN),
    "mail_event_retry": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN
    ),
    "chats": Rule(STAFF),
    "chat": Rule(STAFF, kwargs=lambda _world: {"chat_id": 999_999}, good=OWN),
    "chat_write": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"chat_id": 999_999}, good=OWN),
    "chat_hand_over": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"chat_id": 999_999}, good=OWN),
    "chat_do": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"chat_id": 999_999, "act": "take"}, good=OWN),
    "chat_availability": Rule(WORKS_WITH_CLIENTS),
    "canned_answers": Rule(KEEPS_CANNED_ANSWERS),
    "canned_answer_new": Rule(KEEPS_CANNED_ANSWERS),
    "canned_answer": Rule(KEEPS_CANNED_ANSWERS, kwargs=lambda _world: {"answer_id": 999_999}, good=OWN),
    "canned_answer_archive": Rule(KEEPS_CANNED_ANSWERS, kwargs=lambda _world: {"answer_id": 999_999}, good=OWN),
    "tickets": Rule(SEES_TICKETS),
    "ticket": Rule(SEES_TICKETS, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "ticket_figures": Rule(roles(Role.DESK_HEAD, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)),
    "ticket_macros": Rule(SEES_TICKETS),
    "ticket_macro_new": Rule(roles(Role.SUPPORT, Role.ADMINISTRATOR)),
    "ticket_macro": Rule(
        roles(Role.SUPPORT, Role.ADMINISTRATOR), kwargs=lambda _world: {"macro_id": 999_999}, good=OWN
    ),
    "ticket_from_thread": Rule(WORKS_TICKETS, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "ticket_from_chat": Rule(WORKS_TICKETS, kwargs=lambda _world: {"chat_id": 999_999}, good=OWN),
    "ticket_merge": Rule(WORKS_TICKETS, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "ticket_next": Rule(WORKS_TICKETS),
    "tickets_assign": Rule(roles(Role.DESK_HEAD, Role.MLRO)),
    "ticket_assign": Rule(WORKS_TICKETS, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "ticket_write": Rule(WORKS_TICKETS, kwargs=lambda _world: {"ticket_id": 999_999}, good=OWN),
    "ticket_change": Rule(WORKS_TICKETS, kwargs=lambda _world: {"ticket_id": 999_999, "act": "take"}, good=OWN),
    "ticket_file": Rule(SEES_TICKETS, kwargs=lambda _world: {"file_id": 999_999}, good=OWN),
    "client_ticket_new": Rule(WORKS_TICKETS, kwargs=lambda _world: {"client_id": 999_999}, good=OWN),
    "mail_threads": Rule(STAFF),
    "mail_thread": Rule(STAFF, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "mail_thread_close": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"thread_id": 999_999}, good=OWN),
    "unassigned_mail": Rule(ASSIGNS_MAIL),
    "incoming_mail": Rule(STAFF, kwargs=lambda _world: {"mail_id": 999_999}, good=OWN),
    "incoming_mail_frame": Rule(STAFF, kwargs=lambda _world: {"mail_id": 999_999}, good=OWN),
    "incoming_mail_assign": Rule(
        ASSIGNS_MAIL, kwargs=lambda _world: {"mail_id": 999_999, "client_id": 999_999}, good=OWN
    ),
    "incoming_mail_discard": Rule(ASSIGNS_MAIL, kwargs=lambda _world: {"mail_id": 999_999}, good=OWN),
    "mail_attachment": Rule(STAFF, kwargs=lambda _world: {"attachment_id": 999_999}, good=OWN),
    "mail_sent_file": Rule(STAFF, kwargs=lambda _world: {"file_id": 999_999}, good=OWN),
    "mail_unsubscribe": Rule(PUBLIC, kwargs=lambda _world: {"token": "x"}, good=(404,)),
    "incoming_mail_forward": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"mail_id": 999_999}, good=OWN),
    "mail_forward": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"message_id": 999_999}, good=OWN),
    "mail_undo": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"message_id": 999_999}, good=OWN),
    "mail_draft": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "mail_preview": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "suppressions": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "suppression_new": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "suppression_lift": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"suppression_id": 999_999}, good=OWN
    ),
    "mailboxes": Rule(roles(Role.ADMINISTRATOR)),
    "mailbox_new": Rule(roles(Role.ADMINISTRATOR)),
    "mailbox_change": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"mailbox_id": 999_999}, good=OWN),
    "mailbox_test": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"mailbox_id": 999_999}, good=OWN),
    "phone_exchanges": Rule(roles(Role.ADMINISTRATOR)),
    "phone_exchange_new": Rule(roles(Role.ADMINISTRATOR)),
    "phone_exchange_change": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"exchange_id": 999_999}, good=OWN),
    "phone_exchange_test": Rule(roles(Role.ADMINISTRATOR), kwargs=lambda _world: {"exchange_id": 999_999}, good=OWN),
    "phone_events": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "phone_event": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN),
    "phone_event_retry": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"event_id": 999_999}, good=OWN
    ),
    "client_note": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_task": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_mail": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "client_exemption": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=_person, good=OWN),
    "client_edit": Rule(
        roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.ADMINISTRATOR),
        kwargs=_person,
        good=OWN,
    ),
    "client_fact": Rule(
        roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.ADMINISTRATOR),
        kwargs=lambda world: {**_person(world), "slug": "language"},
        good=OWN,
    ),
    "client_custom_fields": Rule(
        roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.ADMINISTRATOR),
        kwargs=_person,
        good=OWN,
    ),
    "client_move": Rule(MOVES_CLIENTS, kwargs=_person, good=OWN),
    "client_merge_choose": Rule(MERGES_CLIENTS, kwargs=_person, good=OWN),
    "client_merge": Rule(MERGES_CLIENTS, kwargs=lambda world: {**_person(world), "other_id": 999_999}, good=OWN),
    "segments": Rule(STAFF),
    "segment": Rule(STAFF, kwargs=lambda _world: {"segment_id": 999_999}, good=OWN),
    "segment_new": Rule(MAKES_SEGMENTS),
    "segment_add": Rule(MAKES_SEGMENTS),
    "segment_edit": Rule(MAKES_SEGMENTS, kwargs=lambda _world: {"segment_id": 999_999}, good=OWN),
    "segment_do": Rule(MAKES_SEGMENTS, kwargs=lambda _world: {"segment_id": 999_999, "action": "archive"}, good=OWN),
    "client_merge_undo": Rule(MERGES_CLIENTS, kwargs=lambda _world: {"merge_id": 999_999}, good=OWN),
    "client_close": Rule(roles(Role.DESK_HEAD, Role.MLRO, Role.ADMINISTRATOR), kwargs=_person, good=OWN),
    "note_edit": Rule(WORKS_WITH_CLIENTS, kwargs=_no_note, good=OWN),
    "note_history": Rule(STAFF, kwargs=_no_note, good=OWN),
    "note_pin": Rule(WORKS_WITH_CLIENTS, kwargs=_no_note, good=OWN),
    "task_change": Rule(WORKS_WITH_CLIENTS, kwargs=lambda _world: {"task_id": 999_999}, good=OWN),
}

# Documents of clients: officers review, auditors read, nobody else opens one.
REVIEWS_DOCUMENTS: Final = roles(Role.KYC_OFFICER, Role.MLRO)
SEES_DOCUMENT_STATES: Final = STAFF - {"marketing", "ib_manager", "administrator"}
OPENS_DOCUMENTS: Final = REVIEWS_DOCUMENTS | roles(Role.AUDITOR)


def a_person_of_a_company(world: Any) -> dict[str, Any]:
    """Of a client who is none: not found."""
    return {**a_client(world), "link_id": 999_999}


def a_document(_world: Any) -> dict[str, Any]:
    from kyc.models import Document

    return {"document_id": Document.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


def a_client(_world: Any) -> dict[str, Any]:
    from clients.models import Client

    return {
        "client_id": Client.objects.exclude(stage="lead").order_by("pk").values_list("pk", flat=True).first() or 999_999
    }


def an_item(_world: Any) -> dict[str, Any]:
    from kyc.models import Document

    return {"item_id": Document.objects.exclude(work=None).values_list("work", flat=True).first() or 999_999}


SEES_KYC_POLICY: Final = OPENS_DOCUMENTS | roles(Role.ADMINISTRATOR)
# Work of any queue: who does its kind claims and comments, heads assign it and see the figures. The item is a document.
WORKS_ELSEWHERE: Final = (WORKS_TICKETS | MANAGES_PARTNERS) - REVIEWS_DOCUMENTS
MANAGES_WORK: Final = roles(Role.DESK_HEAD, Role.MLRO)
TABLE |= {
    "work_statistics": Rule(MANAGES_WORK),
    "work_assign": Rule(MANAGES_WORK),
    "work_file": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda _world: {"entry_id": 999_999}, good=OWN, elsewhere=WORKS_ELSEWHERE
    ),
    "work_comment": Rule(REVIEWS_DOCUMENTS, kwargs=an_item, good=OWN, elsewhere=WORKS_ELSEWHERE),
    "work_extend": Rule(REVIEWS_DOCUMENTS, kwargs=an_item, good=OWN, elsewhere=WORKS_ELSEWHERE),
    "work_act": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**an_item(world), "act": "claim"}, good=OWN, elsewhere=WORKS_ELSEWHERE
    ),
}

TABLE |= {
    "kyc:queue": Rule(REVIEWS_DOCUMENTS),
    "kyc:next": Rule(REVIEWS_DOCUMENTS),
    "kyc:assign": Rule(MANAGES_WORK),
    "kyc:documents": Rule(OPENS_DOCUMENTS),
    "kyc:document": Rule(OPENS_DOCUMENTS, kwargs=a_document),
    "kyc:file": Rule(OPENS_DOCUMENTS, kwargs=a_document),
    "kyc:page": Rule(OPENS_DOCUMENTS, kwargs=lambda world: {**a_document(world), "number": 1}),
    **{
        f"kyc:{verb}": Rule(REVIEWS_DOCUMENTS, kwargs=a_document)
        for verb in ("approve", "reject", "correct", "request", "escalate", "second_reader")
    },
    "kyc:request_withdraw": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**a_document(world), "request_id": 999_999}, good=OWN
    ),
    "kyc:batch": Rule(REVIEWS_DOCUMENTS),
    "kyc:batch_confirm": Rule(REVIEWS_DOCUMENTS),
    "kyc:turn": Rule(OPENS_DOCUMENTS, kwargs=a_document),
    "kyc:client_reviews": Rule(REVIEWS_DOCUMENTS),
    "kyc:client_review_next": Rule(REVIEWS_DOCUMENTS),
    "kyc:client_review_assign": Rule(MANAGES_WORK),
    "kyc:client_review": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"review_id": 999_999}, good=OWN),
    "kyc:expiring": Rule(SEES_DOCUMENT_STATES),
    "kyc:levels": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), good=(302,)),
    "kyc:brand_levels": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world)),
    "kyc:level_change": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: {**_a_brand(world), "number": 1}
    ),
    "kyc:level_remove": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world)),
    "kyc:company": Rule(REVIEWS_DOCUMENTS, kwargs=a_client),
    "kyc:company_person_new": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "kyc:company_person": Rule(REVIEWS_DOCUMENTS, kwargs=a_person_of_a_company, good=OWN),
    "kyc:company_person_remove": Rule(REVIEWS_DOCUMENTS, kwargs=a_person_of_a_company, good=OWN),
    "kyc:company_holding_new": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "kyc:company_holding_remove": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**a_client(world), "holding_id": 999_999}, good=OWN
    ),
    "kyc:upload": Rule(REVIEWS_DOCUMENTS, kwargs=a_client),
    "kyc:overturn": Rule(REVIEWS_DOCUMENTS, kwargs=a_document),
    "kyc:policy": Rule(SEES_KYC_POLICY),
    "kyc:brand_policy": Rule(SEES_KYC_POLICY, kwargs=lambda world: _a_brand(world), good=OWN),
    "kyc:policy_change": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world), good=OWN),
    "kyc:policy_version": Rule(SEES_KYC_POLICY, kwargs=lambda world: {**_a_brand(world), "number": 999_999}, good=OWN),
    "kyc:webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
    "kyc:providers": Rule(REVIEWS_DOCUMENTS | roles(Role.ADMINISTRATOR)),
    "kyc:provider_new": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "kyc:provider_change": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"provider_id": 999_999}, good=OWN
    ),
    "kyc:provider_test": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"provider_id": 999_999}, good=OWN
    ),
    "kyc:provider_checks": Rule(REVIEWS_DOCUMENTS),
    "kyc:provider_check": Rule(OPENS_DOCUMENTS, kwargs=lambda _world: {"check_id": 999_999}, good=OWN),
    "kyc:provider_check_refresh": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"check_id": 999_999}, good=OWN),
    "kyc:provider_check_cancel": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"check_id": 999_999}, good=OWN),
    "kyc:provider_messages": Rule(REVIEWS_DOCUMENTS),
    "kyc:provider_message": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"message_id": 999_999}, good=OWN),
    "kyc:provider_message_retry": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"message_id": 999_999}, good=OWN),
    "kyc:quality": Rule(SEES_KYC_POLICY),
    "kyc:brand_quality": Rule(SEES_KYC_POLICY, kwargs=lambda world: _a_brand(world), good=OWN),
    "kyc:second_looks": Rule(REVIEWS_DOCUMENTS),
    "kyc:second_looks_next": Rule(REVIEWS_DOCUMENTS),
    "kyc:second_looks_assign": Rule(MANAGES_WORK),
    "kyc:second_look": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"look_id": 999_999}, good=OWN),
}


def a_questionnaire(_world: Any) -> dict[str, Any]:
    from kyc.models import Questionnaire

    return {"questionnaire_id": Questionnaire.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


def a_submission(_world: Any) -> dict[str, Any]:
    from kyc.models import Submission

    return {"submission_id": Submission.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


def a_category_request(_world: Any) -> dict[str, Any]:
    from kyc.models import CategoryRequest

    return {"request_id": CategoryRequest.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


TABLE |= {
    "kyc:questionnaires": Rule(REVIEWS_DOCUMENTS),
    "kyc:questionnaire_new": Rule(REVIEWS_DOCUMENTS),
    "kyc:questionnaire": Rule(REVIEWS_DOCUMENTS, kwargs=a_questionnaire),
    "kyc:questionnaire_preview": Rule(REVIEWS_DOCUMENTS, kwargs=a_questionnaire),
    "kyc:questionnaire_arrange": Rule(REVIEWS_DOCUMENTS, kwargs=a_questionnaire),
    "kyc:questionnaire_publish": Rule(REVIEWS_DOCUMENTS, kwargs=a_questionnaire),
    "kyc:questionnaire_version": Rule(REVIEWS_DOCUMENTS, kwargs=lambda world: {**a_questionnaire(world), "number": 1}),
    "kyc:questionnaire_edit": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**a_questionnaire(world), "kind": "question", "part": "q1"}
    ),
    "kyc:submission": Rule(OPENS_DOCUMENTS, kwargs=a_submission),
    "kyc:edd_decide": Rule(roles(Role.MLRO), kwargs=a_submission),
    "kyc:edd": Rule(OPENS_DOCUMENTS),
    "kyc:edd_next": Rule(roles(Role.MLRO)),
    "kyc:edd_assign": Rule(MANAGES_WORK),
    "kyc:answers_request": Rule(REVIEWS_DOCUMENTS, kwargs=lambda world: {**a_client(world), **a_questionnaire(world)}),
    "kyc:category_requests": Rule(OPENS_DOCUMENTS),
    "kyc:category_next": Rule(REVIEWS_DOCUMENTS),
    "kyc:category_assign": Rule(MANAGES_WORK),
    "kyc:category_request": Rule(OPENS_DOCUMENTS, kwargs=a_category_request),
    "kyc:category_decide": Rule(REVIEWS_DOCUMENTS, kwargs=a_category_request),
    "kyc:client_category": Rule(OPENS_DOCUMENTS, kwargs=a_client),
}

# Monitoring: heads and compliance review; whoever is watched sees their own days only.
SEES_ANOMALIES: Final = roles(
    Role.DESK_HEAD, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR, Role.FINANCE, Role.IB_MANAGER
)
SEES_ALERTS: Final = roles(Role.DESK_HEAD, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR)
REVIEWS: Final = roles(Role.DESK_HEAD, Role.MLRO, Role.ADMINISTRATOR)
WATCHES: Final = roles(Role.DESK_HEAD, Role.MLRO)
OFFBOARDS: Final = roles(Role.DESK_HEAD, Role.ADMINISTRATOR)
SCORES_HISTORY: Final = roles(Role.MLRO, Role.ADMINISTRATOR)
ALERT = lambda _world: {"alert_id": 999_999}  # noqa: E731
HISTORY = lambda _world: {"history_id": 999_999}  # noqa: E731
SEES_RESULTS: Final = roles(Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
SEES_ROUTING: Final = roles(Role.MLRO, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
SEES_ABUSE: Final = roles(Role.DESK_HEAD, Role.MLRO, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
TABLE |= {
    "risk_abuse": Rule(SEES_ABUSE),
    "risk_dealing": Rule(SEES_ABUSE),
    "risk_day_results": Rule(SEES_RESULTS),
    "risk_day_result": Rule(SEES_RESULTS, kwargs=lambda _world: {"alert_id": 999_999}, good=OWN),
    "risk_shock": Rule(SEES_ROUTING),
    "risk_routing": Rule(SEES_ROUTING),
    "risk_routing_propose": Rule(roles(Role.FINANCE), good=OWN),
    "risk_abuse_assign": Rule(MANAGES_WORK),
    "risk_abuse_episode": Rule(SEES_ABUSE, kwargs=lambda _world: {"episode_id": 999_999}, good=OWN),
    "risk_abuse_measure": Rule(SEES_ABUSE, kwargs=lambda _world: {"episode_id": 999_999}, good=OWN),
}
TABLE |= {
    "monitoring_alerts": Rule(SEES_ALERTS),
    "monitoring_alert": Rule(SEES_ALERTS, kwargs=ALERT, good=OWN),
    "monitoring_evidence": Rule(SEES_ALERTS, kwargs=ALERT, good=OWN),
    "monitoring_take": Rule(REVIEWS, kwargs=ALERT, good=OWN),
    "monitoring_decide": Rule(REVIEWS, kwargs=ALERT, good=OWN),
    "monitoring_ask": Rule(REVIEWS, kwargs=ALERT, good=OWN),
    "monitoring_pack": Rule(SEES_ALERTS, kwargs=ALERT, good=OWN),
    "monitoring_escalations": Rule(roles(Role.MLRO)),
    "monitoring_escalation_assign": Rule(MANAGES_WORK),
    "monitoring_escalation": Rule(roles(Role.MLRO), kwargs=lambda _world: {"escalation_id": 999_999}, good=OWN),
    "monitoring_anomalies": Rule(SEES_ANOMALIES),
    "monitoring_anomaly_assign": Rule(MANAGES_WORK),
    "monitoring_anomaly": Rule(SEES_ANOMALIES, kwargs=lambda _world: {"anomaly_id": 999_999}, good=OWN),
    "monitoring_answer": Rule(STAFF, kwargs=lambda _world: {"explanation_id": 999_999}, good=OWN),
    "monitoring_unmask": Rule(SEES_ALERTS, kwargs=ALERT, good=OWN),
    "monitoring_histories": Rule(SCORES_HISTORY),
    "monitoring_history": Rule(SCORES_HISTORY, kwargs=HISTORY, good=OWN),
    "monitoring_history_delete": Rule(SCORES_HISTORY, kwargs=HISTORY, good=OWN),
    "monitoring_agents": Rule(SEES_ALERTS),
    "monitoring_agent": Rule(SEES_ALERTS, kwargs=lambda _world: {"agent_id": 999_999}, good=OWN),
    "monitoring_limit_new": Rule(REVIEWS, kwargs=lambda _world: {"agent_id": 999_999}, good=OWN),
    "monitoring_offboarding": Rule(OFFBOARDS, kwargs=lambda _world: {"agent_id": 999_999}, good=OWN),
    "monitoring_offboarding_clear": Rule(
        OFFBOARDS, kwargs=lambda _world: {"agent_id": 999_999, "slug": "tasks"}, good=OWN
    ),
    "monitoring_limit": Rule(REVIEWS, kwargs=lambda _world: {"limit_id": 999_999}, good=OWN),
    "monitoring_me": Rule(STAFF),
    "monitoring_signals": Rule(STAFF),
    "monitoring_watchlist": Rule(WATCHES),
    "monitoring_watch_new": Rule(WATCHES),
    "monitoring_watch": Rule(WATCHES, kwargs=lambda _world: {"pk": 999_999}, good=OWN),
}

# Leads: list, board, steps, imports, set-up.
SEES_LEADS: Final = STAFF - {"kyc_officer", "finance"}
TAGS: Final = roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.ADMINISTRATOR)
WORKS_LEADS: Final = roles(Role.AGENT, Role.RETENTION, Role.DESK_HEAD)
ASSIGNS_LEADS: Final = roles(Role.DESK_HEAD, Role.ADMINISTRATOR)
IMPORTS_LEADS: Final = roles(Role.DESK_HEAD, Role.MARKETING, Role.ADMINISTRATOR)
SETS_LEADS_UP: Final = roles(Role.MARKETING, Role.ADMINISTRATOR)
_no_import = lambda _world: {"import_id": 999_999}  # noqa: E731
_no_row = lambda _world: {"pk": 999_999}  # noqa: E731
SEES_AUTOMATIONS: Final = roles(
    Role.AGENT,
    Role.RETENTION,
    Role.DESK_HEAD,
    Role.SUPPORT,
    Role.MARKETING,
    Role.AUDITOR,
    Role.MLRO,
    Role.ADMINISTRATOR,
)
MAKES_AUTOMATIONS: Final = roles(Role.MARKETING, Role.ADMINISTRATOR)
TABLE |= {
    "leads": Rule(SEES_LEADS),
    "leads_board": Rule(SEES_LEADS),
    "leads_board_move": Rule(WORKS_LEADS),
    "lead_new": Rule(WORKS_LEADS),
    "possible_duplicates": Rule(MERGES_CLIENTS),
    "possible_duplicate_dismiss": Rule(MERGES_CLIENTS, kwargs=lambda _world: {"pair_id": 999_999}, good=OWN),
    "possible_duplicate_reopen": Rule(MERGES_CLIENTS, kwargs=lambda _world: {"pair_id": 999_999}, good=OWN),
    "leads_assign": Rule(ASSIGNS_LEADS),
    "leads_dial": Rule(WORKS_WITH_CLIENTS),
    "lead_next": Rule(WORKS_WITH_CLIENTS),
    "lead_next_skip": Rule(WORKS_WITH_CLIENTS, kwargs=_person, good=OWN),
    "leads_bulk_status": Rule(WORKS_LEADS),
    "leads_bulk_list": Rule(MAKES_SEGMENTS),
    "leads_bulk_task": Rule(WORKS_WITH_CLIENTS & SEES_LEADS),
    "leads_bulk_mail": Rule(WORKS_WITH_CLIENTS & SEES_LEADS),
    "clients_bulk_mail": Rule(WORKS_WITH_CLIENTS),
    "leads_bulk_tag": Rule(TAGS & SEES_LEADS),
    "clients_bulk_tag": Rule(TAGS),
    "leads_bulk_start": Rule(MAKES_AUTOMATIONS & SEES_LEADS),
    "clients_bulk_start": Rule(MAKES_AUTOMATIONS),
    "leads_bulk_result": Rule(SEES_LEADS, kwargs=lambda _world: {"change_id": 999_999}, good=OWN),
    "leads_bulk_undo": Rule(SEES_LEADS, kwargs=lambda _world: {"change_id": 999_999}, good=OWN),
    "lead_status": Rule(WORKS_LEADS, kwargs=_person, good=OWN),
    "lead_card": Rule(SEES_LEADS, kwargs=_person, good=OWN),
    "lead_invite": Rule(WORKS_LEADS, kwargs=_person, good=OWN),
    "lead_imports": Rule(IMPORTS_LEADS),
    "lead_import_new": Rule(IMPORTS_LEADS),
    "lead_import_example": Rule(IMPORTS_LEADS),
    "lead_import": Rule(IMPORTS_LEADS, kwargs=_no_import, good=OWN),
    "lead_import_mapping": Rule(IMPORTS_LEADS, kwargs=_no_import, good=OWN),
    "lead_import_confirm": Rule(IMPORTS_LEADS, kwargs=_no_import, good=OWN),
    "lead_import_discard": Rule(IMPORTS_LEADS, kwargs=_no_import, good=OWN),
    "campaigns": Rule(roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR)),
    "campaign": Rule(roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR), kwargs=_no_row, good=OWN),
    "campaign_returns": Rule(roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR)),
    "campaign_spend": Rule(SETS_LEADS_UP),
    "campaign_spend_enter": Rule(SETS_LEADS_UP),
    "campaign_spend_import": Rule(SETS_LEADS_UP),
    "campaign_spend_example": Rule(SETS_LEADS_UP),
    "campaign_new": Rule(SETS_LEADS_UP),
    "campaign_edit": Rule(SETS_LEADS_UP, kwargs=_no_row, good=OWN),
    "automations": Rule(SEES_AUTOMATIONS),
    "automation": Rule(SEES_AUTOMATIONS, kwargs=_no_row, good=OWN),
    "automation_new": Rule(MAKES_AUTOMATIONS),
    "automation_edit": Rule(MAKES_AUTOMATIONS, kwargs=_no_row, good=OWN),
    "automation_dry_run": Rule(MAKES_AUTOMATIONS, kwargs=_no_row, good=OWN),
    "automation_step": Rule(MAKES_AUTOMATIONS, kwargs=lambda _world: {"pk": 999_999, "place": 0}, good=OWN),
    "automation_step_do": Rule(
        MAKES_AUTOMATIONS, kwargs=lambda _world: {"pk": 999_999, "place": 0, "action": "up"}, good=OWN
    ),
    "automation_do": Rule(MAKES_AUTOMATIONS, kwargs=lambda _world: {"pk": 999_999, "action": "pause"}, good=OWN),
    "landing_pages": Rule(roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR)),
    "landing_page_new": Rule(SETS_LEADS_UP),
    "landing_page_edit": Rule(SETS_LEADS_UP, kwargs=_no_row, good=OWN),
    "landing_page_embed": Rule(
        roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR), kwargs=_no_row, good=OWN
    ),
    "lead_rules": Rule(IMPORTS_LEADS),
    "lead_learned_score": Rule(IMPORTS_LEADS),
    "routing_rule_new": Rule(IMPORTS_LEADS),
    "routing_rule_dry_run": Rule(IMPORTS_LEADS),
    "score_rule_preview": Rule(IMPORTS_LEADS),
    "lead_condition": Rule(IMPORTS_LEADS),
    "routing_rule_edit": Rule(IMPORTS_LEADS, kwargs=_no_row, good=OWN),
    "score_rule_new": Rule(IMPORTS_LEADS),
    "score_rule_edit": Rule(IMPORTS_LEADS, kwargs=_no_row, good=OWN),
    "score_rule_end": Rule(IMPORTS_LEADS, kwargs=_no_row, good=OWN),
    "lead_shifts": Rule(IMPORTS_LEADS, kwargs=lambda _world: {"agent_id": 999_999}, good=OWN),
    "lead_sources": Rule(SETS_LEADS_UP),
    "lead_source_new": Rule(SETS_LEADS_UP),
    "lead_sources_change": Rule(SETS_LEADS_UP),
    "source_postbacks": Rule(SETS_LEADS_UP, kwargs=lambda _world: {"source_id": 999_999}, good=OWN),
    "source_postback_new": Rule(SETS_LEADS_UP, kwargs=lambda _world: {"source_id": 999_999}, good=OWN),
    "source_postback": Rule(
        SETS_LEADS_UP, kwargs=lambda _world: {"source_id": 999_999, "postback_id": 999_999}, good=OWN
    ),
    "source_postback_act": Rule(
        SETS_LEADS_UP, kwargs=lambda _world: {"source_id": 999_999, "postback_id": 999_999, "verb": "test"}, good=OWN
    ),
    "source_postback_resend": Rule(
        SETS_LEADS_UP, kwargs=lambda _world: {"source_id": 999_999, "delivery_id": 999_999}, good=OWN
    ),
}

# Reports.
SEES_BOARDS: Final = STAFF - roles(Role.AGENT, Role.RETENTION, Role.SUPPORT)
TABLE |= {
    "reports": Rule(SEES_BOARDS),
    "reports_dashboard": Rule(
        roles(Role.DESK_HEAD, Role.MARKETING, Role.AUDITOR, Role.ADMINISTRATOR), kwargs=lambda _world: {"slug": "sales"}
    ),
    "reports_behaviour": Rule(roles(Role.DESK_HEAD, Role.ADMINISTRATOR)),
    "reports_performance": Rule(roles(Role.DESK_HEAD, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)),
    "reports_first_contacts": Rule(
        roles(Role.DESK_HEAD, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR),
        kwargs=lambda _world: {"agent_id": 999_999},
        good=OWN,
    ),
    "reports_leaderboard": Rule(roles(Role.DESK_HEAD, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)),
    "reports_behind": Rule(
        roles(Role.DESK_HEAD, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR), kwargs=lambda _world: {"code": "net"}
    ),
    "reports_targets": Rule(roles(Role.DESK_HEAD, Role.ADMINISTRATOR)),
    "reports_targets_copy": Rule(roles(Role.DESK_HEAD, Role.ADMINISTRATOR), good=OWN),
}

# Compliance: matches and restrictions are for officers, evidence for auditors; a match is no sales person's business.
SEES_MATCHES: Final = REVIEWS_DOCUMENTS | roles(Role.AUDITOR)
IMPORTS_LISTS: Final = roles(Role.ADMINISTRATOR, Role.MLRO)
READS_AUDIT: Final = roles(Role.ADMINISTRATOR, Role.AUDITOR, Role.MLRO)
READS_LOOKS: Final = READS_AUDIT | roles(Role.DESK_HEAD)
REPORTS_SUSPICIONS: Final = roles(Role.MLRO)
_no_report = lambda _world: {"report_id": 999_999}  # noqa: E731
_no_hit = lambda _world: {"hit_id": 999_999}  # noqa: E731


def an_aml_rule(_world: Any) -> dict[str, Any]:
    from compliance.models import AmlRule

    return {"rule_id": AmlRule.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


def an_aml_case(_world: Any) -> dict[str, Any]:
    from compliance.models import AmlCase

    return {"case_id": AmlCase.objects.order_by("pk").values_list("pk", flat=True).first() or 999_999}


_no_list = lambda _world: {"source_id": 999_999}  # noqa: E731
_no_restriction = lambda _world: {"restriction_id": 999_999}  # noqa: E731
TABLE |= {
    "compliance:hits": Rule(SEES_MATCHES),
    "compliance:next": Rule(REVIEWS_DOCUMENTS),
    "compliance:assign": Rule(MANAGES_WORK),
    "compliance:clear_selected": Rule(REVIEWS_DOCUMENTS),
    "compliance:hit": Rule(SEES_MATCHES, kwargs=_no_hit, good=OWN),
    "compliance:clear": Rule(REVIEWS_DOCUMENTS, kwargs=_no_hit, good=OWN),
    "compliance:confirm": Rule(REVIEWS_DOCUMENTS, kwargs=_no_hit, good=OWN),
    "compliance:delistings": Rule(REVIEWS_DOCUMENTS),
    "compliance:delisting_assign": Rule(MANAGES_WORK),
    "compliance:delisting": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"delisting_id": 999_999}, good=OWN),
    "compliance:aml_rules": Rule(SEES_MATCHES),
    "compliance:aml_condition": Rule(REVIEWS_DOCUMENTS),
    "compliance:aml_rule_new": Rule(REVIEWS_DOCUMENTS),
    "compliance:aml_rule_write": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"measure": "structuring"}),
    "compliance:aml_rules_recommended": Rule(REVIEWS_DOCUMENTS),
    "compliance:aml_rule": Rule(SEES_MATCHES, kwargs=an_aml_rule),
    "compliance:aml_rule_edit": Rule(REVIEWS_DOCUMENTS, kwargs=an_aml_rule),
    "compliance:aml_backtest": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"version_id": 999_999}, good=OWN),
    "compliance:aml_version_act": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda _world: {"version_id": 999_999, "act": "shadow"}, good=OWN
    ),
    "compliance:aml_cases": Rule(SEES_MATCHES),
    "compliance:aml_next": Rule(REVIEWS_DOCUMENTS),
    "compliance:aml_assign": Rule(MANAGES_WORK),
    "compliance:aml_case": Rule(SEES_MATCHES, kwargs=an_aml_case, good=OWN),
    "compliance:aml_case_open": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "compliance:aml_decide": Rule(REVIEWS_DOCUMENTS, kwargs=an_aml_case, good=OWN),
    "compliance:aml_ask": Rule(REVIEWS_DOCUMENTS, kwargs=an_aml_case, good=OWN),
    "compliance:aml_document": Rule(REVIEWS_DOCUMENTS, kwargs=an_aml_case, good=OWN),
    "compliance:aml_document_withdraw": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**an_aml_case(world), "request_id": 999_999}, good=OWN
    ),
    "compliance:aml_task": Rule(REVIEWS_DOCUMENTS, kwargs=an_aml_case, good=OWN),
    "compliance:aml_task_done": Rule(
        REVIEWS_DOCUMENTS, kwargs=lambda world: {**an_aml_case(world), "task_id": 999_999}, good=OWN
    ),
    "compliance:sars": Rule(REPORTS_SUSPICIONS),
    "compliance:sar": Rule(REPORTS_SUSPICIONS, kwargs=_no_report, good=OWN),
    "compliance:sar_file": Rule(
        REPORTS_SUSPICIONS, kwargs=lambda world: {**_no_report(world), "kind": "xml"}, good=OWN
    ),
    "compliance:sar_act": Rule(REPORTS_SUSPICIONS, kwargs=lambda world: {**_no_report(world), "act": "file"}, good=OWN),
    "compliance:sar_draft": Rule(REPORTS_SUSPICIONS, kwargs=an_aml_case, good=OWN),
    "compliance:sar_entities": Rule(REPORTS_SUSPICIONS),
    "compliance:sar_entity": Rule(REPORTS_SUSPICIONS, kwargs=lambda _world: {"entity_id": 999_999}, good=OWN),
    "compliance:separate": Rule(REVIEWS_DOCUMENTS, kwargs=_no_hit, good=OWN),
    "compliance:restrictions": Rule(REVIEWS_DOCUMENTS),
    "compliance:ask_to_lift": Rule(REVIEWS_DOCUMENTS, kwargs=_no_restriction, good=OWN),
    "compliance:lift": Rule(REVIEWS_DOCUMENTS, kwargs=_no_restriction, good=OWN),
    "compliance:keep": Rule(REVIEWS_DOCUMENTS, kwargs=_no_restriction, good=OWN),
    "compliance:watchlists": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR)),
    "compliance:screen_all": Rule(REVIEWS_DOCUMENTS),
    "compliance:name_check": Rule(REVIEWS_DOCUMENTS),
    "compliance:own_list": Rule(IMPORTS_LISTS),
    "compliance:own_upload": Rule(IMPORTS_LISTS, kwargs=lambda _world: {"upload_id": 999_999}, good=OWN),
    "compliance:watchlist": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=_no_list, good=OWN),
    "compliance:schedule": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=_no_list, good=OWN),
    "compliance:refresh": Rule(IMPORTS_LISTS, kwargs=_no_list, good=OWN),
    "compliance:vendor_webhook": Rule(PUBLIC, kwargs=lambda _world: {"code": "nobody"}),
    "compliance:vendors": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR)),
    "compliance:vendor_new": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "compliance:vendor_change": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"vendor_id": 999_999}, good=OWN
    ),
    "compliance:vendor_test": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda _world: {"vendor_id": 999_999}, good=OWN
    ),
    "compliance:vendor_checks": Rule(REVIEWS_DOCUMENTS),
    "compliance:vendor_ask_again": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"check_id": 999_999}, good=OWN),
    "compliance:vendor_notices": Rule(REVIEWS_DOCUMENTS),
    "compliance:vendor_notice": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"notice_id": 999_999}, good=OWN),
    "compliance:vendor_notice_retry": Rule(REVIEWS_DOCUMENTS, kwargs=lambda _world: {"notice_id": 999_999}, good=OWN),
    "risk_links": Rule(
        roles(Role.DESK_HEAD, Role.KYC_OFFICER, Role.MLRO, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR),
        kwargs=a_client,
        good=OWN,
    ),
    "risk_link_known": Rule(roles(Role.DESK_HEAD, Role.FINANCE), kwargs=a_client, good=OWN),
    "risk_link_counts": Rule(
        roles(Role.DESK_HEAD, Role.FINANCE), kwargs=lambda world: a_client(world) | {"link_id": 999_999}, good=OWN
    ),
    "compliance:client": Rule(SEES_MATCHES, kwargs=a_client, good=OWN),
    "compliance:screen": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "compliance:restrict": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "compliance:retention": Rule(roles(Role.MLRO)),
    "compliance:retention_client": Rule(roles(Role.MLRO), kwargs=lambda _world: {"client_id": 999_999}, good=OWN),
    "compliance:retention_act": Rule(
        roles(Role.MLRO), kwargs=lambda _world: {"client_id": 999_999, "act": "hold"}, good=OWN
    ),
    "compliance:controls": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR)),
    "compliance:control_month": Rule(
        SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=lambda world: {**_a_brand(world), "month": "2019-01"}, good=OWN
    ),
    "compliance:control_pdf": Rule(
        SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=lambda world: {**_a_brand(world), "month": "2019-01"}, good=OWN
    ),
    "compliance:risk_override": Rule(REVIEWS_DOCUMENTS, kwargs=a_client, good=OWN),
    "compliance:risk_models": Rule(SEES_MATCHES | roles(Role.ADMINISTRATOR)),
    "compliance:risk_condition": Rule(roles(Role.ADMINISTRATOR, Role.MLRO)),
    "compliance:risk_model": Rule(
        SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=lambda world: _a_brand(world), good=OWN
    ),
    "compliance:risk_version": Rule(
        SEES_MATCHES | roles(Role.ADMINISTRATOR), kwargs=lambda world: {**_a_brand(world), "number": 999_999}, good=OWN
    ),
    "compliance:risk_draft": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world), good=OWN),
    "compliance:risk_bands": Rule(roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world), good=OWN),
    "compliance:risk_discard": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: _a_brand(world), good=OWN
    ),
    "compliance:risk_factor": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: {**_a_brand(world), "code": "new"}, good=OWN
    ),
    "compliance:risk_factor_remove": Rule(
        roles(Role.ADMINISTRATOR, Role.MLRO), kwargs=lambda world: {**_a_brand(world), "code": "new"}, good=OWN
    ),
    "compliance:trail": Rule(READS_AUDIT, kwargs=a_client, good=OWN),
    "compliance:who_saw": Rule(READS_LOOKS, kwargs=a_client, good=OWN),
    "compliance:audit": Rule(READS_AUDIT),
    "compliance:access_log": Rule(READS_LOOKS),
}

RETAINS: Final = roles(Role.RETENTION, Role.DESK_HEAD)
SEES_RETENTION: Final = RETAINS | roles(Role.AUDITOR, Role.ADMINISTRATOR)

# Clients who may leave.
TABLE |= {
    "risk_retention": Rule(SEES_RETENTION),
    "risk_retention_next": Rule(RETAINS),
    "risk_retention_assign": Rule(MANAGES_WORK),
    "risk_retention_score": Rule(SEES_RETENTION),
    "risk_retention_effect": Rule(SEES_RETENTION),
    "risk_retention_cohorts": Rule(SEES_RETENTION),
    "risk_retention_case": Rule(SEES_RETENTION, kwargs=lambda _world: {"case_id": 999_999}, good=OWN),
    "risk_retention_snooze": Rule(RETAINS, kwargs=lambda _world: {"case_id": 999_999}, good=OWN),
    "risk_retention_no_answer": Rule(RETAINS, kwargs=lambda _world: {"case_id": 999_999}, good=OWN),
}

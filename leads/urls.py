from django.urls import URLPattern, URLResolver, path

from crm.ui.views import TableView
from leads.agenda import views as agenda
from leads.automations import views as automations
from leads.automations.tables import AutomationTable
from leads.bulk import views as bulk
from leads.duplicates import views as duplicates
from leads.embedding import views as embedding
from leads.learned.views import learned_score
from leads.next_lead import views as next_lead
from leads.spend import views as spend
from leads.tables import LeadTable
from leads.views import conditions, imports, public, setup, staff

urlpatterns: list[URLPattern | URLResolver] = [
    path("l/invitation/<path:token>/", public.invitation, name="registration_link"),
    path("l/<slug:brand_code>/<slug:slug>/", public.landing, name="landing"),
    path("l/<slug:brand_code>/<slug:slug>/embedded/", embedding.embedded_form, name="landing_embedded"),
    path("l/<slug:brand_code>/<slug:slug>/thanks/<slug:language>/", public.thanks, name="landing_thanks"),
    path("leads/", TableView.as_view(table=LeadTable, template_name="leads/list.html"), name="leads"),
    path("leads/next/", next_lead.next_lead, name="lead_next"),
    path("leads/next/<int:client_id>/skip/", next_lead.skip, name="lead_next_skip"),
    path("leads/new/", staff.new, name="lead_new"),
    path("my-day/calendar/", agenda.follow_up_calendar, name="follow_up_calendar"),
    path("my-day/calendar/drop/", agenda.follow_up_drop, name="follow_up_drop"),
    path("my-day/calendar/reminder/", agenda.follow_up_reminder, name="follow_up_reminder"),
    path("my-day/calendar/<int:task_id>/", agenda.follow_up_move, name="follow_up_move"),
    path("my-day/calendar/<int:task_id>/undo/", agenda.follow_up_undo, name="follow_up_undo"),
    path("leads/board/", staff.board, name="leads_board"),
    path("leads/board/move/", staff.board_move, name="leads_board_move"),
    path(
        "leads/imports/",
        TableView.as_view(table=imports.ImportTable, template_name="leads/imports.html"),
        name="lead_imports",
    ),
    path("leads/imports/new/", imports.new, name="lead_import_new"),
    path("leads/imports/example.csv", imports.example, name="lead_import_example"),
    path("leads/imports/<int:import_id>/", imports.detail, name="lead_import"),
    path("leads/imports/<int:import_id>/mapping/", imports.mapping, name="lead_import_mapping"),
    path("leads/imports/<int:import_id>/confirm/", imports.confirm, name="lead_import_confirm"),
    path("leads/imports/<int:import_id>/discard/", imports.discard, name="lead_import_discard"),
    path("leads/duplicates/", TableView.as_view(table=duplicates.DuplicateTable), name="possible_duplicates"),
    path("leads/duplicates/<int:pair_id>/dismiss/", duplicates.dismiss, name="possible_duplicate_dismiss"),
    path("leads/duplicates/<int:pair_id>/reopen/", duplicates.reopen, name="possible_duplicate_reopen"),
    path("leads/assign/", staff.assign, name="leads_assign"),
    path("leads/bulk/status/", bulk.bulk, {"kind": "status"}, name="leads_bulk_status"),
    path("leads/bulk/list/", bulk.bulk, {"kind": "list"}, name="leads_bulk_list"),
    path("leads/bulk/task/", bulk.bulk, {"kind": "task"}, name="leads_bulk_task"),
    path("leads/bulk/tag/", bulk.bulk, {"kind": "tag"}, name="leads_bulk_tag"),
    path("leads/bulk/tag-clients/", bulk.tag_clients, name="clients_bulk_tag"),
    path("leads/bulk/start/", bulk.bulk, {"kind": "start"}, name="leads_bulk_start"),
    path("leads/bulk/start-for-clients/", bulk.start_for_clients, name="clients_bulk_start"),
    path("leads/bulk/mail/", bulk.bulk, {"kind": "mail"}, name="leads_bulk_mail"),
    path("leads/bulk/mail-to-clients/", bulk.mail_to_clients, name="clients_bulk_mail"),
    path("leads/bulk/<int:change_id>/", bulk.result, name="leads_bulk_result"),
    path("leads/bulk/<int:change_id>/undo/", bulk.undo, name="leads_bulk_undo"),
    path("leads/dial/", staff.dial, name="leads_dial"),
    path("leads/<int:client_id>/status/", staff.status, name="lead_status"),
    path("leads/<int:client_id>/card/", staff.card, name="lead_card"),
    path("leads/<int:client_id>/invite/", staff.invite, name="lead_invite"),
    path("campaigns/new/", setup.campaign, name="campaign_new"),
    path("campaigns/<int:pk>/edit/", setup.campaign, name="campaign_edit"),
    path(
        "campaigns/spend/",
        TableView.as_view(table=spend.SpendRows, template_name="leads/spend/rows.html"),
        name="campaign_spend",
    ),
    path("campaigns/spend/enter/", spend.enter, name="campaign_spend_enter"),
    path("campaigns/spend/import/", spend.import_file, name="campaign_spend_import"),
    path("campaigns/spend/example.csv", spend.example, name="campaign_spend_example"),
    path(
        "landing-pages/",
        TableView.as_view(table=setup.LandingPageTable, template_name="leads/landing_pages.html"),
        name="landing_pages",
    ),
    path("landing-pages/new/", setup.landing_page, name="landing_page_new"),
    path("landing-pages/<int:pk>/", setup.landing_page, name="landing_page_edit"),
    path("landing-pages/<int:pk>/embed/", embedding.embed_code, name="landing_page_embed"),
    path("lead-rules/", setup.rules, name="lead_rules"),
    path("lead-rules/learned/", learned_score, name="lead_learned_score"),
    path("lead-rules/condition/", conditions.lead_condition, name="lead_condition"),
    path("lead-rules/routing/new/", setup.routing_rule, name="routing_rule_new"),
    path("lead-rules/routing/dry-run/", setup.routing_rule_dry_run, name="routing_rule_dry_run"),
    path("lead-rules/routing/<int:pk>/", setup.routing_rule, name="routing_rule_edit"),
    path("lead-rules/score/new/", setup.score_rule, name="score_rule_new"),
    path("lead-rules/score/preview/", setup.score_rule_preview, name="score_rule_preview"),
    path("lead-rules/score/<int:pk>/", setup.score_rule, name="score_rule_edit"),
    path("lead-rules/score/<int:pk>/end/", setup.score_rule_end, name="score_rule_end"),
    path("lead-rules/shifts/<int:agent_id>/", setup.shifts, name="lead_shifts"),
    path(
        "lead-sources/",
        TableView.as_view(table=setup.SourceTable, template_name="leads/sources.html"),
        name="lead_sources",
    ),
    path("lead-sources/new/", setup.source_new, name="lead_source_new"),
    path("lead-sources/change/", setup.sources_change, name="lead_sources_change"),
    path(
        "automations/",
        TableView.as_view(table=AutomationTable, template_name="leads/automations/list.html"),
        name="automations",
    ),
    path("automations/new/", automations.automation_new, name="automation_new"),
    path("automations/<int:pk>/", automations.automation, name="automation"),
    path("automations/<int:pk>/edit/", automations.automation_edit, name="automation_edit"),
    path("automations/<int:pk>/dry-run/", automations.automation_dry_run, name="automation_dry_run"),
    path("automations/<int:pk>/steps/<int:place>/", automations.automation_step, name="automation_step"),
    path(
        "automations/<int:pk>/steps/<int:place>/<slug:action>/",
        automations.automation_step_do,
        name="automation_step_do",
    ),
    path("automations/<int:pk>/do/<slug:action>/", automations.automation_do, name="automation_do"),
]

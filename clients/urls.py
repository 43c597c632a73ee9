from django.urls import URLPattern, URLResolver, include, path

from clients.country_rules import exemption_pages
from clients.country_rules import views as country_rules
from clients.custom_fields import views as custom
from clients.explain import explain_access
from clients.merging import views as merging
from clients.segments import views as segments
from clients.segments.tables import SegmentTable
from clients.tables import ClientTable
from clients.texts import views as texts
from clients.views import actions, choose_client, conditions, day, facts, page
from crm.ui.views import TableView

urlpatterns: list[URLPattern | URLResolver] = [
    path("explain/", explain_access, name="explain_access"),
    path("my-day/", day.my_day, name="my_day"),
    path("countries/", country_rules.country_rules, name="country_rules"),
    path("brands/<int:brand_id>/countries/", country_rules.brand_countries, name="brand_countries"),
    path(
        "brands/<int:brand_id>/countries/change/", country_rules.brand_countries_change, name="brand_countries_change"
    ),
    path("brands/<int:brand_id>/countries/<slug:slug>/", country_rules.brand_country, name="brand_country"),
    path("exemptions/", TableView.as_view(table=exemption_pages.ExemptionTable), name="exemptions"),
    path("clients/<int:client_id>/exemption/", exemption_pages.client_exemption, name="client_exemption"),
    path("texts/", texts.texts, name="texts"),
    path("texts/preview/<str:token>/", texts.text_frame, name="text_frame"),
    path("texts/<int:brand_id>/", texts.brand_texts, name="brand_texts"),
    path("texts/<int:brand_id>/<str:key>/", texts.brand_text, name="brand_text"),
    path("texts/<int:brand_id>/<str:key>/proposals/<int:pk>/", texts.text_proposal, name="text_proposal"),
    path("texts/<int:brand_id>/<str:key>/preview/", texts.text_preview, name="text_preview"),
    path("texts/<int:brand_id>/<str:key>/versions/<int:number>/", texts.text_version, name="text_version"),
    path("clients/", TableView.as_view(table=ClientTable, template_name="clients/list.html"), name="clients"),
    path("clients/choose/<slug:slug>/", choose_client.choose_client, name="choose_client"),
    path("custom-fields/", custom.custom_fields, name="custom_fields"),
    path("custom-fields/<int:brand_id>/", custom.brand_custom_fields, name="brand_custom_fields"),
    path("custom-fields/<int:brand_id>/new/", custom.custom_field_new, name="custom_field_new"),
    path("custom-fields/field/<int:field_id>/", custom.custom_field, name="custom_field"),
    path("custom-fields/field/<int:field_id>/<slug:action>/", custom.custom_field_do, name="custom_field_do"),
    path("clients/<int:client_id>/custom/", custom.client_custom_fields, name="client_custom_fields"),
    path("clients/condition/", conditions.client_condition, name="client_condition"),
    path("clients/move/", actions.move_many, name="clients_move"),
    path("clients/<int:client_id>/", page.client_page, name="client"),
    path("clients/<int:client_id>/tab/<slug:slug>/", page.client_page, name="client_tab"),
    path("clients/<int:client_id>/call/", actions.call, name="client_call"),
    path("clients/<int:client_id>/contact/", actions.contact, name="client_contact"),
    path("clients/<int:client_id>/note/", actions.note_add, name="client_note"),
    path("clients/<int:client_id>/task/", actions.task_add, name="client_task"),
    path("clients/<int:client_id>/mail/", actions.mail_write, name="client_mail"),
    path("clients/<int:client_id>/edit/", actions.profile_edit, name="client_edit"),
    path("clients/<int:client_id>/facts/<slug:slug>/", facts.fact, name="client_fact"),
    path("clients/<int:client_id>/move/", actions.move, name="client_move"),
    path("clients/<int:client_id>/merge/", merging.merge_choose, name="client_merge_choose"),
    path("clients/<int:client_id>/merge/<int:other_id>/", merging.merge, name="client_merge"),
    path(
        "segments/", TableView.as_view(table=SegmentTable, template_name="clients/segments/list.html"), name="segments"
    ),
    path("segments/new/", segments.segment_new, name="segment_new"),
    path("segments/add/", segments.add_many, name="segment_add"),
    path("segments/<int:segment_id>/", segments.segment, name="segment"),
    path("segments/<int:segment_id>/edit/", segments.segment_edit, name="segment_edit"),
    path("segments/<int:segment_id>/<slug:action>/", segments.segment_do, name="segment_do"),
    path("merges/<int:merge_id>/undo/", merging.merge_undo, name="client_merge_undo"),
    path("clients/<int:client_id>/close/", actions.close, name="client_close"),
    path("", include("clients.telephony.urls")),
    path("", include("clients.messages.urls")),
    path("", include("clients.chat.urls")),
    path("", include("clients.mail_services.urls")),
    path("", include("clients.texting.urls")),
    path("notes/<int:note_id>/edit/", actions.note_edit, name="note_edit"),
    path("notes/<int:note_id>/history/", actions.note_history, name="note_history"),
    path("notes/<int:note_id>/pin/", actions.note_pin, name="note_pin"),
    path("tasks/<int:task_id>/", actions.task_change, name="task_change"),
]

from django.urls import path

from compliance.aml import urls as aml
from compliance.controls import views as controls
from compliance.matches.delisting_table import DelistingTable
from compliance.retention import views as retention
from compliance.retention.tables import RetentionTable
from compliance.risk_rating import views as risk
from compliance.sar import urls as sar
from compliance.tables import RestrictionTable
from compliance.vendors import urls as vendors
from compliance.views import client, delistings, hits, list_upkeep, name_check, trail, watchlists
from crm.ui.views import TableView

app_name = "compliance"
urlpatterns = [
    path("compliance/hits/", hits.Hits.as_view(), name="hits"),
    path("compliance/hits/next/", hits.Next.as_view(), name="next"),
    path("compliance/hits/assign/", hits.Assign.as_view(), name="assign"),
    path("compliance/hits/dismiss/", hits.ClearSelected.as_view(), name="clear_selected"),
    path("compliance/hits/<int:hit_id>/", hits.HitPage.as_view(), name="hit"),
    path("compliance/hits/<int:hit_id>/clear/", hits.Clear.as_view(), name="clear"),
    path("compliance/hits/<int:hit_id>/confirm/", hits.Confirm.as_view(), name="confirm"),
    path("compliance/hits/<int:hit_id>/separate/", hits.Separate.as_view(), name="separate"),
    path("compliance/delistings/", TableView.as_view(table=DelistingTable), name="delistings"),
    path("compliance/delistings/assign/", delistings.Assign.as_view(), name="delisting_assign"),
    path("compliance/delistings/<int:delisting_id>/", delistings.DelistingPage.as_view(), name="delisting"),
    path("compliance/restrictions/", TableView.as_view(table=RestrictionTable), name="restrictions"),
    path("compliance/restrictions/<int:restriction_id>/ask/", client.AskToLift.as_view(), name="ask_to_lift"),
    path("compliance/restrictions/<int:restriction_id>/lift/", client.Lift.as_view(), name="lift"),
    path("compliance/restrictions/<int:restriction_id>/keep/", client.RefuseToLift.as_view(), name="keep"),
    path("compliance/screen/", name_check.NameCheck.as_view(), name="name_check"),
    path("compliance/watchlists/", watchlists.watchlists, name="watchlists"),
    path("compliance/watchlists/own/", list_upkeep.own_list, name="own_list"),
    path("compliance/watchlists/own/<int:upload_id>/", list_upkeep.OwnUpload.as_view(), name="own_upload"),
    path("compliance/watchlists/<int:source_id>/", list_upkeep.ListPage.as_view(), name="watchlist"),
    path("compliance/watchlists/<int:source_id>/schedule/", list_upkeep.Schedule.as_view(), name="schedule"),
    path("compliance/watchlists/<int:source_id>/refresh/", list_upkeep.Refresh.as_view(), name="refresh"),
    path("compliance/watchlists/screen-all/", watchlists.ScreenAll.as_view(), name="screen_all"),
    path("compliance/clients/<int:client_id>/", client.ClientPage.as_view(), name="client"),
    path("compliance/clients/<int:client_id>/screen/", client.Screen.as_view(), name="screen"),
    path("compliance/clients/<int:client_id>/restrict/", client.Restrict.as_view(), name="restrict"),
    path("compliance/clients/<int:client_id>/trail/", trail.Trail.as_view(), name="trail"),
    path("compliance/clients/<int:client_id>/access/", trail.WhoSaw.as_view(), name="who_saw"),
    path("compliance/clients/<int:client_id>/risk/", risk.risk_override, name="risk_override"),
    path("compliance/risk-model/", risk.risk_models, name="risk_models"),
    path("compliance/risk-model/condition/", risk.risk_condition, name="risk_condition"),
    path("compliance/risk-model/<int:brand_id>/", risk.risk_model, name="risk_model"),
    path("compliance/risk-model/<int:brand_id>/<int:number>/", risk.risk_version, name="risk_version"),
    path("compliance/risk-model/<int:brand_id>/draft/", risk.risk_draft, name="risk_draft"),
    path("compliance/risk-model/<int:brand_id>/draft/bands/", risk.risk_bands, name="risk_bands"),
    path("compliance/risk-model/<int:brand_id>/draft/discard/", risk.risk_discard, name="risk_discard"),
    path("compliance/risk-model/<int:brand_id>/draft/<slug:code>/", risk.risk_factor, name="risk_factor"),
    path(
        "compliance/risk-model/<int:brand_id>/draft/<slug:code>/remove/",
        risk.risk_factor_remove,
        name="risk_factor_remove",
    ),
    path("compliance/retention/", TableView.as_view(table=RetentionTable), name="retention"),
    path("compliance/retention/<int:client_id>/", retention.relation, name="retention_client"),
    path("compliance/retention/<int:client_id>/<slug:act>/", retention.act, name="retention_act"),
    path("compliance/controls/", controls.controls, name="controls"),
    path("compliance/controls/<int:brand_id>/<str:month>/", controls.control_month, name="control_month"),
    path("compliance/controls/<int:brand_id>/<str:month>/pdf/", controls.control_pdf, name="control_pdf"),
    path("audit/", trail.AuditLog.as_view(), name="audit"),
    path("access-log/", trail.AccessLog.as_view(), name="access_log"),
    *sar.urlpatterns,
    *aml.urlpatterns,
    *vendors.urlpatterns,
]

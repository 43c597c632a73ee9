"""Addresses of screening vendors."""

from django.urls import path

from compliance.vendors import views
from compliance.vendors.tables import VendorCheckTable, VendorNoticeTable
from crm.connections import views as connections
from crm.ui.views import TableView

urlpatterns = [
    path("webhooks/screening/<slug:code>/", views.vendor_webhook, name="vendor_webhook"),
    *connections.paths(views.PAGES),
    path("compliance/vendors/checks/", TableView.as_view(table=VendorCheckTable), name="vendor_checks"),
    path("compliance/vendors/checks/<int:check_id>/again/", views.vendor_ask_again, name="vendor_ask_again"),
    path("compliance/vendors/notices/", TableView.as_view(table=VendorNoticeTable), name="vendor_notices"),
    path("compliance/vendors/notices/<int:notice_id>/", views.vendor_notice, name="vendor_notice"),
    path("compliance/vendors/notices/<int:notice_id>/retry/", views.vendor_notice_retry, name="vendor_notice_retry"),
]

"""Pages of the ground floor."""

from django.urls import URLPattern, URLResolver, path

from crm.pages import (
    approvals,
    brand,
    demo_mail,
    events,
    help,

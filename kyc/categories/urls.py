from django.urls import path

from kyc.categories import views

urlpatterns = [
    path("kyc/categories/", views.Requests.as_view(), name="category_requests"),
    path("kyc/categories/next/", views.NextRequest.as_view(), name="category_next"),
    path("kyc/categories/assign/", views.AssignRequests.as_view(), name="category_assign"),
    path("kyc/categories/<int:request_id>/", views.category_request, name="category_request"),
    path("kyc/categories/<int:request_id>/decide/", views.decide, name="category_decide"),
    path("kyc/clients/<int:client_id>/category/", views.client_category, name="client_category"),
]

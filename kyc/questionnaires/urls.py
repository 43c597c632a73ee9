from django.urls import path

from crm.ui.views import TableView
from kyc.questionnaires import client_views, views
from kyc.questionnaires.tables import QuestionnaireTable

urlpatterns = [
    path(
        "kyc/questionnaires/",
        TableView.as_view(table=QuestionnaireTable, template_name="kyc/questionnaires/list.html"),
        name="questionnaires",
    ),
    path("kyc/questionnaires/new/", views.new, name="questionnaire_new"),
    path("kyc/questionnaires/<int:questionnaire_id>/", views.questionnaire, name="questionnaire"),
    path("kyc/questionnaires/<int:questionnaire_id>/arrange/", views.arrange, name="questionnaire_arrange"),
    path("kyc/questionnaires/<int:questionnaire_id>/publish/", views.publish, name="questionnaire_publish"),
    path("kyc/questionnaires/<int:questionnaire_id>/preview/", views.preview, name="questionnaire_preview"),
    path(
        "kyc/questionnaires/<int:questionnaire_id>/versions/<int:number>/", views.version, name="questionnaire_version"
    ),
    path(
        "kyc/questionnaires/<int:questionnaire_id>/edit/<slug:kind>/<slug:part>/", views.edit, name="questionnaire_edit"
    ),
    path("kyc/answers/<int:submission_id>/", client_views.submission, name="submission"),
    path("kyc/answers/<int:submission_id>/decide/", client_views.decide, name="edd_decide"),
    path("kyc/edd/", client_views.Reviews.as_view(), name="edd"),
    path("kyc/edd/next/", client_views.NextReview.as_view(), name="edd_next"),
    path("kyc/edd/assign/", client_views.AssignReviews.as_view(), name="edd_assign"),
    path(
        "kyc/clients/<int:client_id>/questionnaires/<int:questionnaire_id>/", client_views.ask, name="answers_request"
    ),
]

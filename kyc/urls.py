from django.urls import path

from crm.ui.views import TableView
from kyc.batch import views as batch
from kyc.categories import urls as categories
from kyc.client_reviews import views as client_reviews
from kyc.corporate import views as corporate
from kyc.expiry.tables import ExpiringTable
from kyc.levels import views as levels
from kyc.providers import urls as providers
from kyc.questionnaires import urls as questionnaires
from kyc.tables import DocumentTable
from kyc.verdicts.tables import SecondLookTable
from kyc.verdicts.views import overturning, policy, quality, second_looks
from kyc.views import client, files, queue, review

app_name = "kyc"
urlpatterns = [
    path("kyc/queue/", queue.Queue.as_view(), name="queue"),
    path("kyc/queue/next/", queue.Next.as_view(), name="next"),
    path("kyc/queue/assign/", queue.Assign.as_view(), name="assign"),
    path("kyc/queue/batch/", batch.Batch.as_view(), name="batch"),
    path("kyc/queue/batch/confirm/", batch.ConfirmBatch.as_view(), name="batch_confirm"),
    path("kyc/documents/", TableView.as_view(table=DocumentTable), name="documents"),
    path("kyc/documents/<int:document_id>/", review.Review.as_view(), name="document"),
    path("kyc/documents/<int:document_id>/file/", files.Copy.as_view(), name="file"),
    path("kyc/documents/<int:document_id>/page/<int:number>/", files.Page.as_view(), name="page"),
    path("kyc/documents/<int:document_id>/approve/", review.Approve.as_view(), name="approve"),
    path("kyc/documents/<int:document_id>/correct/", review.Correct.as_view(), name="correct"),
    path("kyc/documents/<int:document_id>/request/", review.Ask.as_view(), name="request"),
    path(
        "kyc/documents/<int:document_id>/request/<int:request_id>/withdraw/",
        review.WithdrawRequest.as_view(),
        name="request_withdraw",
    ),
    path("kyc/documents/<int:document_id>/escalate/", review.Escalate.as_view(), name="escalate"),
    path("kyc/documents/<int:document_id>/second-reader/", review.AskSecondReader.as_view(), name="second_reader"),
    path("kyc/documents/<int:document_id>/turn/", review.Turn.as_view(), name="turn"),
    path("kyc/documents/<int:document_id>/reject/", review.Reject.as_view(), name="reject"),
    path("kyc/expiring/", TableView.as_view(table=ExpiringTable), name="expiring"),
    path("kyc/reviews/", client_reviews.Reviews.as_view(), name="client_reviews"),
    path("kyc/reviews/next/", client_reviews.Next.as_view(), name="client_review_next"),
    path("kyc/reviews/assign/", client_reviews.Assign.as_view(), name="client_review_assign"),
    path("kyc/reviews/<int:review_id>/", client_reviews.ReviewPage.as_view(), name="client_review"),
    path("kyc/levels/", levels.levels, name="levels"),
    path("kyc/levels/<int:brand_id>/", levels.brand_levels, name="brand_levels"),
    path("kyc/levels/<int:brand_id>/remove/", levels.level_remove, name="level_remove"),
    path("kyc/levels/<int:brand_id>/<int:number>/", levels.level_change, name="level_change"),
    path("kyc/documents/<int:document_id>/overturn/", overturning.Overturn.as_view(), name="overturn"),
    path("kyc/policy/", policy.policy, name="policy"),
    path("kyc/policy/<int:brand_id>/", policy.brand_policy, name="brand_policy"),
    path("kyc/policy/<int:brand_id>/change/", policy.change_policy, name="policy_change"),
    path("kyc/policy/<int:brand_id>/<int:number>/", policy.policy_version, name="policy_version"),
    path("kyc/quality/", quality.quality, name="quality"),
    path("kyc/quality/<int:brand_id>/", quality.brand_quality, name="brand_quality"),
    path(
        "kyc/second-looks/",
        TableView.as_view(table=SecondLookTable, template_name="kyc/verdicts/second_looks.html"),
        name="second_looks",
    ),
    path("kyc/second-looks/next/", second_looks.Next.as_view(), name="second_looks_next"),
    path("kyc/second-looks/assign/", second_looks.Assign.as_view(), name="second_looks_assign"),
    path("kyc/second-looks/<int:look_id>/", second_looks.Look.as_view(), name="second_look"),
    path("kyc/clients/<int:client_id>/company/", corporate.company, name="company"),
    path("kyc/clients/<int:client_id>/company/people/", corporate.person, name="company_person_new"),
    path("kyc/clients/<int:client_id>/company/people/<int:link_id>/", corporate.person, name="company_person"),
    path(
        "kyc/clients/<int:client_id>/company/people/<int:link_id>/remove/",
        corporate.remove_person,
        name="company_person_remove",
    ),
    path("kyc/clients/<int:client_id>/company/shares/", corporate.holding, name="company_holding_new"),
    path(
        "kyc/clients/<int:client_id>/company/shares/<int:holding_id>/remove/",
        corporate.remove_holding,
        name="company_holding_remove",
    ),
    path("kyc/clients/<int:client_id>/upload/", client.upload, name="upload"),
    *questionnaires.urlpatterns,
    *categories.urlpatterns,
    *providers.urlpatterns,
]

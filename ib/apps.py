from crm.project.appbase import KeelsonAppConfig


class IbConfig(KeelsonAppConfig):
    name = "ib"
    verbose_name = "Partners"
    more_templates = ("partners",)
    public_texts = (
        "partners/",
        "ib/applications/applying.py",
        "ib/applications/approving.py",
        "ib/applications/forms.py",
        "ib/explain.py",
        "ib/choices.py",
        "ib/views/portal.py",
        "ib/applications/invitations.py",
        "ib/links.py",
        "ib/settlement.py",
        "ib/subscribers.py",
        "ib/partner_pages/tables.py",
        "ib/tables.py",
        "ib/_tree.html",
        "ib/agreements/leaving.py",
        "ib/materials/banners.py",
        "ib/news/monthly_figures.py",
        "ib/sub_partners/forms.py",
        "ib/sub_partners/limits.py",
        "ib/sub_partners/offers.py",
        "ib/views/portal_sub_plans.py",
        "ib/tracking/choices.py",
        "ib/tracking/forms.py",
        "ib/tracking/macros.py",
        "ib/tracking/postbacks.py",
        "ib/views/portal_postbacks.py",
        "ib/views/portal_tokens.py",
        "ib/team/api_tokens.py",
    )

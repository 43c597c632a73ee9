from crm.project.appbase import KeelsonAppConfig


class LeadsConfig(KeelsonAppConfig):
    name = "leads"
    verbose_name = "Leads"
    more_templates = ("public",)
    public_texts = ("public/", "leads/public_forms.py", "leads/guard.py", "leads/views/public.py")

from crm.project.appbase import KeelsonAppConfig


class PropConfig(KeelsonAppConfig):
    name = "prop"
    verbose_name = "Prop challenges"
    public_texts = ("challenges/", "prop/choices.py", "prop/sentences.py", "prop/shop/", "prop/views/portal.py")

from crm.project.appbase import KeelsonAppConfig


class PropConfig(KeelsonAppConfig):
    name = "prop"
    verbose_name = "Prop challenges"
    public_texts = ("prop/choices.py", "prop/sentences.py", "prop/challenges/", "prop/policies.py")

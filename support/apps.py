from crm.project.appbase import KeelsonAppConfig


class SupportConfig(KeelsonAppConfig):
    name = "support"
    verbose_name = "Support"
    public_texts = ("support/choices.py", "support/talk/", "support/texts.py")

from crm.project.appbase import KeelsonAppConfig


class SupportConfig(KeelsonAppConfig):
    name = "support"
    verbose_name = "Support"
    public_texts = ("support/choices.py", "support/files.py", "support/conversation.py", "support/texts.py")

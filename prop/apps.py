from crm.project.appbase import KeelsonAppConfig


class PropConfig(KeelsonAppConfig):
    name = "prop"
    verbose_name = "Prop challenges"
    speaks_through: tuple[str, ...] = (*KeelsonAppConfig.speaks_through, "judge.notices")
    public_texts = (
        "prop/choices.py",
        "prop/sentences.py",
        "prop/challenges/",
        "prop/policies.py",
        "prop/judge/notices.py",
    )

from crm.project.appbase import KeelsonAppConfig


class ComplianceConfig(KeelsonAppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def warm_up(self) -> None:
        from compliance.matching.warming import warm_up

        warm_up()

from crm.project.appbase import KeelsonAppConfig


class TradingConfig(KeelsonAppConfig):
    name = "trading"
    verbose_name = "Trading"
    public_texts = (
        "trading/accounts/changes.py",
        "trading/policies.py",
        "trading/accounts/request_rules.py",
        "trading/platforms/user_errors.py",
        "trading/core/timeline_texts.py",
    )

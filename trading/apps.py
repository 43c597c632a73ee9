from crm.appbase import KeelsonAppConfig


class TradingConfig(KeelsonAppConfig):
    name = "trading"
    verbose_name = "Trading"

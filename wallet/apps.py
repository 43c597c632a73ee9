from crm.appbase import KeelsonAppConfig


class WalletConfig(KeelsonAppConfig):
    name = "wallet"
    verbose_name = "Wallet"

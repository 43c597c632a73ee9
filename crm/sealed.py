"""What the instance's key seals here."""

from crm.accounts.adapters import SECRETS
from crm.notices.mail import PURPOSE
from crm.outbound.secrets import SECRET_PURPOSE
from crm.security.crypto import CLIENT_KEYS, LASTING_KEYS
from crm.security.sealed_columns import sealed_column, sealed_files, sealed_json

sealed_column("crm.SubjectKey", "wrapped", purpose=CLIENT_KEYS, bound_to_row=True)
sealed_column("crm.LastingKey", "wrapped", purpose=LASTING_KEYS, bound_to_row=True)
sealed_column("crm.WebhookEndpoint", "sealed_secret", purpose=SECRET_PURPOSE)
sealed_column("crm.WebhookEndpoint", "sealed_old_secret", purpose=SECRET_PURPOSE)
sealed_column("crm.OutgoingMail", "body", purpose=PURPOSE, where="is_secret")
sealed_json("mfa.Authenticator", "data", purpose=SECRETS)
sealed_files("job-result")
sealed_files("data-import")

"""What the instance's key seals here, and the files of recordings, of which it seals some."""

from clients.mail import SECRET_PURPOSE
from clients.models import PhoneRecording
from clients.models.telephony import CREDENTIALS_PURPOSE, EVENT_PURPOSE, NUMBER_PURPOSE
from clients.telephony.recordings import FOLDER
from clients.telephony.recordings import PURPOSE as RECORDINGS
from crm.file_columns import FileColumn, declare
from crm.security.sealed_columns import sealed_column, sealed_files

sealed_column("clients.Message", "secret", purpose=SECRET_PURPOSE)
sealed_column("clients.PhoneExchange", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneExchangeProposal", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneEvent", "body_sealed", purpose=EVENT_PURPOSE)
sealed_column("clients.PhoneCall", "sealed_number", purpose=NUMBER_PURPOSE)
sealed_files(RECORDINGS)
declare(
    FileColumn(
        PhoneRecording,
        "store_key",
        FOLDER,
        is_sharded=True,
        client="sealed_for_id",
        purpose=RECORDINGS,
        size="size_bytes",
        sha256="sha256",
    )
)

"""What the instance's key seals here, and the files of recordings, of which it seals some."""

from clients.mail import SECRET_PURPOSE
from clients.messages.files import FOLDER as MAIL_FOLDER
from clients.messages.files import PURPOSE as MAIL_FILES
from clients.models import MailAttachment, PhoneRecording, SentAttachment, TextFile
from clients.models.mail_services import MAIL_SERVICE_CREDENTIALS_PURPOSE, MAIL_SERVICE_EVENT_PURPOSE
from clients.models.messages import BODY_PURPOSE
from clients.models.messages import CREDENTIALS_PURPOSE as MAILBOX_PURPOSE
from clients.models.telephony import CREDENTIALS_PURPOSE, EVENT_PURPOSE, NUMBER_PURPOSE
from clients.models.texting import TEXT_CREDENTIALS_PURPOSE, TEXT_EVENT_PURPOSE, TEXT_PURPOSE
from clients.telephony.recordings import FOLDER
from clients.telephony.recordings import PURPOSE as RECORDINGS
from crm.file_columns import FileColumn, declare
from crm.security.sealed_columns import sealed_column, sealed_files

sealed_column("clients.Message", "secret", purpose=SECRET_PURPOSE)
sealed_column("clients.PhoneExchange", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneExchangeProposal", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneEvent", "body_sealed", purpose=EVENT_PURPOSE)
sealed_column("clients.PhoneCall", "sealed_number", purpose=NUMBER_PURPOSE)
sealed_column("clients.Mailbox", "sealed_credentials", purpose=MAILBOX_PURPOSE)
sealed_column("clients.MailboxProposal", "sealed_credentials", purpose=MAILBOX_PURPOSE)
sealed_column("clients.IncomingMail", "body_sealed", purpose=BODY_PURPOSE)
sealed_column("clients.MailService", "sealed_credentials", purpose=MAIL_SERVICE_CREDENTIALS_PURPOSE)
sealed_column("clients.MailServiceProposal", "sealed_credentials", purpose=MAIL_SERVICE_CREDENTIALS_PURPOSE)
sealed_column("clients.MailServiceEvent", "body_sealed", purpose=MAIL_SERVICE_EVENT_PURPOSE)
sealed_column("clients.TextService", "sealed_credentials", purpose=TEXT_CREDENTIALS_PURPOSE)
sealed_column("clients.TextServiceProposal", "sealed_credentials", purpose=TEXT_CREDENTIALS_PURPOSE)
sealed_column("clients.TextEvent", "body_sealed", purpose=TEXT_EVENT_PURPOSE)
sealed_column("clients.TextThread", "sealed", purpose=TEXT_PURPOSE)
sealed_column("clients.TextMessage", "sealed", purpose=TEXT_PURPOSE)
sealed_files(RECORDINGS, MAIL_FILES)
declare(
    FileColumn(
        MailAttachment,
        "store_key",
        MAIL_FOLDER,
        is_sharded=True,
        client="sealed_for_id",
        purpose=MAIL_FILES,
        size="size_bytes",
        sha256="sha256",
    )
)
declare(
    FileColumn(
        SentAttachment,
        "store_key",
        MAIL_FOLDER,
        is_sharded=True,
        client="sealed_for_id",
        purpose=MAIL_FILES,
        size="size_bytes",
        sha256="sha256",
    )
)
declare(
    FileColumn(
        TextFile,
        "store_key",
        MAIL_FOLDER,
        is_sharded=True,
        client="sealed_for_id",
        purpose=MAIL_FILES,
        size="size_bytes",
        sha256="sha256",
    )
)
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

from django.db.models import Q

from crm.file_columns import FileColumn, declare
from kyc.choices import IncomingState
from kyc.models import Document, IncomingFile, IncomingPage, UploadChunk, UploadPage

declare(
    FileColumn(Document, "store_key", "documents", client="client_id", size="size_bytes", sha256="stored_sha256"),
    FileColumn(
        IncomingFile,
        "store_key",
        "documents",
        client="client_id",
        size="size_bytes",
        sha256="sha256",
        rows=Q(state=IncomingState.WAITING),
    ),
    FileColumn(
        IncomingPage, "store_key", "documents", client="incoming__client_id", size="size_bytes", sha256="sha256"
    ),
    FileColumn(UploadPage, "store_key", "documents", client="draft__client_id", size="size_bytes", sha256="sha256"),
    FileColumn(UploadChunk, "store_key", "documents", client="page__draft__client_id", size="size_bytes"),
)

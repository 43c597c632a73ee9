from crm.file_columns import FileColumn, declare
from kyc.models import Document

declare(
    FileColumn(Document, "store_key", "documents", client="client_id", size="size_bytes", sha256="stored_sha256"),
)

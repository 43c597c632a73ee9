from crm.file_columns import FileColumn, declare
from support.models import TicketFile
from support.talk.files import FOLDER

declare(
    FileColumn(
        TicketFile, "store_key", FOLDER, is_sharded=True, client="sealed_for_id", size="size_bytes", sha256="sha256"
    )
)

from crm.file_columns import FileColumn, declare
from monitoring.history.files import FOLDER, PURPOSE
from monitoring.history.models import HistoryFile

declare(FileColumn(HistoryFile, "id", FOLDER, purpose=PURPOSE))

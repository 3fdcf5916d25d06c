"""Tables that people upload: Excel (.xlsx) and CSV, read without trusting what the file says of itself."""

from huitouke.kernel.sheets.columns import RowProblem, columns_by_title
from huitouke.kernel.sheets.reading import MAX_ROWS, Row, Table, read_table
from huitouke.kernel.sheets.workbook import UnreadableFile

__all__ = ["MAX_ROWS", "Row", "RowProblem", "Table", "UnreadableFile", "columns_by_title", "read_table"]

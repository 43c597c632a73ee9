"""What is printed or sent as a file. One way to make a PDF, one to make a workbook.

- `letter`: HTML → tagged PDF (WeasyPrint): letters, statements, receipts, anything that is laid out by hand.
- `pdf_stream`: a `Report` → tagged PDF by our own writer, page by page onto the disk: thousands of rows in seconds and flat memory.
- `xlsx`: workbooks, streamed, with typed cells.
- `report`: what a report is made of, whatever it is written as, and the hash of its figures.
"""

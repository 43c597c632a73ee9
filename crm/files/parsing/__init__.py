"""Files of strangers are read, cleaned and drawn in a child process with limits of memory, time and output; nowhere else.

    answer = parse("pdf.clean", raw, limits=Limits(), pages_max=20)      # answer.facts: JSON, answer.content: bytes

The child (`crm.files.parsing.child`) is a Python that has no database, no keys in its environment and no network; it imports one
library, reads the file from a descriptor and writes one bounded answer: JSON, a line end, bytes. Only `PARSING_SLOTS` of
them run on this host at once for pages and as many for jobs; who finds none free waits, then gets `ParsingBusy`. What a file
does to its child ends with the child: the caller gets `ParsingRefused` with a sentence.

A new operation is a function in `crm.files.parsing.child`, named in its `OPERATIONS`.
"""

from crm.files.parsing.process import Answer, Limits, ParsingBusy, ParsingRefused, Pool, parse

__all__ = ["Answer", "Limits", "ParsingBusy", "ParsingRefused", "Pool", "parse"]

"""One command that starts the whole of Keelson on one machine, keeps it running, and stops it without a trace.

`python -m launcher.supervisor`: PostgreSQL and Redis (the embedded ones, unless DATABASE_URL and REDIS_URL are set), the
migrations, the static files, the sandboxes, the pages, the live process, the workers and the clock. It is what
`make demo` and the smoke run use; a large installation starts the same commands with its own tool (docs/operations.md).
"""

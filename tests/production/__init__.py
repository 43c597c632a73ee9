"""`python -m tests.production`: an installation on servers of one's own, as docs/operations/servers.md has it, proved.

PostgreSQL of the system (the oldest that we support) with an owner who is no superuser, Redis, nginx with the site that we
ship and TLS, production settings, the supervisor. Somebody signs in, money is posted, the database is dumped, restored into an
empty cluster and proved there. Nothing of the machine's own servers is touched; everything ends with the program.
"""

"""The Django project's own parts: deployment checks, logging, hosts, the web worker."""

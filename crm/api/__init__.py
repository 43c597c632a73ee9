"""The public REST API: principals and their tokens, the conventions of every resource, and where the apps' parts meet."""

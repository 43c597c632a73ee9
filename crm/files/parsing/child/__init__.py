"""What runs in the child. Nothing here imports Keelson or Django: it is started by itself, with `crm/parsing` as its path."""

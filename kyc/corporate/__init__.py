"""Clients that are legal entities: the company, its people, who owns it, and what its verification lacks."""

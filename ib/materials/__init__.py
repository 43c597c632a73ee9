"""Banners that a brand gives its partners, embedded with the partner's link, with views and clicks counted."""

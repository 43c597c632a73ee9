"""Spend of campaigns by day: entered by hand, or read from the exports of ad networks and other tables."""

"""Addresses of the movements pages."""

from django.urls import path

from wallet.movements import views as neighbours

URLS = [path("money/next/<slug:kind>/<int:pk>/", neighbours.neighbour, name="neighbour")]

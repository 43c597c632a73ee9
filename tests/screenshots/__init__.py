"""The pictures of docs/screenshots: `make screenshots` takes them anew from a fresh demo."""

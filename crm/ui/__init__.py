"""The UI kit: what a page needs that is not its domain. See docs/ui.md."""

"""Pages of settlement reports, breaks, costs and daily sources."""

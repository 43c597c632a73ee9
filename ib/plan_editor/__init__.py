"""The editor of commission plans: what a plan starts from, its forms, the live check, and the preview of one trade."""

"""Bank wire: payment references in, pain.001 out."""

"""What every room of trading uses: issues, batching, the timeline's texts."""

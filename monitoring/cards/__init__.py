"""What monitoring shows on homes and beside lists."""

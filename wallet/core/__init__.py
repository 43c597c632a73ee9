"""What every room of the wallet uses: amounts, limits, references, files kept as evidence."""

"""What every room of the wallet uses: amounts, limits, references, files stored as evidence."""

"""What surrounds each request: middleware, limits on input, compression, the API's frame."""

"""The store's products as a Nameko service on Redis."""

"""The store's orders as a Nameko service on SQLAlchemy."""

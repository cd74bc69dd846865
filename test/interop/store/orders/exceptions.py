class NotFound(Exception):
    """There is no such order."""

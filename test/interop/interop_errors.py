"""Errors that Python's services raise and, as classes of the same path, TypeScript's."""
from nameko.exceptions import deserialize_to_instance


@deserialize_to_instance
class OutOfStock(Exception):
    """Known by its path to both sides."""

    def __init__(self, item, wanted):
        super().__init__(item, wanted)
        self.item = item
        self.wanted = int(wanted)

    def __str__(self):
        return "{} of {} wanted".format(self.wanted, self.item)


class Unheard(Exception):
    """Known to nobody but its service."""

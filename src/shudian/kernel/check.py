"""Assertions that survive ``python -O``: a failed check is a fault of ours, never of a member."""


class CheckFailed(Exception):
    """A promise of the program about itself did not hold; the message that met it is rolled back."""


def that(holds: bool, promise: str) -> None:
    """Raise :class:`CheckFailed` unless ``holds``; ``promise`` states what should have been true."""
    if not holds:
        raise CheckFailed(promise)

"""The row of a sequence of ids, see :func:`shudian.kernel.tables.next_id`."""

from shudian.kernel.codec import Record


class Sequence(Record):
    """The last id given out for one name."""

    last_id: int

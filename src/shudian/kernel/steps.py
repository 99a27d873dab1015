"""What a path through a list's tree is made of, see :func:`shudian.kernel.merkle.merkle_path`."""

from shudian.kernel.codec import Record


class Step(Record):
    """One step from a leaf of a list towards its root. left: whether the neighbour stands on the left. digest: the neighbour."""

    left: bool
    digest: bytes

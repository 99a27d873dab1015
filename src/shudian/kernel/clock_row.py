"""The row of the clock."""

from shudian.kernel.codec import Record


class Clock(Record):
    """Market time. mode: ``wall`` (block time) or ``stepped`` (moves by AdvanceClock only). market_ms: now."""

    mode: str
    market_ms: int

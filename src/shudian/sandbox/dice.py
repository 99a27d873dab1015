"""Seeded chance without a stream: each draw depends on the seed and its labels alone, never on what was drawn before."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

_BELL_PARTS = 4
_BELL_MEAN = _BELL_PARTS * 65_535 // 2
_BELL_DEVIATION = 37_837  # of the sum of four even 16-bit numbers: 65,536 x sqrt(4 / 12)


@dataclass(frozen=True)
class Dice:
    """A counter-based generator over SHA-256: same seed and labels, same number, on any machine."""

    seed: int

    def draw(self, *labels: str | int) -> int:
        """An even 64-bit number for these labels.

        >>> Dice(1).draw("wind", 3) == Dice(1).draw("wind", 3)
        True
        """
        text = "\x1f".join(map(str, (self.seed, *labels)))
        return int.from_bytes(sha256(text.encode()).digest()[:8])

    def between(self, low: int, high: int, *labels: str | int) -> int:
        """An even number from ``low`` to ``high``, both included (``low <= high``)."""
        return low + self.draw(*labels) % (high - low + 1)

    def chance(self, share_ppm: int, *labels: str | int) -> bool:
        """True for ``share_ppm`` of all labels, in parts per million."""
        return self.between(1, 1_000_000, *labels) <= share_ppm

    def error_ppm(self, deviation_ppm: int, *labels: str | int) -> int:
        """A bell-shaped error around zero with this standard deviation, never beyond 3.47 times it.

        It is the sum of four even numbers (Irwin-Hall), so that no transcendental function is needed.
        """
        number = self.draw(*labels)
        total = sum(number >> (16 * part) & 65_535 for part in range(_BELL_PARTS))
        return (total - _BELL_MEAN) * deviation_ppm // _BELL_DEVIATION

    def shuffle(self, items: Iterable[str], *labels: str | int) -> list[str]:
        """The items in an order that depends on the labels only; items are told apart by their text."""
        return sorted(items, key=lambda item: (self.draw(*labels, item), item))

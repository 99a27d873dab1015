"""Tuples in ascending order that come and go one by one, a million of them as well as ten.

They stand in chunks, each a sorted list, with the last entry of each chunk beside them: to find a place takes two searches by halves, to come or go moves no more than a chunk.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from shudian.kernel import check

Entry = tuple[int | str | bytes, ...]

CHUNK_MAX_COUNT: Final = 1_024
_REBUILT_FROM: Final = 4
"""Entries that come together are sorted in with all others if they are more than one in so many of these."""


class Ordered:
    """Different tuples, each comparable with the others, in ascending order."""

    def __init__(self, entries: Iterable[Entry] = (), chunk_max_count: int = CHUNK_MAX_COUNT) -> None:
        """``entries``: to begin with, in any order. A chunk that grows beyond ``chunk_max_count`` is parted in two."""
        self._chunk_max_count = chunk_max_count
        self._chunks: list[list[Entry]] = []
        self._lasts: list[Entry] = []
        self._count = 0
        self._make(sorted(entries))

    def _make(self, entries: list[Entry]) -> None:
        size = (self._chunk_max_count + 1) >> 1
        self._chunks = [entries[first : first + size] for first in range(0, len(entries), size)]
        self._lasts = [chunk[-1] for chunk in self._chunks]
        self._count = len(entries)

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        """All in ascending order; to be read before the next change."""
        return iter(self._chunks[0]) if len(self._chunks) == 1 else chain.from_iterable(self._chunks)

    def add(self, entry: Entry) -> None:
        """Take in an entry that is not there."""
        chunks, lasts = self._chunks, self._lasts
        self._count += 1
        if not lasts:
            chunks.append([entry])
            lasts.append(entry)
            return
        place = bisect_left(lasts, entry)
        if place == len(lasts):
            place -= 1
            chunk = chunks[place]
            chunk.append(entry)
            lasts[place] = entry
        else:
            chunk = chunks[place]
            insort(chunk, entry)
        if len(chunk) > self._chunk_max_count:
            half = len(chunk) >> 1
            chunks.insert(place + 1, chunk[half:])
            del chunk[half:]
            lasts.insert(place, chunk[-1])

    def add_all(self, entries: list[Entry]) -> None:
        """Take in entries that are not there."""
        if len(entries) * _REBUILT_FROM > len(self):
            self._make(sorted(chain(self, entries)))
        else:
            for entry in entries:
                self.add(entry)

    def remove(self, entry: Entry) -> None:
        """Take out an entry that is there."""
        chunks, lasts = self._chunks, self._lasts
        place = bisect_left(lasts, entry)
        check.that(place < len(lasts), "an entry is there before it goes")
        chunk = chunks[place]
        at = bisect_left(chunk, entry)
        check.that(chunk[at] == entry, "an entry is there before it goes")
        self._count -= 1
        del chunk[at]
        if not chunk:
            del chunks[place]
            del lasts[place]
        elif at == len(chunk):
            lasts[place] = chunk[-1]

    def starting(self, prefix: Entry) -> Iterator[Entry]:
        """Those that start with ``prefix``, in order; to be read before the next change."""
        chunks, size = self._chunks, len(prefix)
        place = bisect_left(self._lasts, prefix)
        first = bisect_left(chunks[place], prefix) if place < len(chunks) else 0
        while place < len(chunks):
            chunk = chunks[place]
            for at in range(first, len(chunk)):
                entry = chunk[at]
                if entry[:size] != prefix:
                    return
                yield entry
            place += 1
            first = 0

    def below(self, limit: Entry) -> list[Entry]:
        """Those before ``limit``, in order."""
        place = bisect_left(self._lasts, limit)
        found = list(chain.from_iterable(self._chunks[:place]))
        if place < len(self._chunks):
            chunk = self._chunks[place]
            found += chunk[: bisect_left(chunk, limit)]
        return found

"""Several datasets behind one another."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from training.data.sample import Frames, Sample


class Chained:
    """The samples of datasets, in their order; no two have a name in common."""

    def __init__(self, parts: Sequence[Frames]) -> None:
        self._parts = tuple(parts)
        self._ends = (0, *accumulate(map(len, parts)))
        self.names = tuple(name for part in parts for name in part.names)
        self.origin = " + ".join(part.origin for part in parts)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample."""
        part = bisect_right(self._ends, index) - 1
        return self._parts[part][index - self._ends[part]]

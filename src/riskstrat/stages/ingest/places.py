"""The place of a number in a sorted array, for tens of millions of numbers in no order: a directory, then a few steps.

A binary search over a million people asks for twenty far-apart words of memory a row, which is most of the time of
linking rows to people. The leading bits of a number tell where to begin; what is left takes a step or two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Directory:
    """Sorted, distinct integers with a directory of their leading bits.

    ``padded`` are the numbers with their greatest repeated once; ``begins`` holds, for every value of the leading bits
    of a number's distance from ``least``, where numbers with at least these bits begin. ``steps`` are enough for the
    longest stretch.
    """

    padded: Any
    begins: Any
    least: int
    shift: int
    steps: int

    @classmethod
    def of(cls, numbers: Any) -> Directory:
        """The directory of one number or more, about as long as there are numbers."""
        import numpy as np

        least, span = int(numbers[0]), int(numbers[-1]) - int(numbers[0])
        shift = max(0, span.bit_length() - len(numbers).bit_length())
        leading = (numbers - least) >> shift
        begins = np.searchsorted(leading, np.arange((span >> shift) + 2))
        return cls(
            padded=np.append(numbers, numbers[-1]),
            begins=begins,
            least=least,
            shift=shift,
            steps=int(np.diff(begins).max()).bit_length(),
        )

    def places(self, wanted: Any) -> tuple[Any, Any]:
        """The place of each integer, from 1, and whether it has none (its place then means nothing)."""
        import numpy as np

        distance = np.clip(wanted, self.least, self.padded[-1]) - self.least
        leading = distance >> self.shift
        low, high = self.begins[leading], self.begins[leading + 1]
        for _ in range(self.steps):  # a binary search of every stretch at once
            middle = (low + high) >> 1
            is_above = (self.padded[middle] < wanted) & (middle < high)
            low, high = np.where(is_above, middle + 1, low), np.where(is_above, high, middle)
        return low + 1, self.padded[low] != wanted


def place_in(numbers: Any) -> Callable[[Any], Any]:
    """A function that takes an Arrow array of integers and gives their places, from 1, in sorted, distinct ``numbers``.

    An integer that is not among them has none (NULL). The function holds the numbers.
    """
    import pyarrow as pa

    if not len(numbers):
        return lambda given: pa.nulls(len(given), pa.int64())
    directory = Directory.of(numbers)

    def place(given: Any) -> Any:
        places, is_absent = directory.places(given.to_numpy(zero_copy_only=False))
        return pa.array(places, mask=is_absent)

    return place

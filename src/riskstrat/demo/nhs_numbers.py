"""Synthetic NHS numbers: only the range 999 000 0000 to 999 999 9999, which is never issued to anybody.

Source: NHS Data Dictionary, NHS NUMBER: modulus 11 with weights 10 to 2; ten equal digits are no number.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from riskstrat.demo.calibration import Integers

PREFIX = 999
# Numbers kept back, so that a row can carry a valid number that nobody in the town has.
STRANGERS = 90


@cache
def valid_numbers() -> Integers:
    """All 909,090 valid numbers of the range, ascending: one prefix in eleven has no check digit."""
    first_nine = np.arange(PREFIX * 10**6, (PREFIX + 1) * 10**6, dtype=np.int64)
    total = np.zeros(len(first_nine), dtype=np.int64)
    for place in range(9):
        total += (first_nine // 10 ** (8 - place)) % 10 * (10 - place)
    check = (11 - total % 11) % 11
    numbers = first_nine * 10 + check
    valid: Integers = numbers[(check != 10) & (numbers != 9_999_999_999)]
    return valid


# All valid numbers but those kept back; a test holds it against valid_numbers().
MAXIMUM_PEOPLE = 909_000


def shuffled_numbers(seed: int) -> Integers:
    """All valid numbers in the seed's order: a town takes them from the front, strangers from the end."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    return generator.permutation(valid_numbers())


def with_wrong_check_digit(numbers: Integers) -> Integers:
    """The same numbers, each with a check digit that is one off and so never valid."""
    return numbers - numbers % 10 + (numbers + 1) % 10

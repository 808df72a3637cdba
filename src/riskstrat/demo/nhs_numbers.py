"""Synthetic NHS numbers: the range 999 000 0000 to 999 999 9999, which is never issued to anybody.

It has 909,090 valid numbers. A larger town, made to measure speed and not to be kept, goes on with 998, 997 and so
on: issued numbers begin with 4, 6 or 7, so these are nobody's either.
Source: NHS Data Dictionary, NHS NUMBER: modulus 11 with weights 10 to 2; ten equal digits are no number.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from riskstrat.demo.calibration import Integers

PREFIX = 999
# Numbers kept back, so that a row can carry a valid number that nobody in the town has.
STRANGERS = 90
PEOPLE_OF_THE_RANGE = 909_000
MAXIMUM_PEOPLE = 10_000_000


@cache
def valid_numbers(prefix: int = PREFIX) -> Integers:
    """All valid numbers that begin with three digits, ascending: one stem in eleven has no check digit."""
    first_nine = np.arange(prefix * 10**6, (prefix + 1) * 10**6, dtype=np.int64)
    total = np.zeros(len(first_nine), dtype=np.int64)
    for place in range(9):
        total += (first_nine // 10 ** (8 - place)) % 10 * (10 - place)
    check = (11 - total % 11) % 11
    numbers = first_nine * 10 + check
    valid: Integers = numbers[(check != 10) & (numbers != 9_999_999_999)]
    return valid


def shuffled_numbers(seed: int, people: int) -> tuple[Integers, Integers]:
    """The numbers of ``people`` people in the seed's order, and those of strangers, whom no register knows."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    mixed = generator.permutation(valid_numbers())
    blocks, strangers = [mixed[:PEOPLE_OF_THE_RANGE]], mixed[-STRANGERS:]
    prefix = PREFIX
    while sum(len(block) for block in blocks) < people:
        prefix -= 1
        blocks.append(generator.permutation(valid_numbers(prefix)))
    return np.concatenate(blocks)[:people], strangers


def with_wrong_check_digit(numbers: Integers) -> Integers:
    """The same numbers, each with a check digit that is one off and so never valid."""
    return numbers - numbers % 10 + (numbers + 1) % 10

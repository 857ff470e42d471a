"""Distinct random sets of many sizes, balanced over members, sizes and blocks.

Members and blocks are numbers here. How far the balance goes is what each function promises.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

Members = frozenset[int]


def shares(count: int, capacities: Sequence[int], generator: np.random.Generator) -> list[int]:
    """Share `count` out as equally as the capacities allow; who gets what is left over is drawn.

    Raises `ValueError` where the capacities do not hold it.
    """
    if count > sum(capacities):
        raise ValueError(f"{count} do not fit into {list(capacities)}")
    given = [0] * len(capacities)
    while count:
        for place in generator.permutation(len(capacities)):
            if count and given[place] < capacities[place]:
                given[place] += 1
                count -= 1
    return given


def balanced_sets(
    members: int, size: int, count: int, generator: np.random.Generator
) -> list[Members]:
    """Return distinct random sets of one size with members equally often in one, to within 1.

    `count` is at most the number of distinct sets. They are drawn at random, and then the most
    frequent member makes way for the least frequent one in some set, again and again. There always
    is such a set whose changed form is new: more sets have the one without the other than the
    other without the one.
    """
    sets: dict[Members, None] = {}  # a set that remembers its order
    while len(sets) < count:
        sets[frozenset(map(int, generator.permutation(members)[:size]))] = None
    seen = Counter(member for chosen in sets for member in chosen)
    while True:
        often = max(range(members), key=lambda member: seen[member])
        seldom = min(range(members), key=lambda member: seen[member])
        if seen[often] - seen[seldom] <= 1:
            return list(sets)
        old, new = next(
            (chosen, changed)
            for chosen in sets
            if often in chosen
            and seldom not in chosen
            and (changed := chosen - {often} | {seldom}) not in sets
        )
        del sets[old]
        sets[new] = None
        seen.update({often: -1, seldom: 1})


def levelled(
    sets: Sequence[Members], totals: Counter[int], members: int, generator: np.random.Generator
) -> list[Members]:
    """Rename the members so that those in one set more are those that `totals` has fewest of.

    Totals that were equal to within 1 then still are when the sets are added to them.
    """
    here = Counter(member for chosen in sets for member in chosen)
    frequent = _ordered(members, generator, lambda member: -here[member])
    seldom = _ordered(members, generator, lambda member: totals[member])
    named = dict(zip(frequent, seldom, strict=True))
    return [frozenset(named[member] for member in chosen) for chosen in sets]


def dealt(
    classes: Sequence[Sequence[Members]], blocks: int, generator: np.random.Generator
) -> list[list[Members]]:
    """Deal sets out to blocks, a class (the sets of one size) after the other.

    The blocks have equally many sets, to within 1, of each class and in all. Within that a set goes
    to the block that has met its members least; those counts are no more than similar.
    """
    hands: list[list[Members]] = [[] for _ in range(blocks)]
    met: list[Counter[int]] = [Counter() for _ in range(blocks)]
    for sets in classes:
        for start in range(0, len(sets), blocks):
            turn = sets[start : start + blocks]
            free = _ordered(blocks, generator, lambda block: len(hands[block]))[: len(turn)]
            for chosen in turn:
                block = min(free, key=lambda place: sum(met[place][one] for one in chosen))
                free.remove(block)
                hands[block].append(chosen)
                met[block].update(chosen)
    return [[hand[place] for place in generator.permutation(len(hand))] for hand in hands]


def _ordered(count: int, generator: np.random.Generator, key: Callable[[int], int]) -> list[int]:
    """Numbers below `count` by `key`, equal ones in random order."""
    return sorted((int(number) for number in generator.permutation(count)), key=key)

"""What does not hold: one place where what stands written is not what is computed now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

LONGEST = 100  # characters of a value that are told
NOTHING = "nothing"


@dataclass(frozen=True)
class Finding:
    """One place of one file: what stands there, and what should."""

    file: str
    place: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: was {_short(self.was)}, is {_short(self.now)}"


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= LONGEST else f"{one_line[: LONGEST - 1]}…"


def differences(was: object, now: object, place: str) -> Iterator[tuple[str, str, str]]:
    """``(place, was, now)`` of every value in which two nested values differ, to the last digit."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*was, *now]):
            yield from differences(was.get(key), now.get(key), f"{place}.{key}")
    elif _is_list(was) and _is_list(now) and len(was) == len(now):
        for index, (first, second) in enumerate(zip(was, now, strict=True)):
            yield from differences(first, second, f"{place}.{index}")
    elif was != now:
        yield place, repr(was), repr(now)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)

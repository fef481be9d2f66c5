"""Numbered footnotes, one for each distinct sentence, in the order of their first use."""

from __future__ import annotations


class Footnotes:
    """Collects sentences while a table is drawn."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, sentence: str) -> str:
        """The mark ``[3]`` of a sentence, the same each time it is used."""
        return f"[{self._numbers.setdefault(sentence, len(self._numbers) + 1)}]"

    def lines(self) -> list[str]:
        """``[1] Sentence.`` for each."""
        return [f"[{number}] {sentence}" for sentence, number in self._numbers.items()]

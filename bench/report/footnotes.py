"""Numbered footnotes, one for each distinct sentence, in the order of their first use."""

from __future__ import annotations

from collections.abc import Iterable


class Footnotes:
    """Collects sentences while a table is drawn."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, sentence: str) -> int:
        """The number of a sentence, the same each time it is used; the first has 1."""
        return self._numbers.setdefault(sentence, len(self._numbers) + 1)

    def numbers(self, sentences: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the sentences, each once."""
        return tuple(self.number(sentence) for sentence in dict.fromkeys(sentences))

    @property
    def sentences(self) -> tuple[str, ...]:
        """In the order of their numbers."""
        return tuple(self._numbers)

    def mark(self, sentence: str) -> str:
        """The mark ``[3]`` of a sentence, for text."""
        return f"[{self.number(sentence)}]"

    def lines(self) -> list[str]:
        """``[1] Sentence.`` for each."""
        return [f"[{number}] {sentence}" for sentence, number in self._numbers.items()]

"""What can go wrong, split by who must act; each error is one line at the terminal."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import partial


class BenchError(Exception):
    """Base of every error the suite raises on purpose; ``exit_code`` is the process's."""

    exit_code = 1


class InputError(BenchError):
    """Something the user gave cannot be used: ``file: key: what is wrong; what to do``.

    Args:
        problem: what is wrong, with the offending value.
        remedy: what to do about it.
        key: the key or argument at fault, dotted (``dataset.mine.path``), if there is one.
        file: the file it stands in, if known here; an outer floor may add it by ``in_file``.
    """

    exit_code = 2

    def __init__(
        self, problem: str, *, remedy: str, key: str | None = None, file: str | None = None
    ) -> None:
        self.problem, self.remedy, self.key, self.file = problem, remedy, key, file
        super().__init__(problem)

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.file, self.key) if part)
        return f"{where}{self.problem}; {self.remedy}"

    def __reduce__(self) -> tuple[Callable[[], InputError], tuple[()]]:
        """So that it comes whole out of another process."""
        said = partial(type(self), self.problem, remedy=self.remedy)
        return partial(said, key=self.key, file=self.file), ()

    def in_file(self, file: str, key: str | None = None) -> InputError:
        """The same error with the file (and an outer key) that led to it, where none was known."""
        self.file = self.file or file
        self.key = self.key or key
        return self


class DataUnavailable(InputError):
    """A data set cannot be had here (no network, file refused); other data sets go on."""


class RunFailed(BenchError):
    """One run cannot go on (NaN loss, out of memory); it is recorded and the others go on."""


class CannotWrite(BenchError):
    """A result cannot be stored: nothing else can be either, so the suite ends; nothing is lost."""

    exit_code = 2


class CannotReach(BenchError):
    """A place that other machines share does not answer; what is kept elsewhere is not lost."""

    exit_code = 2


class TestSplitLocked(BenchError):
    """Code tried to read the test split before training and selection were over."""

    __test__ = False  # not a pytest class, whatever its name


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the known name closest to ``name``, or the first few known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    part_of = [known for known in names if len(name) > 1 and name.lower() in known.lower()]
    if close or part_of:
        return f"did you mean {' or '.join(map(repr, part_of[:3] or close))}?"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"known are: {shown}"

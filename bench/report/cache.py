"""What was worked out of records and predictions before, kept by what it was worked out of.

A key is a hash over everything that decides the value: the content of the files it is read from
(never their names or times) and the code. So nothing here can be out of date, and an edited
record finds nothing. SQLite, since one record more must not write all others anew and two
processes may report at once; it comes with Python. The file may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.data.cache import Cache

log = logging.getLogger(__name__)

NAME = "reports.sqlite"
SHARE = 0.25  # of BENCH_CACHE_GB that the file may take
_AT_ONCE = 500  # keys a query; SQLite's own limit is 999 in old versions
_WAIT_S = 20.0  # for another process that writes
_TABLE = """CREATE TABLE IF NOT EXISTS derived (
    key BLOB PRIMARY KEY, size INTEGER, used INTEGER, checksum BLOB, content BLOB)"""
_off = ContextVar("_off", default=False)
Result = TypeVar("Result")


def key(kind: str, code: str, *parts: str) -> bytes:
    """The key of a value of this kind, made by this code from these parts."""
    return hashlib.sha256(json.dumps([kind, code, *parts]).encode()).digest()


@contextlib.contextmanager
def without_cache() -> Iterator[None]:
    """Inside, everything is worked out anew and nothing is kept."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


@dataclass
class DerivedCache:
    """One file of values.

    Attributes:
        path: of the file; None: nothing is kept.
        budget_bytes: what values may take together; those not used for longest go first.
    """

    path: Path | None
    budget_bytes: int

    @classmethod
    def from_environment(cls) -> DerivedCache:
        """In the folder that ``BENCH_CACHE`` names, beside the arrays of data sets.

        Raises:
            InputError: ``BENCH_CACHE_GB`` is not a size.
        """
        beside = Cache.from_environment()
        kept = None if beside.folder is None or _off.get() else beside.folder / NAME
        return cls(kept, int(SHARE * beside.budget_bytes))

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values that are there, each as it was put."""
        if self.path is None or not self.path.exists():
            return {}
        wanted = [*dict.fromkeys(keys)]
        return self._in_transaction(lambda database: self._found(database, wanted)) or {}

    def put(self, made: Mapping[bytes, bytes]) -> None:
        """Keep these, all or none."""
        if self.path is not None and made:
            self._in_transaction(lambda database: self._keep(database, made))

    def _found(self, database: sqlite3.Connection, wanted: list[bytes]) -> dict[bytes, bytes]:
        found, damaged, today = dict[bytes, bytes](), list[tuple[bytes]](), _today()
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            which = f"WHERE key IN ({','.join('?' * len(some))})"
            rows = database.execute(
                f"SELECT key, checksum, content, used FROM derived {which}", some
            ).fetchall()
            found |= {name: content for name, told, content, _ in rows if told == _sum(content)}
            damaged += [(name,) for name, *_ in rows if name not in found]
            if any(used < today for *_, used in rows):
                database.execute(f"UPDATE derived SET used = ? {which}", (today, *some))
        if damaged:
            log.warning("%s: %d values are damaged, made anew", self.path, len(damaged))
            database.executemany("DELETE FROM derived WHERE key = ?", damaged)
        return found

    def _keep(self, database: sqlite3.Connection, made: Mapping[bytes, bytes]) -> None:
        database.executemany(
            "INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?)",
            [(name, len(value), _today(), _sum(value), value) for name, value in made.items()],
        )
        (taken,) = database.execute("SELECT sum(size) FROM derived").fetchone()
        gone = []
        for name, size in database.execute("SELECT key, size FROM derived ORDER BY used, rowid"):
            if taken <= self.budget_bytes:
                break
            gone.append((name,))
            taken -= size
        database.executemany("DELETE FROM derived WHERE key = ?", gone)

    def _in_transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """None where the file cannot be used: it is left alone then, or made anew if damaged."""
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = sqlite3.connect(self.path, timeout=_WAIT_S)
            with contextlib.closing(opened) as database, database:
                database.execute(_TABLE)
                return work(database)
        except (OSError, sqlite3.OperationalError) as error:  # read-only, full, locked
            log.warning("%s: nothing is kept here (%s)", self.path, error)
            self.path = None
        except sqlite3.DatabaseError as error:
            log.warning("%s: damaged (%s), made anew", self.path, error)
            for path in (self.path, self.path.with_name(f"{NAME}-journal")):
                path.unlink(missing_ok=True)
        return None


def _sum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _today() -> int:
    return int(time.time() // 86400)

"""What is worked out of each stored run alone: kept from before, else made, side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.cache import DerivedCache, key
from bench.report.processes import mapped

_WORTH_A_PROCESS = 50  # runs


def from_predictions(
    kind: str,
    code: str,
    records: Sequence[Record],
    store: Store,
    make: Callable[[Record], bytes],
) -> list[bytes]:
    """``make`` of each finished training, in the given order.

    What is kept belongs to the run's id and to the very bytes of its predictions, which are read
    anew each time.

    Args:
        kind, code: of what is made, and a digest of all but these that decides it.

    Raises:
        InputError: a file of predictions cannot be read.
        Exception: whatever ``make`` raises.
    """
    cache = DerivedCache.from_environment()

    def key_of(record: Record) -> bytes:
        try:
            content = store.predictions_path(record.id).read_bytes()
        except OSError:
            content = b""
            store.load_predictions(record.id)  # tells what is wrong
        task = record.training.data.task if record.training else ""
        return key(kind, code, record.id, task, hashlib.sha256(content).hexdigest())

    keys = [key_of(record) for record in records]
    known = cache.get(keys)
    lacking = [place for place, name in enumerate(keys) if name not in known]

    def made(place: int) -> tuple[bytes, bool] | None:
        """With whether the file stayed as it was; None for what is raised again below, in the
        process that can tell of it."""
        try:
            content = make(records[place])
            return content, key_of(records[place]) == keys[place]
        except Exception:
            return None

    new: dict[bytes, bytes] = {}
    for place, found in zip(lacking, mapped(made, lacking, least=_WORTH_A_PROCESS), strict=True):
        content, same = found or (make(records[place]), False)
        known[keys[place]] = content
        if same:
            new[keys[place]] = content
    cache.put(new)
    return [known[name] for name in keys]

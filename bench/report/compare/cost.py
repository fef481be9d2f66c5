"""What two models cost, wherever both were measured under the same conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.details import MemorySpec
from bench.race.record import RaceRecord, TimedContender
from bench.records.details import MemoryResult
from bench.records.schema import Record
from bench.report.collect import cost_of
from bench.report.design import rounds_of, timed_together
from bench.specs import CostSpec
from bench.staleness import Staleness
from bench.statistics.floor import widened
from bench.statistics.timings import Estimate, speed_ratio

RACE_FLOOR = 0.02
"""How far apart two equal models of a race may lie: each runs in the form that a short trial of
each chose."""


@dataclass(frozen=True)
class Speed:
    """How many times as fast the first is, at one task.

    Attributes:
        timed: in a race, or by ``measure`` in the same rounds.
        floor: how far apart two copies of one model lie there, as a share; None: not known.
    """

    timed: Literal["race", "same rounds"]
    where: str
    machine: str
    ratio: Estimate
    floor: float | None
    stale: bool
    noisy: bool
    record: str  # the race's name, or the ids of both records

    @property
    def word(self) -> Literal["faster", "slower", "not told apart"]:
        """Of the first, by the interval with the floor added at both ends."""
        wide = widened(self.ratio, self.floor or 0.0)
        if wide.low > 1:
            return "faster"
        return "slower" if wide.high < 1 else "not told apart"


@dataclass(frozen=True)
class Measured:
    """Both models' cost records of the same settings on the same machine.

    Attributes:
        speed: their ratio; None where they were not timed in the same rounds.
    """

    where: str
    machine: str
    first: Record
    second: Record
    speed: Speed | None
    stale: tuple[bool, bool]


@dataclass(frozen=True)
class Memory:
    """Peaks of fresh processes beyond what the libraries take, in bytes; None: not measured."""

    where: str
    machine: str
    inference: tuple[int, int]
    training: tuple[int | None, int | None]
    ids: tuple[str, str]
    stale: tuple[bool, bool]


def measured(records: Sequence[Record], names: tuple[str, str], known: Staleness) -> list[Measured]:
    """Every setting in which both were measured, by image size; each with each other of a name."""
    found = []
    for first in _costs(records, names[0]):
        for second in _costs(records, names[1]):
            one, other = first.spec, second.spec
            assert isinstance(one, CostSpec)
            assert isinstance(other, CostSpec)
            if one.model_copy(update={"model": other.model}) != other:
                continue
            stale = (
                known.stale(one, first.provenance),
                known.stale(other, second.provenance),
            )
            place, speed = machine(one.device_name, one.threads), _together(first, second, stale)
            found.append(Measured(_where(one), place, first, second, speed, stale))
    return sorted(found, key=lambda one: (_size(one.first), one.where, one.machine))


def machine(name: str, threads: int) -> str:
    """``AMD EPYC, 2 cores, 2 threads``."""
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def _size(record: Record) -> int:
    assert isinstance(record.spec, CostSpec)
    return record.spec.image_size


def settings_of(records: Sequence[Record], name: str) -> list[str]:
    """Where one model was measured, for people."""
    return [
        f"{_where(record.spec)} on {record.spec.device_name}"
        for record in sorted(_costs(records, name), key=_size)
        if isinstance(record.spec, CostSpec)
    ]


def _costs(records: Sequence[Record], name: str) -> list[Record]:
    return [
        record
        for record in records
        if isinstance(record.spec, CostSpec)
        and record.spec.model.name == name
        and record.cost is not None
    ]


def _where(spec: CostSpec) -> str:
    order = "" if spec.channels_last else ", contiguous"
    return (
        f"{spec.image_size} px, batch {spec.batch_size}, {spec.num_classes} classes, "
        f"{spec.precision}{order}"
    )


def _together(first: Record, second: Record, stale: tuple[bool, bool]) -> Speed | None:
    """The ratio of two measurements of one process, whose rounds are the same."""
    mine, theirs = rounds_of(cost_of(first)), rounds_of(cost_of(second))
    shared = min(len(mine), len(theirs))
    if shared < 2 or not timed_together(first, second):
        return None
    assert isinstance(first.spec, CostSpec)
    floors = [c.noise_floor.throughput for r in (first, second) if (c := cost_of(r)).noise_floor]
    return Speed(
        timed="same rounds",
        where=f"inference at {_where(first.spec)}",
        machine=machine(first.spec.device_name, first.spec.threads),
        ratio=speed_ratio(mine[:shared], theirs[:shared]),
        floor=max(floors, default=None),
        stale=any(stale),
        noisy=cost_of(first).noisy or cost_of(second).noisy,
        record=f"{first.id} {second.id}",
    )


def raced(races: Sequence[RaceRecord], names: tuple[str, str]) -> list[Speed]:
    """Every race that both ran in, timed in turn in the same rounds."""
    found = []
    for made in races:
        for race in made.races:
            timed = {contender.label: contender for contender in race.contenders}
            both = [timed.get(name) for name in names]
            if None not in both:
                ratio = _ratio(*(one for one in both if one is not None))
                if ratio is not None:
                    found.append(
                        Speed(
                            timed="race",
                            where=race.spec.name,
                            machine=machine(made.provenance.device_name, made.provenance.threads),
                            ratio=ratio,
                            floor=RACE_FLOOR,
                            stale=made.stale,
                            noisy=race.noisy,
                            record=made.name,
                        )
                    )
    return found


def _ratio(first: TimedContender, second: TimedContender) -> Estimate | None:
    """None where one of them failed."""
    if first.failure or second.failure:
        return None
    return speed_ratio(first.rounds_s, second.rounds_s)


def memories(records: Sequence[Record], names: tuple[str, str], known: Staleness) -> list[Memory]:
    """Where the memory of both was measured at the same batch and size on the same machine."""
    return [
        Memory(
            where=f"{one.image_size} px, batch {one.batch_size}",
            machine=one.device_name,
            inference=(
                a.inference_peak_bytes - a.libraries_bytes,
                b.inference_peak_bytes - b.libraries_bytes,
            ),
            training=(_training(a), _training(b)),
            ids=(first.id, second.id),
            stale=(known.stale(one, first.provenance), known.stale(other, second.provenance)),
        )
        for first, one, a in _memory(records, names[0])
        for second, other, b in _memory(records, names[1])
        if one.model_copy(update={"model": other.model}) == other
    ]


def _memory(
    records: Sequence[Record], name: str
) -> Iterator[tuple[Record, MemorySpec, MemoryResult]]:
    for record in records:
        spec, found = record.spec, record.detail
        if not isinstance(spec, MemorySpec) or not isinstance(found, MemoryResult):
            continue
        if spec.model.name == name:
            yield record, spec, found


def _training(found: MemoryResult) -> int | None:
    peak = found.training_peak_bytes
    return None if peak is None else peak - found.libraries_bytes

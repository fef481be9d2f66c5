"""Archives are merged by id: nothing damaged comes in, nothing that is there is written over."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.gpu.archive import MANIFEST, changed, read_archive, snapshot, write_archives
from bench.gpu.merge import merge
from bench.gpu.record import Call, Machine
from bench.records.schema import Attempt, Record
from bench.records.store import Store
from bench.suite import load_suite
from tests._helpers.records import provenance, train
from tests._helpers.specs import run_spec
from tests.bench.conftest import Command

MACHINE = Machine(device="cuda", device_name="a GPU", torch="2", cuda="13", python="3")


def archive(
    results: Path, path: Path, *, rehearsal: bool = False, largest: int = 2**24
) -> list[Path]:
    """What lies in ``results``, as a call that made all of it would leave it."""
    call = Call(
        rehearsal=rehearsal,
        machine=MACHINE,
        commit=None,
        dirty=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        minutes=9,
        steps=[],
        files=changed(results, {}),
    )
    return write_archives(path, call, results, [], largest)


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    """Two finished runs on another machine."""
    store, suite = Store(tmp_path / "theirs"), load_suite("breast")
    train(store, suite, "medspectralnet", "breastmnist", 0, 80)
    train(store, suite, "resnet18", "breastmnist", 1, 70)
    return store


@pytest.fixture
def left(theirs: Store, tmp_path: Path) -> Path:
    return archive(theirs.root, tmp_path / "a.tar.gz")[0]


def test_records_and_predictions_come_in_as_they_were_and_twice_is_once(
    theirs: Store, left: Path, results: Path
) -> None:
    assert len(merge([left], results).added) == 2
    assert snapshot(results) == snapshot(theirs.root)
    mine = Store(results)
    assert all(mine.has_predictions(record) for record in mine.all())
    again = merge([left, left], results)
    assert (len(again.added), len(again.known), again.refused) == (0, 2, [])


def test_a_dry_run_writes_nothing(left: Path, results: Path) -> None:
    assert len(merge([left], results, dry_run=True).added) == 2
    assert not results.exists()


def test_a_record_that_differs_is_refused_and_both_are_named(
    theirs: Store, left: Path, results: Path, bench: Command
) -> None:
    mine = Store(results)
    ours = train(mine, load_suite("breast"), "medspectralnet", "breastmnist", 0, 81)
    before = snapshot(results)
    said = bench("gpu", "--merge", left)
    assert said.code == 1
    assert str(left) in said.err
    assert str(mine.path(ours.id)) in said.err
    assert "1 added" in said.out
    assert before.items() <= snapshot(results).items()
    assert mine.load(ours.id) == ours


def attempt(status: str, number: int, attempts: list[Attempt]) -> Record:
    spec = run_spec(device="cuda")
    made = provenance(spec).model_copy(update={"started_at": datetime(2026, 1, number, tzinfo=UTC)})
    return Record(
        kind="training",
        id=spec.id,
        status=status,  # type: ignore[arg-type]
        reason="out of memory",
        spec=spec,
        suite=None,
        provenance=made,
        attempts=attempts,
    )


def test_a_later_attempt_takes_the_place_of_the_failed_one_that_it_tells_of(
    tmp_path: Path, results: Path
) -> None:
    first = attempt("failed", 1, [])
    told = Attempt(status="failed", reason="x", started_at=first.provenance.started_at, wall_s=1.0)
    later, unaware = attempt("skipped", 2, [told]), attempt("skipped", 2, [])
    for name, record in (("first", first), ("later", later), ("unaware", unaware)):
        Store(tmp_path / name).save(record)
        archive(tmp_path / name, tmp_path / f"{name}.tar.gz")
    mine = Store(results)
    merge([tmp_path / "first.tar.gz"], results)
    assert len(merge([tmp_path / "unaware.tar.gz"], results).refused) == 1
    assert mine.load(first.id) == first
    assert len(merge([tmp_path / "later.tar.gz"], results).added) == 1
    assert mine.load(first.id) == later
    assert len(merge([tmp_path / "first.tar.gz"], results).known) == 1
    assert mine.load(first.id) == later


def test_a_finished_record_gives_way_to_none(
    theirs: Store, left: Path, tmp_path: Path, results: Path
) -> None:
    """Whatever a record claims of earlier attempts, a result is no failed attempt."""
    ours = theirs.all()[0]
    merge([left], results)
    told = Attempt(status="failed", reason="x", started_at=ours.provenance.started_at, wall_s=1.0)
    theirs.save(ours.model_copy(update={"attempts": [told]}))
    (later,) = archive(theirs.root, tmp_path / "later.tar.gz")
    assert len(merge([later], results).refused) == 1
    assert Store(results).load(ours.id) == ours


def test_a_rehearsal_is_never_merged(theirs: Store, tmp_path: Path, results: Path) -> None:
    (path,) = archive(theirs.root, tmp_path / "r.tar.gz", rehearsal=True)
    with pytest.raises(InputError, match="rehearsal"):
        merge([path], results)
    assert not results.exists()


def repacked(left: Path, change: object, *, digests_too: bool = False) -> None:
    """The archive with its files changed; with ``digests_too`` the manifest goes with it."""
    import hashlib

    with tarfile.open(left) as old:
        contents = {m.name: old.extractfile(m).read() for m in old}  # type: ignore[union-attr]
    change(contents)  # type: ignore[operator]
    if digests_too:
        call = json.loads(contents[MANIFEST])
        call["files"] = {
            name: hashlib.sha256(content).hexdigest()
            for name, content in contents.items()
            if name != MANIFEST
        }
        contents[MANIFEST] = json.dumps(call).encode()
    with tarfile.open(left, "w:gz") as new:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))


def one(contents: dict[str, bytes], ending: str) -> str:
    return next(name for name in sorted(contents) if name.endswith(ending) and name != MANIFEST)


def flip(contents: dict[str, bytes]) -> None:
    contents[one(contents, ".npz")] += b"x"


def drop(contents: dict[str, bytes]) -> None:
    del contents[one(contents, ".npz")]


def drop_record(contents: dict[str, bytes]) -> None:
    del contents[one(contents, ".json")]


def add_outside(contents: dict[str, bytes]) -> None:
    contents["../records/0123456789abcdef.json"] = b"{}"


def unread(contents: dict[str, bytes]) -> None:
    contents[one(contents, ".json")] = b"{}"


def other_id(contents: dict[str, bytes]) -> None:
    contents["records/0123456789abcdef.json"] = contents.pop(one(contents, ".json"))


def no_manifest(contents: dict[str, bytes]) -> None:
    del contents[MANIFEST]


@pytest.mark.parametrize(
    ("change", "digests_too", "said"),
    [
        (flip, False, "not what the call left"),
        (flip, True, "do not belong together"),
        (drop, False, "is missing"),
        (drop, True, "do not belong together"),
        (drop_record, True, "do not belong together"),
        (add_outside, False, "does not belong"),
        (add_outside, True, "does not belong"),
        (unread, True, "damaged record"),
        (other_id, True, "belongs to the id"),
        (no_manifest, False, "holds no call.json"),
    ],
)
def test_a_damaged_archive_is_refused_whole(
    change: object, digests_too: bool, said: str, left: Path, results: Path
) -> None:
    repacked(left, change, digests_too=digests_too)
    with pytest.raises(InputError, match=said) as error:
        merge([left], results)
    assert str(left) in str(error.value)
    assert not results.exists()


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_half_an_archive_is_refused(part: float, left: Path, results: Path) -> None:
    content = left.read_bytes()
    left.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match="cannot be read"):
        merge([left], results)
    left.write_bytes(gzip.compress(b"no tar at all"))
    with pytest.raises(InputError, match=r"cannot be read|holds no"):
        merge([left], results)
    assert not results.exists()


def test_what_is_too_large_for_one_archive_is_split_and_each_part_is_whole(
    tmp_path: Path, theirs: Store, results: Path
) -> None:
    *first, record, _ = (
        path.stat().st_size + 1024 for path in sorted((theirs.root / "records").iterdir())
    )
    largest = 2**18 + sum(first) + record  # room for all but the second run's predictions
    parts = archive(theirs.root, tmp_path / "s.tar.gz", largest=largest)
    assert [path.name for path in parts] == ["s.tar.gz", "s-2.tar.gz"]
    assert all(path.stat().st_size <= largest for path in parts)
    stems = [{name.partition(".")[0] for name in read_archive(path)[1]} for path in parts]
    assert not stems[0] & stems[1]
    assert len(merge(parts[1:], results).added) == 1
    assert len(merge(parts, results).added) == 1
    assert snapshot(results) == snapshot(theirs.root)

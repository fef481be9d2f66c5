"""A place that every node reaches: whole files, later results, checkpoints there and back."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.cluster.mirror import CheckpointMirror
from bench.cluster.shared_store import CHECKPOINTS, RECORDS, RUNNING, SharedStore, deliver
from bench.errors import BenchError, CannotWrite, InputError
from bench.execution.running import running
from bench.records.schema import Record
from bench.records.store import Store
from bench.suite import load_suite
from tests._helpers.records import train


@pytest.fixture(params=["memory", "file"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> SharedStore:
    """A bucket (in memory) and a folder: fsspec serves both."""
    bucket = request.param == "memory"
    return SharedStore(f"memory://{uuid.uuid4()}" if bucket else f"file://{tmp_path / 'shared'}")


@pytest.fixture
def done(suite_file: Path, tmp_path: Path) -> tuple[Store, Record]:
    store = Store(tmp_path / "made")
    return store, train(store, load_suite(str(suite_file)), "small", "phantom-joint", 0, 50)


def test_what_is_written_is_read_listed_and_removed(shared: SharedStore) -> None:
    shared.check()
    assert shared.names(RECORDS) == set()
    assert shared.read(RECORDS, "a.json") is None
    shared.write(RECORDS, "a.json", b"one")
    shared.write(RECORDS, "a.json", b"two")
    assert shared.read(RECORDS, "a.json") == b"two"
    assert shared.names(RECORDS) == {"a.json"}
    shared.remove(RECORDS, "a.json")
    shared.remove(RECORDS, "a.json")
    assert shared.names(RECORDS) == set()


def put(shared: SharedStore, store: Store, record: Record) -> None:
    shared.write(RECORDS, f"{record.id}.npz", store.predictions_path(record.id).read_bytes())
    shared.write(RECORDS, f"{record.id}.json", record.model_dump_json(indent=1).encode())


def test_a_later_result_replaces_an_earlier_one_that_is_to_be_done_again(
    shared: SharedStore, done: tuple[Store, Record], tmp_path: Path
) -> None:
    made, record = done
    put(shared, made, record)
    here = Store(tmp_path / "here")
    assert shared.pull(here, {"another"}) == 0
    assert shared.pull(here) == 1
    kept = here.load(record.id)
    assert kept == record
    assert kept is not None
    assert here.has_predictions(kept)
    assert shared.pull(here) == shared.pull(here, {record.id}) == 0

    later = record.provenance.started_at + timedelta(seconds=1)
    newer = record.model_copy(
        update={"provenance": record.provenance.model_copy(update={"started_at": later})}
    )
    put(shared, made, newer)
    assert shared.pull(here) == 0  # for `status`: what is here stays
    assert shared.pull(here, {record.id}) == 1
    assert here.load(record.id) == newer


def test_a_failure_there_replaces_nothing_and_a_damaged_record_is_named(
    shared: SharedStore, done: tuple[Store, Record], tmp_path: Path
) -> None:
    made, record = done
    failed = record.model_copy(update={"status": "failed", "reason": "x", "training": None})
    put(shared, made, failed)
    assert shared.pull(Store(tmp_path / "here"), {record.id}) == 0
    shared.write(RECORDS, f"{record.id}.json", b"{}")
    with pytest.raises(InputError, match=f"{record.id}.json: damaged record"):
        shared.pull(Store(tmp_path / "here"), {record.id})


def test_the_results_folder_itself_is_not_copied_onto_itself(done: tuple[Store, Record]) -> None:
    store, record = done
    changed = store.path(record.id).stat().st_mtime_ns
    assert SharedStore(f"file://{store.root}").pull(store, {record.id}) == 0
    deliver(store, record.id, store.path(record.id).read_bytes(), None)
    assert store.path(record.id).stat().st_mtime_ns == changed


def test_what_runs_elsewhere_is_seen_and_forgotten_again(
    shared: SharedStore, tmp_path: Path
) -> None:
    state = b'{"id": "a", "cell_key": "k", "pid": 1, "host": "far", "fraction": 0.5, "seconds": 1}'
    store = Store(tmp_path / "here")
    shared.write(RUNNING, "a.json", state)
    shared.pull_running(store)
    assert running(store.root)["a"].fraction == 0.5
    shared.remove(RUNNING, "a.json")
    shared.pull_running(store)
    assert not running(store.root)


def test_a_run_that_ended_here_is_not_brought_back(shared: SharedStore, tmp_path: Path) -> None:
    """Its driver has not yet told the store so, and the copy would stay."""
    state = {"id": "a", "cell_key": "k", "pid": os.getpid(), "fraction": 0.5, "seconds": 1}
    store = Store(tmp_path / "here")
    shared.write(RUNNING, "a.json", json.dumps(state | {"host": socket.gethostname()}).encode())
    shared.pull_running(store)  # another results folder of this machine: there is nothing here
    assert running(store.root)
    (store.root / RUNNING / "a.json").unlink()
    store.folder.mkdir()
    store.path("a").write_text("its record")
    shared.pull_running(store)
    assert not running(store.root)
    shared.write(RUNNING, "a.json", json.dumps(state | {"host": "far"}).encode())
    shared.pull_running(store)  # made anew elsewhere
    assert running(store.root)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shared = SharedStore(f"file://{tmp_path / 'file'}")
    with pytest.raises(CannotWrite, match="cannot be written"):
        shared.write(RECORDS, "a", b"")
    with pytest.raises(InputError, match="cannot be used"):
        shared.check()


def wait_for(shared: SharedStore, content: bytes | None) -> None:
    until = time.monotonic() + 10.0
    while shared.read(CHECKPOINTS, "r.pt") != content and time.monotonic() < until:
        time.sleep(0.02)
    assert shared.read(CHECKPOINTS, "r.pt") == content


def test_a_checkpoint_survives_its_node_and_goes_with_its_run(
    shared: SharedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.cluster.mirror.LOOK_S", 0.02)
    first, second = tmp_path / "first", tmp_path / "second"
    with CheckpointMirror(shared, first, "r"):
        assert not (first / "checkpoints" / "r.pt").exists()
        (first / "checkpoints").mkdir(parents=True)
        for content in (b"early", b"later"):
            (first / "checkpoints" / "r.pt").write_bytes(content)
            wait_for(shared, content)
    half_written = []
    if shared.folder is not None:  # it was killed while writing
        (shared.folder / RECORDS).mkdir()
        half_written = [
            shared.folder / CHECKPOINTS / ".r.pt.x1",
            shared.folder / RECORDS / ".r.json.x2",
        ]
    for path in half_written:
        path.write_bytes(b"half")
    with CheckpointMirror(shared, second, "r") as mirror:  # the first node is gone
        assert (second / "checkpoints" / "r.pt").read_bytes() == b"later"
        mirror.discard()
    assert shared.names(CHECKPOINTS) == set()
    assert not any(path.exists() for path in half_written)


def test_status_makes_nothing_where_it_only_reads(
    bench: Callable[..., Any], suite_file: Path, tmp_path: Path
) -> None:
    said = bench("status", suite_file, "--shared", f"file://{tmp_path / 'mistyped'}")
    assert said.code == 2
    assert "mistyped' cannot be used" in said.err
    assert not (tmp_path / "mistyped").exists()
    (tmp_path / "shared" / RECORDS).mkdir(parents=True)
    assert bench("status", suite_file, "--shared", f"file://{tmp_path / 'shared'}").code == 0
    assert [path.name for path in (tmp_path / "shared").rglob("*")] == [RECORDS]


def test_a_failure_here_gives_way_to_a_result_whatever_the_clocks_say(
    shared: SharedStore, done: tuple[Store, Record], tmp_path: Path
) -> None:
    made, record = done
    put(shared, made, record)
    here, later = Store(tmp_path / "here"), record.provenance.started_at + timedelta(hours=1)
    made_later = record.provenance.model_copy(update={"started_at": later})
    changes = {"status": "failed", "reason": "x", "training": None, "provenance": made_later}
    here.save(record.model_copy(update=changes))
    assert shared.pull(here, {record.id}) == 1
    assert here.load(record.id) == record


def test_a_node_that_sees_another_place_says_so(shared: SharedStore, tmp_path: Path) -> None:
    with shared.probe() as probe:
        assert shared.differences(probe) == []
        elsewhere = SharedStore(f"file://{tmp_path / 'not-mounted'}")
        (said,) = elsewhere.differences(probe)
        assert said.endswith("not-mounted is another place here, or not mounted")
    assert shared.differences(probe) != []  # it is gone with whoever left it
    assert not shared.names(RUNNING)


def test_a_place_that_is_only_read_is_not_written_and_must_be_there(
    shared: SharedStore, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"cannot be used \(there is nothing\)"):
        shared.check(writable=False)
    assert not (tmp_path / "shared").exists()
    shared.write(RECORDS, "a.json", b"")
    shared.check(writable=False)
    assert shared.names(RUNNING) == set()


def test_a_place_that_does_not_answer_is_one_line_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = SharedStore("memory://me:secret@host/x")

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError("reset\nby peer")

    filesystem, _ = shared._place
    for name in ("cat_file", "rm_file", "ls", "pipe_file"):
        monkeypatch.setattr(filesystem, name, fails)
    for ask in (
        lambda: shared.read(RECORDS, "a"),
        lambda: shared.names(RECORDS),
        lambda: shared.remove(RECORDS, "a"),
        lambda: shared.write(RECORDS, "a", b""),
    ):
        with pytest.raises(BenchError) as refused:
            ask()
        assert "(reset)" in str(refused.value)
        assert "secret" not in str(refused.value)


def test_locks_are_not_copied_from_a_results_folder(tmp_path: Path) -> None:
    shared, store = SharedStore(f"file://{tmp_path / 'shared'}"), Store(tmp_path / "here")
    shared.write(RUNNING, "a.lock", b"")
    shared.pull_running(store)
    assert not (store.root / RUNNING / "a.lock").exists()


def test_checkpoints_of_finished_runs_are_removed_and_no_other(shared: SharedStore) -> None:
    for name in ("done.pt", "other.pt"):
        shared.write(CHECKPOINTS, name, b"x")
    shared.discard_checkpoints({"done"})
    assert shared.names(CHECKPOINTS) == {"other.pt"}

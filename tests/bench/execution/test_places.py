"""Workers get cores or GPUs of their own, or are refused with what would fit."""

from __future__ import annotations

import os

import pytest

from bench.errors import InputError
from bench.execution import places as module
from bench.execution.places import make_places


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lets this process use seven of its cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 3, 5, 8, 9, 11}, raising=False)


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(("workers", "threads"), [(1, 7), (2, 3), (3, 2), (7, 1), (2, 1)])
def test_cores_are_split_whole_and_each_worker_has_enough(workers: int, threads: int) -> None:
    shares = [place.cores for place in make_places(workers, None, device="cpu", threads=threads)]
    assert [core for share in shares for core in share or ()] == [0, 2, 3, 5, 8, 9, 11]
    sizes = [len(share or ()) for share in shares]
    assert len(sizes) == workers
    assert min(sizes) >= threads
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("workers", "threads", "remedy"),
    [(4, 2, "at most --workers 3"), (8, 1, "at most --workers 7"), (1, 8, "leave it out")],
)
def test_more_threads_than_cores_are_refused_with_what_fits(
    workers: int, threads: int, remedy: str
) -> None:
    with pytest.raises(InputError) as refused:
        make_places(workers, None, device="cpu", threads=threads)
    said = str(refused.value)
    assert said.startswith("--workers: ")
    assert f"{workers} × {threads} threads a run need {workers * threads} cores" in said
    assert "may use 7" in said
    assert remedy in said


def test_where_cores_cannot_be_told_apart_their_number_still_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert [p.cores for p in make_places(2, None, device="cpu", threads=2)] == [None, None]
    with pytest.raises(InputError, match="may use 4"):
        make_places(3, None, device="cpu", threads=2)


@pytest.mark.usefixtures("cores")
def test_workers_on_gpus_have_cores_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_visible_gpus", lambda: ["0", "1"])
    two = make_places(2, None, device="cuda", threads=1)
    assert [place.cores for place in two] == [(0, 2, 3), (5, 8, 9, 11)]
    crowd = make_places(8, 4, device="cuda", threads=1)  # more than there are cores
    assert {place.cores for place in crowd} == {None}


def test_gpus_get_a_worker_each_and_are_shared_only_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_visible_gpus", lambda: ["3", "GPU-ab"])
    two = make_places(2, None, device="cuda", threads=64)
    assert [place.gpu for place in two] == ["3", "GPU-ab"]
    three = make_places(3, 2, device="cuda", threads=64)
    assert [place.gpu for place in three] == ["3", "GPU-ab", "3"]
    with pytest.raises(InputError, match=r"3 do not fit on 2 GPUs with 1 on each; .*--workers 2"):
        make_places(3, None, device="cuda", threads=1)


@pytest.mark.parametrize(
    ("named", "count", "expected"),
    [(None, 2, ["0", "1"]), ("5,7", 2, ["5", "7"]), ("5, GPU-x,-1,2", 2, ["5", "GPU-x"])],
)
def test_a_gpu_is_named_as_this_process_was_given_it(
    monkeypatch: pytest.MonkeyPatch, named: str | None, count: int, expected: list[str]
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert module._visible_gpus() == expected


def test_sharing_a_gpu_where_there_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="no GPU to share"):
        make_places(1, 2, device="cpu", threads=1)

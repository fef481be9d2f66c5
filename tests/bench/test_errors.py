"""Error messages: one line with file, key, problem and remedy."""

from __future__ import annotations

import pickle

from bench.errors import BenchError, DataUnavailable, InputError, RunFailed, nearest


def test_an_input_error_reads_file_key_problem_remedy() -> None:
    error = InputError("is -3", remedy="use a positive number", key="epochs", file="a.toml")
    assert str(error) == "a.toml: epochs: is -3; use a positive number"


def test_an_outer_floor_adds_the_file_but_never_overwrites_it() -> None:
    error = InputError("p", remedy="r", key="inner")
    assert str(error.in_file("a.toml", "outer")) == "a.toml: inner: p; r"
    assert str(error.in_file("b.toml")) == "a.toml: inner: p; r"


def test_exit_codes_tell_who_must_act() -> None:
    assert BenchError.exit_code == RunFailed.exit_code == 1
    assert InputError.exit_code == DataUnavailable.exit_code == 2


def test_the_nearest_name_is_suggested_or_some_are_listed() -> None:
    assert nearest("resnet19", ["resnet18", "vit"]) == "did you mean 'resnet18'?"
    assert nearest("Vit", ["resnet18", "vit_tiny_patch16_224"]) == (
        "did you mean 'vit_tiny_patch16_224'?"
    )
    several = nearest("res", ["resnet18", "resnet50", "vit"])
    assert several == "did you mean 'resnet18' or 'resnet50'?"
    assert nearest("zzz", ["a", "b"]) == "known are: a, b"
    assert nearest("zzz", map(str, range(10))).endswith(", …")


def test_an_input_error_comes_whole_out_of_another_process() -> None:
    error = DataUnavailable("p", remedy="r", key="k", file="f")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is DataUnavailable
    assert str(again) == str(error) == "f: k: p; r"

"""Races of tiny models from file to page; one contender fails, one floor is missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.errors import InputError
from bench.race.contenders import model_step, steps, units_per_pass
from bench.race.file import Contender, Memory, Race, load_races
from bench.race.measuring import measure_file
from bench.race.memory import measure_peak
from bench.race.record import RaceRecord, load_all
from bench.report.races import race_page, write_race_page
from tests.bench.race.test_race_file import VALID

pytestmark = pytest.mark.alone


def measured(tmp_path: Path, text: str) -> RaceRecord:
    path = tmp_path / "tiny.toml"
    path.write_text(text)
    name, file = load_races(str(path))
    return measure_file(name, file, tmp_path / "results", lambda doing, done: None)


def test_a_race_is_timed_recorded_and_drawn(tmp_path: Path) -> None:
    record = measured(tmp_path, VALID)
    (race,) = record.races
    assert [c.label for c in race.contenders] == ["test_medspectralnet", "test_medmamba"]
    assert set(race.contenders[0].screened_s) == {
        "plain",
        "channels_last",
        "fused",
        "fused_channels_last",
    }
    assert race.contenders[0].form == min(
        race.contenders[0].screened_s, key=race.contenders[0].screened_s.__getitem__
    )
    assert all(len(contender.rounds_s) == 8 for contender in race.contenders)
    (comparison,) = race.comparisons
    assert comparison.low <= comparison.ratio <= comparison.high
    assert comparison.verdict == "reached"
    assert not record.missed
    assert load_all(tmp_path / "results") == [record]
    page = write_race_page(tmp_path / "results").read_text()
    assert page == race_page([record])
    assert f"{comparison.ratio:.2f} [{comparison.low:.2f}, {comparison.high:.2f}]" in page
    assert "**test_medspectralnet**" in page


def test_a_missed_floor_and_a_failing_contender_show(tmp_path: Path) -> None:
    text = VALID.replace(
        "at_least = 0.001 }",
        'at_least = 1000.0 }, { model = "vit_tiny_patch16_224", args = { no_such = 1 } }',
    )
    record = measured(tmp_path, text)
    (race,) = record.races
    assert [c.verdict for c in race.comparisons] == ["missed"]
    assert record.missed
    failed = race.contenders[2]
    assert failed.failure is not None
    assert "no_such" in failed.failure
    assert "no_such" in race_page([record])


def test_a_failing_rival_is_a_miss_only_where_a_floor_needs_it(tmp_path: Path) -> None:
    failing = '{ model = "vit_tiny_patch16_224", args = { no_such = 1 } }'
    text = VALID.replace("at_least = 0.001 }", f"at_least = 0.001 }}, {failing}")
    assert not measured(tmp_path, text).missed
    assert measured(tmp_path, text.replace("no_such = 1 }", "no_such = 1 }, at_least = 0.1")).missed


def test_the_fastest_rival_sets_the_bar(tmp_path: Path) -> None:
    rivals = 'rivals = [{ model = "resnet18" }, { model = "test_medmamba" }]\nat_least = 0.001'
    text = VALID.replace('rivals = [{ model = "test_medmamba", at_least = 0.001 }]', rivals)
    (race,) = measured(tmp_path, text).races
    assert race.fastest == "test_medmamba"
    assert race.against_fastest is not None
    assert race.against_fastest.rival == "test_medmamba"
    assert race.against_fastest.verdict == "reached"


def race(task: str, **changes: object) -> Race:
    scan = task.startswith("scan")
    contender = {"scan": "c"} if scan else {"model": "test_medspectralnet"}
    rival = {"scan": "pytorch"} if scan else {"model": "test_medmamba"}
    fields = {"name": "r", "task": task, "image_size": 32, "batch_size": 2, "channels": 3}
    return Race.model_validate({**fields, "subject": contender, "rivals": [rival], **changes})


def test_a_scan_is_raced_alone() -> None:
    for task in ("scan", "scan backward"):
        one = race(task, image_size=5, channels=7)
        assert units_per_pass(one) == 2 * 25 * 4 * 7 * 16
        for contender in (one.subject, *one.rivals):
            (make,) = steps(contender, one, "cpu").values()
            make()()


def test_a_copy_moves_what_a_scan_at_least_must(monkeypatch: pytest.MonkeyPatch) -> None:
    one = race("scan", image_size=5, channels=7, rivals=[{"scan": "copy"}])
    made: list[Tensor] = []
    original = torch.ones

    def ones(*args: object, **kwargs: object) -> Tensor:
        made.append(original(*args, **kwargs))  # type: ignore[call-overload]
        return made[-1]

    monkeypatch.setattr(torch, "ones", ones)
    (make,) = steps(one.rivals[0], one, "cpu").values()
    make()()
    # x and y (B, L, E), Δ (K, B, L, E), B and C (B, L, K, N); half is read, half is written
    wanted = 2 * (2 * 25 * 7) + 4 * 2 * 25 * 7 + 2 * (2 * 25 * 4 * 16)
    assert made[-1].numel() == wanted // 2


def test_a_race_in_half_precision_runs_in_it() -> None:
    seen: list[torch.dtype] = []
    half = race("inference", precision="bfloat16")
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, args, output: (
            seen.append(output.dtype) if isinstance(module, nn.Conv2d) else None
        )
    )
    try:
        model_step(half.subject, half, "plain", "cpu")()
    finally:
        hook.remove()
    assert torch.bfloat16 in seen


def test_a_training_step_moves_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []
    from bench import models

    original = models.build

    def build(*args: object, **kwargs: object) -> models.Built:
        built = original(*args, **kwargs)  # type: ignore[arg-type]
        made.append(built.model)
        return built

    monkeypatch.setattr(models, "build", build)
    step = model_step(Contender(model="test_medspectralnet"), race("training"), "plain", "cpu")
    before = [p.detach().clone() for p in made[0].parameters()]
    step()
    assert any(not torch.equal(a, b) for a, b in zip(before, made[0].parameters(), strict=True))


def test_the_scan_named_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from baselines.medmamba.scan import chunked

    calls: list[int] = []
    original = chunked.forward

    def forward(*args: Tensor) -> Tensor:
        calls.append(1)
        return original(*args)

    monkeypatch.setattr(chunked, "forward", forward)
    for scan, runs in (("c", 0), ("pytorch", 5)):
        contender = Contender(model="test_medmamba", scan=scan)
        model_step(contender, race("inference"), "plain", "cpu")()
        assert len(calls) == runs


def test_peak_memory_grows_with_the_batch() -> None:
    def peak(batch: int) -> int:
        spec = Memory(
            name="m",
            task="inference",
            image_size=224,
            batch_size=batch,
            subject=Contender(model="resnet18"),
            at_most_gib=1,
        )
        whole, before = measure_peak(spec, device="cpu", threads=1)
        assert whole > before > 2**26
        return whole

    assert peak(32) - peak(1) > 31 * 3 * 224**2 * 4  # its images alone


def test_a_process_that_fails_says_why() -> None:
    spec = Memory(
        name="m",
        task="inference",
        image_size=32,
        batch_size=1,
        subject=Contender(model="no_such_model"),
        at_most_gib=1,
    )
    with pytest.raises(RuntimeError, match="no_such_model"):
        measure_peak(spec, device="cpu", threads=1)


def test_an_unknown_scan_or_device_is_refused_before_timing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no form 'cc' of the selective scan"):
        measured(tmp_path, VALID.replace('"test_medmamba",', '"test_medmamba", scan = "cc",'))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            measured(tmp_path, VALID.replace("threads = 1", 'threads = 1\ndevice = "cuda"'))
    assert not (tmp_path / "results").exists()


def test_an_unknown_model_is_refused_before_timing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown model 'test_medmambo'; did you mean"):
        measured(tmp_path, VALID.replace('"test_medmamba"', '"test_medmambo"'))
    with pytest.raises(InputError, match="no form 'copy' of the selective scan"):
        measured(tmp_path, VALID.replace('"test_medmamba",', '"test_medmamba", scan = "copy",'))


def test_a_record_of_other_code_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = measured(tmp_path, VALID)
    assert not record.stale
    assert "**Stale**" not in race_page([record])
    monkeypatch.setattr("bench.race.record.race_digest", lambda names: "another")
    assert record.stale
    assert "**Stale**" in race_page([record])


def test_a_damaged_record_is_named_before_anything_is_timed(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "races"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"broken\.json: damaged record"):
        measured(tmp_path, VALID)
    assert [path.name for path in folder.iterdir()] == ["broken.json"]


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "races"
    folder.mkdir()
    (folder / "broken.json").write_text(json.dumps({"name": "broken"}))
    with pytest.raises(InputError, match=r"broken\.json: damaged record.*bench race broken"):
        load_all(tmp_path)


def test_the_page_of_the_checkout_is_that_of_its_records() -> None:
    root = Path(__file__).resolve().parents[3]
    page = root / "reports" / "races.md"
    assert page.read_text() == race_page(load_all(root / "results"))

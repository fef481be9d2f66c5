"""Forms give the model's outputs or are refused; precisions exist where the device has them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bench.details import Form, FormsSpec
from bench.errors import InputError
from bench.measure import form_timing, forms
from bench.measure.form_timing import measure_forms
from bench.measure.forms import check_outputs, lacks, laid_out, make_form
from bench.measure.load import Load
from bench.specs import ModelSpec
from medspectralnet import MedSpectralNet  # noqa: F401  (registers its models)

pytestmark = pytest.mark.alone


class _Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.norm(self.conv(images)).relu().mean((2, 3)))
        return logits


@pytest.fixture
def small() -> _Small:
    torch.manual_seed(0)
    model = _Small()
    assert model.norm.running_mean is not None
    model.norm.running_mean.normal_()
    model.eval()
    return model


@pytest.mark.parametrize(
    "form", ["plain", "channels_last", "fused", "fused_channels_last", "onnxruntime", "compiled"]
)
def test_every_form_gives_the_models_outputs(small: _Small, form: Form) -> None:
    images = laid_out(torch.randn(4, 3, 12, 12), form)
    call = make_form(small, form, images, threads=1)
    check_outputs(small, call, images, form, "float32")
    assert small.conv.weight.is_contiguous()  # the model itself is as it was


def test_the_fused_form_has_no_batch_norm_left(small: _Small) -> None:
    call = make_form(small, "fused", torch.randn(2, 3, 12, 12), threads=1)
    assert isinstance(call, nn.Module)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in call.modules())


def test_other_outputs_and_outputs_that_are_no_numbers_are_refused(small: _Small) -> None:
    images = torch.randn(2, 3, 12, 12)
    with pytest.raises(ValueError, match=r"differ by 1\.0e-02 of the largest"):
        check_outputs(small, lambda x: small(x) * 1.01, images, "fused", "float32")
    with pytest.raises(ValueError, match="in bfloat16 its outputs are not all numbers"):
        check_outputs(small, lambda x: small(x) / 0.0, images, "channels_last", "bfloat16")


def test_the_tenth_model_of_a_class_is_compiled_too(
    small: _Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch runs a function eager after eight versions; counted by the graphs it hands on."""
    graphs: list[object] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> object:
        graphs.append(graph)
        return graph.forward

    compiler = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda m, dynamic: compiler(m, dynamic=dynamic, backend=backend)
    )
    for number in range(1, 11):
        images = torch.randn(2, 3, 11 + number, 12)  # a new shape is a new version
        call = make_form(small, "compiled", images, threads=1)
        with torch.inference_mode():
            call(images)
            call(images)
        assert len(graphs) == number


def test_a_refused_form_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> nn.Module:
        raise ValueError("no such form\nand more")

    monkeypatch.setattr(forms, "fused", refuse)
    result = measure_forms(
        _spec(precisions=[]), seconds_per_form=0.02, seed=0, on_progress=lambda doing, done: None
    )
    plain, fused = result.timings
    assert plain.rounds_s
    assert fused.failure == "no such form"


def test_a_precision_is_blank_where_the_processor_lacks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forms, "_cpu_flags", lambda: frozenset({"avx2", "avx512_bf16"}))
    assert lacks("float32", "cpu") is None
    assert lacks("bfloat16", "cpu") is None
    assert lacks("float16", "cpu") == "this CPU has no float16 arithmetic"


def _spec(**changes: object) -> FormsSpec:
    values: dict[str, object] = {
        "model": ModelSpec(name="test_medspectralnet"),
        "channels": 3,
        "num_classes": 4,
        "device": "cpu",
        "device_name": "test",
        "threads": 1,
        "image_size": 32,
        "batch_size": 2,
        "forms": ["plain", "fused"],
        "precisions": ["bfloat16", "float16"],
    }
    return FormsSpec.model_validate(values | changes)


def test_forms_are_timed_in_the_same_rounds_and_refusals_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forms, "_cpu_flags", lambda: frozenset({"avx512_bf16"}))
    result = measure_forms(
        _spec(), seconds_per_form=0.1, seed=0, on_progress=lambda doing, done: None
    )
    cells = {(t.form, t.precision): t for t in result.timings}
    assert list(cells) == [
        ("plain", "float32"),
        ("fused", "float32"),
        ("channels_last", "bfloat16"),
        ("channels_last", "float16"),
    ]
    assert cells["channels_last", "float16"].failure == "this CPU has no float16 arithmetic"
    timed = [t for t in result.timings if t.failure is None]
    assert len(timed) == 3
    assert all(len(t.rounds_s) == form_timing.ROUNDS for t in timed)
    assert all(len(t.latency_rounds_s) == form_timing.ROUNDS for t in timed)
    assert all(t.first_pass_s is not None for t in timed)


def test_a_loaded_machine_is_measured_again_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        def stop(self) -> Load:
            return Load(before=0.9, after=0.0, others=0.5)

    monkeypatch.setattr(form_timing, "LoadWatch", Loaded)
    result = measure_forms(
        _spec(forms=["plain"], precisions=[]),
        seconds_per_form=0.02,
        seed=0,
        on_progress=lambda doing, done: None,
    )
    assert result.noisy
    assert result.repeats == form_timing.MOST_REPEATS
    assert len(result.timings[0].rounds_s) == form_timing.ROUNDS  # of the last repeat alone


def test_a_model_that_cannot_be_built_is_the_cells_failure() -> None:
    with pytest.raises(InputError, match="no_such"):
        measure_forms(
            _spec(model=ModelSpec(name="no_such")),
            seconds_per_form=0.1,
            seed=0,
            on_progress=lambda doing, done: None,
        )

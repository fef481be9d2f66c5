"""The drawing says what the modules say, and an ablation's shows what is gone."""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path
from typing import Any

import matplotlib.text
import pytest
from matplotlib.transforms import Bbox

from ablations import ABLATIONS
from bench.insight.outline import Outline
from bench.insight.outlining import outline_of, outlined
from bench.report.figures.architecture import architecture_rows, draw_architecture
from bench.report.figures.page import table
from bench.report.figures.style import COLUMN, PAGE, TALLEST, styled
from bench.specs import ModelSpec
from bench.toml_file import ROOT
from medspectralnet import MedSpectralNet
from medspectralnet.config import Config
from medspectralnet.macs import count_macs
from medspectralnet.registry import TINY
from tests.bench.conftest import Command


def outline(image_size: int = 64, name: str = "tiny", **changed: Any) -> Outline:
    """Of the tiny network, or of one that differs from it."""
    model = MedSpectralNet(num_classes=4, in_chans=3, **(TINY | changed))
    return outline_of(model, name, (3, image_size, image_size))


@functools.cache
def as_drawn(model: str) -> Outline:
    """As the command takes it by itself."""
    return outlined(ModelSpec(name=model), image_size=224, channels=3, classes=8)


def texts(one: Outline, width: float = PAGE) -> list[str]:
    with styled():
        figure = draw_architecture(one, width)
        return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def test_the_parts_agree_with_the_closed_form() -> None:
    cases: list[tuple[int, dict[str, Any]]] = [(64, {}), (97, {"streams": "local"})]
    for image_size, changed in cases:
        one = outline(image_size, **changed)
        config = Config(**(TINY | changed))
        known = count_macs(config, height=image_size, width=image_size, in_chans=3, num_classes=4)
        known["global stream"] += known.pop("attention", 0)
        assert {name: size.macs for name, size in one.parts.items() if size.macs} == +known
        assert sum(size.macs for size in one.parts.values()) == one.size.macs
        assert sum(size.parameters for size in one.parts.values()) == one.size.parameters


def test_a_changed_configuration_changes_the_drawing() -> None:
    changed: dict[str, Any] = {
        "widths": (8, 16, 48, 32),
        "depths": (3, 1, 1, 1),
        "heads": (4, 2, 3, 4),
        "pools": (1, 1, 1, 1),
        "kernel_size": 7,
        "mlp_ratio": 2.0,
    }
    appears = {
        "3×3 stride 2 → 48 × 4 × 4",
        "3 blocks",
        "4 × 1",
        "not pooled",
        "7×7 depthwise, ReLU",
        "MLP: 1×1 to 2 C, ReLU, 1×1",
    }
    assert not appears & {*texts(outline())}
    assert appears <= {*texts(outline(**changed))}


def test_an_ablations_drawing_says_what_is_gone() -> None:
    assert outline().absent == ()
    lacking = {
        "no_context_gate": ("ContextGate", "no ContextGate"),
        "local_stream": ("global stream", "no global stream"),
        "global_stream": ("local stream", "no local stream"),
        "quadratic_attention": ("linear attention", "softmax attention"),
        "no_frequency_split": ("frequency split", "no split"),
    }
    whole = texts(outline())
    for end, (absent, told) in lacking.items():
        name = f"medspectralnet_{end}"
        one = outline(name=name, **ABLATIONS[name].changed)
        assert one.absent == (absent,)
        shown = texts(one)
        assert told in shown
        assert told not in whole
        assert ABLATIONS[name].removes.split(";")[0] in " ".join(shown)


@pytest.mark.parametrize("width", [PAGE, COLUMN])
def test_no_text_leaves_the_page_or_lies_on_another(width: float) -> None:
    with styled():
        figure = draw_architecture(as_drawn("medspectralnet"), width)
        figure.draw_without_rendering()
        drawn = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
        boxes = {t.get_text(): t.get_window_extent() for t in drawn}
    across, up = figure.get_size_inches()
    assert across == width
    assert up <= (TALLEST if width == PAGE else 13)
    page = Bbox.from_bounds(0, 0, across * figure.dpi, up * figure.dpi)
    for text, box in boxes.items():
        assert page.fully_contains(*box.min), text
        assert page.fully_contains(*box.max), text
    placed = [*boxes.items()]
    for index, (text, box) in enumerate(placed):
        for other, beside in placed[index + 1 :]:
            inner = box.shrunk(0.9, 0.6)
            assert not inner.overlaps(beside.shrunk(0.9, 0.6)), f"{text!r} on {other!r}"


def test_the_committed_numbers_are_those_of_todays_network() -> None:
    committed = sorted((ROOT / "reports" / "architecture").glob("*.csv"))
    assert committed
    for path in committed:
        model = path.stem.removesuffix("-column")
        one = as_drawn(model)
        assert path.read_text(encoding="utf-8") == table(architecture_rows(one))


def test_the_command_writes_pictures_and_numbers_and_refuses_other_models(
    bench: Command, tmp_path: Path
) -> None:
    said = bench(
        "architecture", "test_medspectralnet", "--output", tmp_path, "--image-size", 32,
        "--width", "column",
    )  # fmt: skip
    assert said.code == 0, said.err
    stem = "test_medspectralnet-column"
    assert {p.name for p in tmp_path.iterdir()} >= {f"{stem}.png", f"{stem}.svg", f"{stem}.csv"}
    rows = list(csv.DictReader(io.StringIO((tmp_path / f"{stem}.csv").read_text())))
    assert [row["map"] for row in rows[:4]] == [
        "8 × 8 × 8",
        "16 × 4 × 4",
        "24 × 2 × 2",
        "32 × 1 × 1",
    ]
    for model in ("test_resnet", "medspectralnett"):
        said = bench("architecture", model, "--output", tmp_path)
        assert said.code == 2
        assert len(said.err.strip().splitlines()) == 1
        assert model in said.err

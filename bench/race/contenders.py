"""From a contender to what is timed: the model in one of its forms, one pass a call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import timm
import torch
from torch import Tensor

from baselines.medmamba.scan import FORMS as SCAN_FORMS
from baselines.medmamba.scan import selective_scan, use_form
from baselines.medmamba.ss2d import scan_orders
from bench import models
from bench.details import Form
from bench.errors import InputError, nearest
from bench.measure.building import INPUTS
from bench.measure.forms import fused, laid_out
from bench.measure.steps import inference_step, training_step
from bench.measure.timing import Step, synchronise
from bench.race.file import COPY, FORMS, Contender, Memory, Race
from bench.specs import ModelSpec

SCAN_STATES, SCAN_DIRECTIONS = 16, 4  # of every MedMamba


def check(contenders: Iterable[Contender]) -> None:
    """Refuse, before anything is timed, a model or a form of the scan that does not exist.

    Raises:
        InputError: naming it.
    """
    known = timm.list_models()
    for contender in contenders:
        forms = SCAN_FORMS if contender.model else (*SCAN_FORMS, COPY)
        if contender.scan is not None and contender.scan not in forms:
            raise InputError(
                f"no form {contender.scan!r} of the selective scan",
                remedy=nearest(contender.scan, forms),
                key="scan",
            )
        if contender.model and contender.model not in known:
            raise InputError(
                f"unknown model {contender.model!r}",
                remedy=nearest(contender.model, known),
                key="model",
            )


def steps(contender: Contender, race: Race, device: str) -> dict[str, Callable[[], Step]]:
    """The contender's forms by name, each a function that makes what is timed."""
    if race.task.startswith("scan"):
        scan = contender.scan or ""
        return {scan: lambda: (_copy_step if scan == COPY else _scan_step)(race, scan, device)}
    return {form: _maker(contender, race, form, device) for form in FORMS[race.task]}


def _maker(
    contender: Contender, race: Race | Memory, form: Form, device: str
) -> Callable[[], Step]:
    return lambda: model_step(contender, race, form, device)


def units_per_pass(race: Race) -> int:
    """Images, or updates of one state of a scan."""
    if not race.task.startswith("scan"):
        return race.batch_size
    length = race.image_size**2
    return race.batch_size * length * SCAN_DIRECTIONS * race.channels * SCAN_STATES


def model_step(contender: Contender, race: Race | Memory, form: Form, device: str) -> Step:
    """One inference or one training step (forward, backward, AdamW) on a batch of noise.

    Raises:
        ValueError: the model has no such form.
    """
    torch.manual_seed(0)
    model = models.build(
        ModelSpec(name=contender.model, args=contender.args),
        num_classes=race.num_classes,
        in_chans=race.channels,
        image_size=race.image_size,
    ).model
    shape = (race.batch_size, race.channels, race.image_size, race.image_size)
    images = [torch.randn(shape) for _ in range(INPUTS)]
    if form.startswith("fused"):
        model = fused(model, images[0][:2])
    if form.endswith("channels_last"):
        model = model.to(memory_format=torch.channels_last)
    model, images = model.to(device), [laid_out(batch, form).to(device) for batch in images]
    precision = race.precision if isinstance(race, Race) else "float32"
    if race.task == "training":
        step = training_step(model.train(), images, race.num_classes, precision)
    else:
        step = inference_step(model.eval(), images, precision)
    return _with_scan(step, contender.scan)


def _with_scan(step: Step, scan: str | None) -> Step:
    """The step with the selective scan in the contender's form."""

    def scanning() -> None:
        with use_form(scan) if scan else contextlib.nullcontext():
            step()

    return scanning


def _scan_step(race: Race, form: str, device: str) -> Step:
    """The scan alone, forward, or backward as well."""
    generator = torch.Generator().manual_seed(0)
    batch, side, channels = race.batch_size, race.image_size, race.channels
    k, n = SCAN_DIRECTIONS, SCAN_STATES

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device)

    leaves = [
        normal(batch, side * side, channels),
        normal(k, batch, side * side, channels),
        -torch.arange(1.0, n + 1, device=device).expand(k, channels, n).contiguous(),
        normal(batch, side * side, k, n),
        normal(batch, side * side, k, n),
        normal(k, channels),
        normal(k, channels) - 4,  # softplus of it lies near 0.02, as in a network
    ]
    orders = scan_orders(side, side, torch.device(device))
    backward = race.task == "scan backward"
    for leaf in leaves:
        leaf.requires_grad_(backward)

    def step() -> None:
        with use_form(form), torch.set_grad_enabled(backward):
            x, delta, a, b, c, d, bias = leaves
            y = selective_scan(x, delta, a, b, c, d, bias, orders)
            if backward:
                torch.autograd.grad(y.sum(), leaves)
        synchronise(y.device)

    return step


def _copy_step(race: Race, _: str, device: str) -> Step:
    """Moves what a scan reads once (x, Δ, B, C) and writes once (y), in float32."""
    length, k, n = race.image_size**2, SCAN_DIRECTIONS, SCAN_STATES
    values = race.batch_size * length * (race.channels * (2 + k) + 2 * k * n)
    source = torch.ones(values // 2, device=device)  # a copy reads and writes each once
    target = torch.empty_like(source)

    def step() -> None:
        target.copy_(source)
        synchronise(target.device)

    return step

"""ONNX: the same network for other runtimes, written only if it gives the same answers."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.errors import InputError
from bench.records.store import write_atomic
from bench.release.classifying import Classifier
from bench.release.metadata import KEY, WeightsMetadata
from bench.toml_file import shown

TOLERANCE = 1e-4  # of a logit, as a share of the largest one


@dataclass(frozen=True)
class Parity:
    """How far the exported network's logits are from PyTorch's on the same images."""

    images: int
    largest_difference: float
    largest_logit: float

    @property
    def allowed(self) -> float:
        """The largest difference that rounding explains."""
        return TOLERANCE * max(1.0, self.largest_logit)


def export_onnx(classifier: Classifier, images: Tensor, path: Path) -> Parity:
    """Write ``path`` if its outputs agree with PyTorch's on ``images``, any batch size.

    Args:
        images: as they are fed, ``(N, C, S, S)`` float32, two or more.

    Raises:
        InputError: the network cannot be exported, or its answers differ; nothing is written.
    """
    if path.suffix != ".onnx":
        raise InputError(f"{path.name!r} does not end in .onnx", remedy="name it so", key="OUTPUT")
    return keep_if_equal(classifier, _exported(classifier, images[:2]), images, path)


def in_and_out(metadata: WeightsMetadata) -> str:
    """What an exported network takes, and what is to be done with what it gives."""
    temperature = metadata.calibration.temperature
    divided = f" divided by {temperature:.4f}" if temperature is not None else ""
    low, high = metadata.fed
    return (
        f"It takes pixels mapped to {low:g}…{high:g} and gives logits: probabilities are the "
        f"{metadata.last_step} of these{divided}."
    )


def keep_if_equal(classifier: Classifier, content: bytes, images: Tensor, path: Path) -> Parity:
    """Write what was exported if its outputs agree with PyTorch's.

    Raises:
        InputError: they differ by more than rounding; nothing is written.
    """
    parity = compared(classifier, content, images)
    if not parity.largest_difference <= parity.allowed:  # a NaN is no agreement
        raise InputError(
            f"ONNX Runtime's logits differ by {parity.largest_difference:.3g} from PyTorch's, more "
            f"than {parity.allowed:.3g}",
            remedy="nothing was written; use the PyTorch weights",
            file=shown(path),
        )
    write_atomic(path, content)
    return parity


def compared(classifier: Classifier, content: bytes, images: Tensor) -> Parity:
    """Both networks' logits on the same images."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    theirs = session.run(None, {name: np.ascontiguousarray(images.numpy())})[0]
    ours = classifier.logits(images)
    return Parity(len(images), float(np.abs(theirs - ours).max()), float(np.abs(ours).max()))


def _exported(classifier: Classifier, images: Tensor) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own
            program = torch.onnx.export(
                classifier.model,
                (images.contiguous(),),
                dynamo=True,
                verbose=False,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
    except Exception as error:  # the exporter raises of many kinds
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{classifier.metadata.model.name!r} cannot be exported: {first[:160]}",
            remedy="use the PyTorch weights",
        ) from error
    assert program is not None  # it is with dynamo=True
    proto = program.model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(classifier.metadata.model_dump(mode="json"))
    content: bytes = proto.SerializeToString()
    return content

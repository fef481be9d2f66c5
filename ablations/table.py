"""What is taken away from MedSpectralNet, one entry each, and which claim that tests.

An ablation is the same class with one switch thrown. Where the missing part took more than 1 % of
the parameters with it, a width-matched twin has 8.5 M again, to tell the part from its capacity.
Twins match parameters, not multiply-adds. What is expected of a part is expected at 224 px: at 32
nothing is pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BASE = "medspectralnet"


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """One registered variant.

    Attributes:
        name: the registered timm name.
        switch: the argument that is changed.
        removes: the part that is gone.
        claim: what the paper's abstract says the part is for.
        expectation: what related work would expect to happen.
        changed: the arguments that differ from medspectralnet's.
    """

    name: str
    switch: str
    removes: str
    claim: str
    expectation: str
    changed: dict[str, Any]

    @property
    def matched(self) -> bool:
        """Whether this is a twin whose widths make up for the parameters lost."""
        return "widths" in self.changed


def _twin(ablation: Ablation, **matching: Any) -> Ablation:
    return Ablation(
        name=f"{ablation.name}_matched",
        switch=ablation.switch,
        removes=ablation.removes,
        claim=ablation.claim,
        expectation=f"{ablation.expectation} Wider, so capacity does not explain it.",
        changed={**ablation.changed, **matching},
    )


NO_CONTEXT_GATE = Ablation(
    name=f"{BASE}_no_context_gate",
    switch="context_gate",
    removes="ContextGate, in the blocks and before the head; streams and scales are summed",
    claim="a ContextGate block adaptively fuses multi-scale representations",
    expectation="Channel attention (squeeze-and-excitation) is worth about a point on ImageNet; "
    "on small data less, and not on every set.",
    changed={"context_gate": False},
)
LOCAL_STREAM = Ablation(
    name=f"{BASE}_local_stream",
    switch="streams",
    removes="the global stream: no attention, no low band",
    claim="a dual-stream extractor processes global and local information in parallel",
    expectation="Convolutions alone do well on texture; labels that hang on the layout across the "
    "image suffer, most where the last map still has many pixels.",
    changed={"streams": "local"},
)
GLOBAL_STREAM = Ablation(
    name=f"{BASE}_global_stream",
    switch="streams",
    removes="the local stream: no depthwise convolution, no high band",
    claim="a dual-stream extractor processes global and local information in parallel",
    expectation="Attention on pooled tokens misses fine texture; a loss on texture-bound sets.",
    changed={"streams": "global"},
)
QUADRATIC_ATTENTION = Ablation(
    name=f"{BASE}_quadratic_attention",
    switch="attention",
    removes="the linear form: softmax attention with the same parameters",
    claim="approximates self-attention with linear complexity",
    expectation="Accuracy equal or slightly better; cost grows faster with the image's pixels.",
    changed={"attention": "softmax"},
)
NO_FREQUENCY_SPLIT = Ablation(
    name=f"{BASE}_no_frequency_split",
    switch="frequency_split",
    removes="the split: both streams see the whole band",
    claim="efficiently extracts multi-frequency features",
    expectation="Accuracy about equal (HiLo attention reports a small gain for the split); slower, "
    "as attention works on every pixel.",
    changed={"frequency_split": False},
)

ABLATIONS: dict[str, Ablation] = {
    ablation.name: ablation
    for ablation in (
        NO_CONTEXT_GATE,
        _twin(NO_CONTEXT_GATE, widths=(32, 96, 208, 544)),
        LOCAL_STREAM,
        _twin(LOCAL_STREAM, widths=(32, 64, 224, 612)),
        GLOBAL_STREAM,
        _twin(GLOBAL_STREAM, widths=(32, 96, 208, 544)),
        QUADRATIC_ATTENTION,
        NO_FREQUENCY_SPLIT,
    )
}
"""Every ablation by name."""

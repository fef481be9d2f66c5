"""Which code a look into a network rests on."""

from __future__ import annotations

from bench import provenance
from bench.digested import PREPARATION
from bench.specs import ModelSpec

LOOKING = (
    *PREPARATION,
    "bench/insight/attention.py",
    "bench/insight/frequency.py",
    "bench/insight/gates.py",
    "bench/insight/hooks.py",
    "bench/insight/looking.py",
    "bench/release/classifying.py",
)


def insight_digest(model: ModelSpec) -> str:
    """16 hex digits over the source that looks into a network, and over the network's own."""
    places = (*LOOKING, *provenance._model_sources(model))
    return provenance._digest(places).hexdigest()[:16]

"""Peak memory of a contender at work, measured in a fresh process of its own.

On a CPU that is the process's largest resident set, interpreter and libraries included (what they
take before the model is built is measured too); on a GPU the allocator's own peak.
"""

from __future__ import annotations

from bench.measure.fresh import answer, in_fresh_process, resident_peak
from bench.race.file import Memory

STEPS = 3  # the second training step already holds everything; one more for certainty


def measure_peak(spec: Memory, *, device: str, threads: int) -> tuple[int, int]:
    """``(peak, before)`` in bytes.

    Raises:
        MemoryError, RuntimeError: the process failed; the message is its last line.
    """
    request = {"spec": spec.model_dump(), "device": device, "threads": threads}
    peak, before = in_fresh_process("bench.race.memory", request)
    return int(peak), int(before)


def _probe(request: dict[str, object]) -> tuple[int, int]:
    import torch

    from bench.race.contenders import model_step

    spec, device = Memory.model_validate(request["spec"]), str(request["device"])
    torch.set_num_threads(int(str(request["threads"])))
    before = 0 if device == "cuda" else resident_peak()
    step = model_step(spec.subject, spec, "channels_last", device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS):
        step()
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else resident_peak()
    return peak, before


if __name__ == "__main__":
    answer(_probe)

"""Peak memory of a model at work and its cold start, in fresh processes.

On a CPU the peak is the process's largest resident set, interpreter and libraries included (what
they take before the model is built is measured too); on a GPU it is the allocator's own.
"""

from __future__ import annotations

import time
from typing import Any

from bench.details import MemorySpec, ModelDetail
from bench.measure.fresh import answer, in_fresh_process, resident_peak
from bench.records.details import MemoryResult

STEPS = 3  # the second training step already holds everything; one more for certainty


def measure_memory(spec: MemorySpec, *, seed: int) -> MemoryResult:
    """Three processes: inference, the same again, and training steps.

    Raises:
        MemoryError, RuntimeError: inference fails; a training that fails is part of the result.
    """
    sizes = [spec.image_size]
    first, again = (probe(spec, sizes, spec.batch_size, seed=seed) for _ in range(2))
    point, training, failure = first["points"][0], None, None
    try:
        trained = probe(spec, sizes, spec.batch_size, seed=seed, training=True)
        training = trained["points"][0]["peak_bytes"]
    except (MemoryError, RuntimeError) as error:
        failure = str(error)
    return MemoryResult(
        libraries_bytes=first["libraries_bytes"],
        inference_peak_bytes=point["peak_bytes"],
        repeat_difference_bytes=abs(point["peak_bytes"] - again["points"][0]["peak_bytes"]),
        training_peak_bytes=training,
        training_failure=failure,
        import_s=first["import_s"],
        build_s=point["build_s"],
        first_forward_s=point["passes_s"][0],
        second_forward_s=point["passes_s"][1],
    )


def probe(
    spec: ModelDetail,
    image_sizes: list[int],
    batch_size: int,
    *,
    seed: int,
    training: bool = False,
) -> Any:
    """What a fresh process finds at each size, which must ascend: its peak never falls.

    Raises:
        MemoryError, RuntimeError: the process failed.
    """
    request = {
        "spec": spec.model_dump(mode="json", include=set(ModelDetail.model_fields)),
        "image_sizes": image_sizes,
        "batch_size": batch_size,
        "training": training,
        "seed": seed,
        "started_at": time.time(),
    }
    return in_fresh_process("bench.measure.memory", request)


def _probe(request: dict[str, Any]) -> dict[str, Any]:
    import numpy as np
    import torch

    from bench.measure.building import batches, built, placed, true_float32
    from bench.measure.forms import laid_out
    from bench.measure.steps import inference_step, training_step

    import_s = max(0.0, time.time() - request["started_at"])
    spec = ModelDetail.model_validate(request["spec"])
    on_gpu = spec.device == "cuda"
    torch.set_num_threads(spec.threads)
    libraries, points = 0 if on_gpu else resident_peak(), []
    for size in request["image_sizes"]:
        start = time.perf_counter()
        fresh = built(spec, seed=request["seed"], image_size=size)
        model = placed(fresh, spec.device, channels_last=True)
        build_s = time.perf_counter() - start
        rng = np.random.default_rng(request["seed"])
        drawn = batches(spec, request["batch_size"], rng=rng, image_size=size)[:1]
        batch = [laid_out(drawn[0], "channels_last")]
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        if request["training"]:
            step = training_step(model.train(), batch, spec.num_classes, "float32")
        else:
            step = inference_step(model.eval(), batch, "float32")
        passes = []
        for _ in range(STEPS):
            start = time.perf_counter()
            with true_float32():
                step()
            passes.append(time.perf_counter() - start)
        peak = torch.cuda.max_memory_allocated() if on_gpu else resident_peak()
        points.append({"peak_bytes": peak, "build_s": build_s, "passes_s": passes})
        del fresh, model, step, drawn, batch
    return {"libraries_bytes": libraries, "import_s": import_s, "points": points}


if __name__ == "__main__":
    answer(_probe)

"""Whether a record is of today's code, or of code that was shown to give the same bits.

A digest cannot tell a change that decides something from one that does not. Where a stale run was
made anew by today's code and every result was equal, bit for bit, all records of the same old code
and of the same kind of training stand for today's code too. ``python -m bench recheck`` does that,
and keeps the evidence in ``results/equivalences.json``.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from bench.details import DetailSpec
from bench.errors import InputError
from bench.provenance import source_digest
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.store import write_atomic
from bench.specs import CostSpec, RunSpec, describe_invalid
from bench.toml_file import shown

NAME = "equivalences.json"  # below the results folder


class Equivalence(Stored):
    """Code that was changed without changing a bit of one kind of training.

    Attributes:
        old, new: source digests.
        covers: the kind of training, as ``kind_of_training`` names it.
        made_anew: ids of the runs and trials whose results were equal.
        provenance: of the last of them.
    """

    old: str
    new: str
    covers: str
    made_anew: list[str]
    provenance: Provenance


_LIST = TypeAdapter(list[Equivalence])


class Staleness:
    """What is known of old code; without evidence every other digest is stale."""

    def __init__(self, known: list[Equivalence] | None = None) -> None:
        self.known = known or []

    @classmethod
    def load(cls, results: Path) -> Staleness:
        """The evidence below ``results``.

        Raises:
            InputError: it is damaged.
        """
        path = results / NAME
        if not path.exists():
            return cls()
        try:
            return cls(_LIST.validate_json(path.read_text(encoding="utf-8")))
        except (ValidationError, OSError, UnicodeDecodeError) as error:
            why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
            raise InputError(
                f"damaged: {why}",
                remedy="delete it and make it anew: python -m bench recheck",
                file=shown(path),
            ) from None

    def save(self, results: Path) -> None:
        """Write the evidence whole or not at all."""
        write_atomic(results / NAME, _LIST.dump_json(self.known, indent=1) + b"\n")

    def stale(
        self, spec: RunSpec | CostSpec | DetailSpec, made: Provenance, *, trial: bool = False
    ) -> bool:
        """Whether the code that decides ``spec`` has changed since, for all that is known.

        Args:
            trial: of a search; it shows nothing of how a run scores its test split.
        """
        today = source_digest(spec)
        if made.source_digest == today:
            return False
        if not isinstance(spec, RunSpec):
            return True  # a time is never shown to be equal
        wanted = (made.source_digest, today, kind_of_training(spec, trial=trial))
        return wanted not in {(e.old, e.new, e.covers) for e in self.known}


ALL_STALE = Staleness()


def kind_of_training(spec: RunSpec, *, trial: bool = False) -> str:
    """The parts of the code that a training passes through; numbers are left out.

    The model by its registered name and those of its arguments that are no numbers (a size or a
    width passes through the same code); the data set by its name, which stands for its task, its
    channels and what augmentations keep its labels.
    """
    protocol, control, model = spec.protocol, spec.control, spec.model
    args = [f"{key}={'…' if _is_number(value) else value}" for key, value in model.args.items()]
    schedule = protocol.schedule
    used = {
        "trial": "of a search" if trial else "",
        "model": " ".join([model.factory or model.timm or model.name, *sorted(args)]),
        "weights": "pretrained" if model.pretrained else "",
        "data": spec.data.name + (" described" if spec.data.described else ""),
        "resized": "yes" if spec.image_size != spec.data.source_size else "no",
        "compiled": spec.compiled or "",
        "deterministic": "yes" if spec.deterministic else "",
        "control": control.kind if control else "",
        "optimizer": protocol.optimizer.name,
        "schedule": schedule.name + (" after warm-up" if schedule.warmup_epochs else ""),
        "augment": "+".join(sorted(protocol.augment)),
        "augment_count": "some" if protocol.augment_count else "",
        "sampling": protocol.sampling if protocol.sampling != "shuffled" else "",
        "class_weights": protocol.class_weights if protocol.class_weights != "none" else "",
        "smoothing": "yes" if protocol.label_smoothing else "",
        "ema": "yes" if protocol.ema_decay else "",
        "clipping": "yes" if protocol.clip_grad_norm else "",
        "drop path": "yes" if protocol.drop_path_rate is not None else "",
        "passes": "yes" if protocol.least_updates else "",
        "accumulate": "yes" if protocol.accumulate > 1 else "",
        "shuffled labels": "yes" if protocol.shuffle_labels else "",
        "channels": str(spec.channels),
        "device": spec.device,
        "precision": spec.precision,
        "select": protocol.select,
    }
    return ", ".join(f"{name} {value}" for name, value in used.items() if value)


def _is_number(value: JsonValue) -> bool:
    """A number, or a list of numbers."""
    if isinstance(value, list):
        return all(_is_number(part) for part in value)
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Every record that the page shows, as a card: what decided it, and how to make it again."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bench.records.audit import FOLDER as AUDITS
from bench.records.audit import AuditRecord
from bench.records.schema import CostResult, Provenance, Record, TrainingResult
from bench.report.text import duration, giga, millions, milliseconds, percent, rate
from bench.specs import RunSpec, deciding
from bench.suite import Suite
from bench.suite_file import NO_CONTROL


@dataclass(frozen=True)
class Shared:
    """What many records have in common, told once; ``name`` is its anchor."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Card:
    """One record.

    Attributes:
        facts: terms with texts.
        shared: anchors and titles of what it has in common with others.
        spec: the rest of what decides it, as JSON.
        file: below the results folder.
    """

    id: str
    label: str
    kind: str
    status: str
    stale: bool
    noisy: bool
    facts: Sequence[tuple[str, str]]
    shared: Sequence[tuple[str, str]]
    spec: str
    command: str
    file: str


@dataclass
class Cards:
    """Makes the cards of one suite, and collects what they share."""

    suite: Suite
    stale: Collection[str]
    shared: dict[str, Shared] = field(default_factory=dict)

    def of(self, record: Record) -> Card:
        """The card of a training, a cost or a cell of a full measurement."""
        spec, made = record.spec, record.provenance
        facts = [("why", record.reason)] if record.reason else []
        if record.training is not None:
            facts += _training(record.training)
        if record.cost is not None:
            facts += _cost(record.cost)
        shared = [self._circumstances(made)]
        left = deciding(spec)
        if isinstance(spec, RunSpec):
            left = deciding(spec, without={"protocol"})
            shared.insert(0, self._protocol(spec))
        facts += [
            (f"earlier try, {one.started_at:%Y-%m-%d %H:%M}", f"{one.status}: {one.reason}")
            for one in record.attempts
        ]
        return Card(
            id=record.id,
            label=record.spec.label,
            kind=record.kind,
            status=record.status,
            stale=record.id in self.stale,
            noisy=bool(getattr(record.cost or record.detail, "noisy", False)),
            facts=[*facts, *_made(made)],
            shared=shared,
            spec=json.dumps(left, ensure_ascii=False),
            command=_again(made, self._command(record)),
            file=f"records/{record.id}.json",
        )

    def of_audit(self, audit: AuditRecord) -> Card:
        """The card of an audit of a data set."""
        copies = audit.contaminated_test
        facts = [
            ("images", ", ".join(f"{split.name} {split.images}" for split in audit.splits)),
            (
                "test images with a copy in train or val",
                f"{len(copies.images)} ({len(copies.exact)} exact, {len(copies.near)} near)",
            ),
            ("checksum", audit.checksum),
        ]
        size = f" --source-size {audit.source_size}" if audit.source_size != 28 else ""
        return Card(
            id=f"{AUDITS}/{audit.stem}",
            label=f"audit of {audit.dataset} · {audit.source_size} px",
            kind="audit",
            status="done",
            stale=False,
            noisy=False,
            facts=[*facts, *_made(audit.provenance)],
            shared=[self._circumstances(audit.provenance)],
            spec=json.dumps(deciding(audit.spec), ensure_ascii=False),
            command=_again(
                audit.provenance,
                f"python -m bench data {shlex.quote(audit.dataset)} --audit{size}",
            ),
            file=f"{AUDITS}/{audit.stem}.json",
        )

    def _command(self, record: Record) -> str:
        spec, reference = record.spec, shlex.quote(self.suite.reference)
        if isinstance(spec, RunSpec):
            control = spec.control.label if spec.control else NO_CONTROL
            chosen = (
                f"model={spec.model.name},dataset={spec.data.name},seed={spec.seed},"
                f"control={control}"
            )
            return f"python -m bench run {reference} --only {shlex.quote(chosen)}"
        model = getattr(spec, "model", None)
        only = f" --only {shlex.quote(f'model={model.name}')}" if model is not None else ""
        full = " --full" if record.detail is not None else ""
        return f"python -m bench measure {reference}{only}{full}"

    def _protocol(self, spec: RunSpec) -> tuple[str, str]:
        text = json.dumps(spec.protocol.deciding(), indent=1, ensure_ascii=False)
        return self._share("protocol", text, lambda number: f"training protocol {number}")

    def _circumstances(self, made: Provenance) -> tuple[str, str]:
        packages = ", ".join(f"{name} {version}" for name, version in made.packages.items())
        text = (
            f"{made.processor}; {made.device_name}; {made.threads} threads\n"
            f"{made.platform}\nPython {made.python}; {packages}"
        )
        return self._share("circumstances", text, lambda number: f"machine and packages {number}")

    def _share(self, kind: str, text: str, title: Callable[[int], str]) -> tuple[str, str]:
        name = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        if name not in self.shared:
            number = 1 + sum(known.startswith(f"{kind}-") for known in self.shared)
            self.shared[name] = Shared(name, title(number), text)
        return name, self.shared[name].title


def _again(made: Provenance, command: str) -> str:
    checkout = f"git checkout {made.commit}\n" if made.commit else ""
    return f"{checkout}BENCH_RESULTS=again {command}"


def _made(made: Provenance) -> list[tuple[str, str]]:
    dirty = ", with changes that were not committed" if made.dirty else ""
    return [
        ("made", f"{made.started_at:%Y-%m-%d %H:%M} UTC, in {duration(made.wall_s)}"),
        ("machine", f"{made.processor} ({made.device_name}, {made.threads} threads)"),
        ("commit", f"{made.commit or 'unknown'}{dirty}"),
        ("digest of the code", made.source_digest),
    ]


def _training(result: TrainingResult) -> list[tuple[str, str]]:
    test, val = result.test, result.val
    auc = "undefined" if test.auc is None else f"{percent([test.auc])} %"
    facts = [
        (
            "test",
            f"ACC {percent([test.acc])} %, AUC {auc}, ECE {percent([test.ece])} %; "
            f"{test.images} images",
        ),
        (
            "chosen",
            f"epoch {result.selected_epoch} of {len(result.epochs)} by {result.selected_on} "
            f"(ACC {percent([val.acc])} % there)",
        ),
        ("test split opened", f"once, {result.test_opened_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("network", f"{millions(result.params_trainable)} M trainable parameters"),
    ]
    left_out = result.omitted_arguments | result.omitted_augmentations
    facts += [("left out", f"{name}: {why}") for name, why in left_out.items()]
    return facts + [("note", note) for note in result.notes]


def _cost(cost: CostResult) -> list[tuple[str, str]]:
    macs = f"{giga(cost.macs)} GMACs" + ("" if cost.macs_complete else " (incomplete)")
    low, high = cost.throughput_images_per_s_low, cost.throughput_images_per_s_high
    facts = [
        ("network", f"{millions(cost.params_total)} M parameters, {macs}"),
        (
            "speed",
            f"{rate(cost.throughput_images_per_s_median)} images/s [{rate(low)}, {rate(high)}]; "
            f"{milliseconds(cost.latency_s_p50)} ms an image at batch 1 (median)",
        ),
    ]
    return facts + [("note", note) for note in cost.notes]

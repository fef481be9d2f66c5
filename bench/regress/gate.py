"""The gate from two trees to one report: exact numbers, checks, accuracy, run time, processes.

Nothing that this module imports loads the code under trial: it may end the process it is loaded in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench.errors import InputError, one_line
from bench.regress.accuracy import train_cells
from bench.regress.across import across_findings, exact_of, process_findings_across
from bench.regress.file import GateFile
from bench.regress.findings import (
    accepted,
    accuracy_findings,
    check_findings,
    exact_findings,
    no_data,
    process_findings,
    time_findings,
)
from bench.regress.fresh import measure_processes
from bench.regress.history import Revision, comparable
from bench.regress.parts import PARTS
from bench.regress.processes import Probe, ProbeFailed, look
from bench.regress.record import (
    CheckResult,
    ExactOf,
    Finding,
    GateReport,
    Side,
)
from bench.regress.settings import settings_of
from bench.regress.tree import Tree
from bench.regress.twin import Twin

SEED = 0
OTHERS_ABOVE = 0.1  # busy share of other processes above which a report says so
ACCURACY_UNTIL, RUN_TIME_UNTIL = 0.5, 0.85  # of the budget: no further look begins after that

Progress = Callable[[str, float], None]


@dataclass
class Gate:
    """One run of the gate.

    Args:
        baseline: a tree, or the record of a revision whose code is not at hand.
        parts: of ``PARTS``, those to be done.
        accept: patterns of names whose regressions the user knows of and wants.
    """

    file: GateFile
    candidate: Tree
    baseline: Tree | Revision
    parts: Sequence[str] = PARTS
    budget_minutes: float | None = None
    accept: Sequence[str] = ()
    on_progress: Progress = lambda doing, done: None
    _found: dict[str, Any] = field(default_factory=dict)
    _findings: list[Finding] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> GateReport:
        """Measure and judge.

        Raises:
            InputError: the baseline cannot be used.
        """
        started_at, self._started = datetime.now(UTC), time.monotonic()
        self._budget_s = 60 * (self.budget_minutes or self.file.budget_minutes)
        settings = settings_of(self.file)
        if isinstance(self.baseline, Revision):
            self.baseline = comparable(self.baseline, settings)
        for number, part in enumerate(PARTS):
            self.on_progress(part, number / len(PARTS))
            started = time.monotonic()
            try:
                self._do(part)
            except (Exception, SystemExit) as error:  # of the trees' code too
                found = accepted(self._findings, self.accept)
                if not any(finding.verdict == "regression" for finding in found):
                    raise
                said = str(error) if isinstance(error, InputError) else one_line(error)
                self._findings.append(_unmeasured(part, said))  # what was found stands
            self._seconds[part] = time.monotonic() - started
        rows = self._found.get("run_time", [])
        return GateReport(
            about=self.file.about,
            baseline=_side(self.baseline),
            candidate=_side(self.candidate),
            machine=self._machine,
            started_at=started_at,
            wall_s=time.monotonic() - self._started,
            budget_minutes=self._budget_s / 60,
            settings=settings,
            noisy=any(share > OTHERS_ABOVE for row in rows for share in row.others),
            findings=accepted(self._findings, self.accept),
            seconds_by_part=self._seconds,
            **self._found,
        )

    def _do(self, part: str) -> None:
        try:
            getattr(self, f"_{part.replace('-', '_')}")()
        except ProbeFailed as failed:
            self._failed(part, failed)

    @property
    def _machine(self) -> Any:
        exact = self._found.get("exact", {})
        return exact["candidate"].machine if "candidate" in exact else None

    @property
    def _known(self) -> Any:
        return self.baseline.auc if isinstance(self.baseline, Revision) else None

    def _failed(self, part: str, failed: ProbeFailed) -> None:
        """The candidate's code raises where the baseline's does not: that is a regression."""
        failed = self._of_both(failed)
        if failed.probe.tree is not self.candidate:
            raise InputError(
                f"{failed.probe.tree.label} cannot be measured ({part}): {failed}",
                remedy="choose another baseline",
                key="--baseline",
            ) from None
        self._findings.append(
            Finding(
                name=f"{part} can be measured",
                kind="check",
                verdict="regression",
                says=f"the working tree fails: {failed}",
                sure="exact",
            )
        )

    def _of_both(self, failed: ProbeFailed) -> ProbeFailed:
        """The baseline's failure in the place of the candidate's, where it was not asked yet."""
        if failed.probe.name in ("checks", "files") and isinstance(self.baseline, Tree):
            try:
                look([replace(failed.probe, tree=self.baseline)], self.file)
            except ProbeFailed as theirs:
                return theirs
        return failed

    def _exact(self) -> None:
        spec = self.file.exact.model_dump(mode="json")
        if "exact" not in self.parts:
            spec["models"] = []  # the machine alone
        trees = [self.candidate] + ([self.baseline] if isinstance(self.baseline, Tree) else [])
        answers = look([Probe("exact", tree, spec) for tree in trees], self.file)
        found = {
            side: ExactOf.model_validate({k: v for k, v in answer.items() if k != "strangers"})
            for side, answer in zip(("candidate", "baseline"), answers, strict=False)
        }
        if isinstance(self.baseline, Revision):
            found["baseline"] = exact_of(self.baseline, spec["models"])
        self._found["exact"] = found
        if "exact" in self.parts:
            self._findings += exact_findings(found["baseline"], found["candidate"])

    def _checks(self) -> None:
        spec = self.file.checks
        if spec is None or "checks" not in self.parts:
            return
        request = spec.model_dump(mode="json")
        probes = [Probe("checks", self.candidate, request)]
        if spec.files is not None and self.file.judges_harness:
            probes.append(Probe("files", self.candidate, request))
        answers = look(probes, self.file)
        checks = [
            CheckResult.model_validate(check) for answer in answers for check in answer["checks"]
        ]
        self._found["checks"] = checks
        self._findings += check_findings(checks)
        for probe, answer in zip(probes, answers, strict=True):
            if why := answer["unavailable"]:
                name, lost = f"{probe.name} can be measured", self._lost(probe)
                self._findings.append(no_data(name, probe.name, "check", why, lost=lost))

    def _lost(self, probe: Probe) -> bool:
        """Whether the candidate's code refuses what the baseline's loads.

        It is asked again after the baseline: a download that failed is no fault of its code.
        """
        if not isinstance(self.baseline, Tree):
            return False
        request = probe.request | {"load_only": True}
        for tree, has in ((self.baseline, True), (self.candidate, False)):
            try:
                (answer,) = look([replace(probe, tree=tree, request=request)], self.file)
            except ProbeFailed:
                return False
            if (answer["unavailable"] is None) != has:
                return False
        return True

    def _accuracy(self) -> None:
        spec = self.file.accuracy
        if spec is None or "accuracy" not in self.parts:
            return
        cells = train_cells(
            spec,
            self.file,
            self.candidate,
            self.baseline if isinstance(self.baseline, Tree) else None,
            known=self._known,
            deadline=self._started + ACCURACY_UNTIL * self._budget_s,
            on_look=lambda pairs: self.on_progress(f"accuracy: {pairs} seeds", 0.4),
        )
        self._found["accuracy"] = cells
        self._findings += accuracy_findings(cells, spec, self._known)

    def _run_time(self) -> None:
        spec = self.file.run_time
        if spec is None or "run-time" not in self.parts:
            return
        if "exact" not in self._found:
            raise InputError("its code is not taken into this process", remedy="mend it first")
        # Not before here: it loads the working tree's code into this process, which code that
        # cannot be imported would end; by now a process of its own has told.
        from bench.regress.timing import time_row

        rng = np.random.default_rng(SEED)
        deadline = self._started + RUN_TIME_UNTIL * self._budget_s
        rows = []
        with self._twins() as twins:
            for row in spec.row:
                rows.append(
                    time_row(
                        row,
                        twins,
                        spec,
                        thread_count=self.file.threads,
                        rng=rng,
                        deadline=deadline,
                        on_block=lambda block, label=row.label: self.on_progress(  # type: ignore[misc]
                            f"{label}: block {block + 1}", 0.6
                        ),
                    )
                )
        self._found["run_time"] = rows
        if isinstance(self.baseline, Revision):
            self._findings += across_findings(rows, self.baseline, self._machine, spec)
        else:
            self._findings += time_findings(rows, spec)

    @contextmanager
    def _twins(self) -> Iterator[dict[str, Twin]]:
        from bench.regress.timing import LANES

        trees = dict(zip(LANES, (self.baseline, self.baseline, self.candidate), strict=True))
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(
                    Twin(tree, f"{name}_", self.file.packages, self.file.imports)
                )
                for name, tree in trees.items()
                if isinstance(tree, Tree)
            }

    def _processes(self) -> None:
        spec = self.file.processes
        if spec is None or "processes" not in self.parts:
            return
        baseline = self.baseline if isinstance(self.baseline, Tree) else None
        deadline = self._started + self._budget_s
        rows = measure_processes(spec, self.file, self.candidate, baseline, deadline)
        self._found["processes"] = rows
        if isinstance(self.baseline, Revision):
            self._findings += process_findings_across(rows, self.baseline, self._machine, spec)
        else:
            self._findings += process_findings(rows, [spec.memory, spec.import_time])


def _unmeasured(part: str, why: str) -> Finding:
    return Finding(name=f"{part} can be measured", kind="check", verdict="not measured", says=why)


def _side(one: Tree | Revision) -> Side:
    if isinstance(one, Revision):
        return Side(label=f"the record of {one.commit[:12]}", commit=one.commit, changed=False)
    return Side(label=one.label, commit=one.commit, changed=one.changed)

"""Which two models are meant, and what to do where one of them has no record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.details import MachineSpec
from bench.errors import InputError, nearest
from bench.race.record import RaceRecord
from bench.records.schema import Record
from bench.search.record import Trial
from bench.suite import Suite
from bench.suite_file import SUBJECT


@dataclass(frozen=True)
class Kept:
    """Everything that is kept of models, read once.

    Attributes:
        suites: those of the checkout, or the one that was asked for.
    """

    records: list[Record]
    trials: Mapping[str, Trial]
    races: list[RaceRecord]
    suites: list[Suite]

    @property
    def models(self) -> set[str]:
        """The names that stand in any of it; a race's contender by its label."""
        found = {
            record.spec.model.name
            for record in self.records
            if not isinstance(record.spec, MachineSpec)
        }
        found |= {trial.spec.model.name for trial in self.trials.values()}
        races = (race for made in self.races for race in made.races)
        contenders = (c for r in races if not r.spec.task.startswith("scan") for c in r.contenders)
        return found | {contender.label for contender in contenders}

    def architectures(self, name: str) -> set[str]:
        """The registered names that stand behind a name; one's own function, or
        changed arguments, make another network, of which nothing was published."""
        specs = [r.spec.model for r in self.records if not isinstance(r.spec, MachineSpec)]
        specs += [trial.spec.model for trial in self.trials.values()]
        raced = {name} - {spec.name for spec in specs}  # a race knows registered names alone
        return raced | {
            s.timm or s.name for s in specs if s.name == name and not (s.factory or s.args)
        }

    @property
    def asked_for(self) -> set[str]:
        """The names in the suites, whether anything is kept of them or not."""
        return {
            model.name for suite in self.suites for model in (*suite.models, *suite.cost_models)
        }


def resolve_pair(first: str, second: str, kept: Kept) -> tuple[str, str]:
    """The two names in full; an ablation may leave out the name of the network it is of.

    Raises:
        InputError: a name is unknown or has no record, or both are the same model.
    """
    one, other = _resolve(first, kept, "A"), _resolve(second, kept, "B")
    if one == other:
        raise InputError(
            f"A and B are both {one!r}",
            remedy="name two models; each run alone stands in its suite's verdicts-runs.csv",
        )
    return one, other


def _resolve(given: str, kept: Kept, key: str) -> str:
    models, asked = kept.models, kept.asked_for
    for names in (models, asked):
        for name in (given, f"{SUBJECT}_{given}"):
            if name in names:
                if name not in models:
                    raise InputError(
                        f"no record of {name!r}", remedy=_command(name, kept.suites), key=key
                    )
                return name
    known = models | asked
    if not known:
        raise InputError("there are no records", remedy="run a suite first", key=key)
    raise InputError(f"no model is called {given!r}", remedy=nearest(given, known), key=key)


def _command(name: str, suites: Iterable[Suite]) -> str:
    for suite in suites:
        if any(model.name == name for model in suite.models):
            return f"`{train_command(suite, name)}` trains it"
    suite = next(s for s in suites if any(model.name == name for model in s.cost_models))
    return f"`python -m bench measure {suite.reference} --only model={name}` measures it"


def train_command(suite: Suite, *names: str) -> str:
    """What makes a suite's runs of these models."""
    only = ",".join(f"model={name}" for name in names)
    return f"python -m bench run {suite.reference} --only {only}"

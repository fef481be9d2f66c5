"""``results/claims.toml``: who claims what, and what evidence would decide it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.specs import Strict
from bench.toml_file import ROOT

CLAIMS = ROOT / "results" / "claims.toml"

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Name], Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Printed(Strict):
    """One number of ``results/published.csv``: the rows that fit must agree on it.

    ``source`` and ``where`` are the beginnings of those columns.
    """

    model: str
    source: str
    where: str = ""


class Parameters(Strict):
    """Trainable parameters of our network against a printed count."""

    kind: Literal["parameters"]
    suite: Name
    model: Name
    printed: Printed
    within: Share | None = None  # relative; None: ours must round to what is printed


class Macs(Strict):
    """Printed operation counts of several models, all by one kind of count or by none."""

    kind: Literal["macs"]
    suite: Name
    printed: Annotated[dict[str, Printed], Field(min_length=1)]  # by our model's name
    within: Share  # relative


class Fewer(Strict):
    """``percent`` fewer parameters, by arithmetic on two printed counts."""

    kind: Literal["percent-fewer"]
    smaller: Printed
    larger: Printed
    percent: float
    within_points: Annotated[float, Field(ge=0)]


class CostRatio(Strict):
    """A quantity of ours over a rival's, measured at one suite's size; above or below 1."""

    kind: Literal["cost-ratio"]
    suite: Name
    model: Name
    rival: Name
    quantity: Literal["images/s", "MACs", "parameters"]
    wanted: Literal["above 1", "below 1"]


class Raced(Strict):
    """Our speed over a rival's, timed in turn in one process."""

    kind: Literal["race"]
    races: Name  # a file of suites/races/
    race: str
    rival: str  # a contender's label
    command: str  # what measures it


class Exponents(Strict):
    """How time grows with pixels: the exponent of every span at most ``at_most``."""

    kind: Literal["exponents"]
    races: Name
    scaling: str
    model: Name
    at_most: float
    beside: Name | None = None  # another contender, shown for comparison


class Accuracy(Strict):
    """Mean test accuracy over a suite's seeds against a printed one."""

    kind: Literal["accuracy"]
    suites: Names
    model: Name
    dataset: Name
    printed: Share
    margin: Share  # below ``printed`` that still counts as reaching it


class Gains(Strict):
    """Relative gains in accuracy over each rival on each data set, on paired seeds."""

    kind: Literal["relative-gains"]
    suites: Names
    model: Name
    rivals: Names
    datasets: Names
    low: float


class ClassAuc(Strict):
    """Classes whose test AUC, mean over seeds, reaches a printed one."""

    kind: Literal["class-auc"]
    suites: Names
    model: Name
    datasets: Names
    printed: Share  # reached by what rounds to it
    classes: Annotated[int, Field(ge=1)]  # that must reach it


class Ablated(Strict):
    """The full network minus an ablated one, mean over data sets, on paired seeds.

    ``helps``: the part is worth more than nothing; refuted where a gain of ``margin`` is excluded.
    ``costs nothing``: the full network is not worse by ``margin``.
    """

    kind: Literal["ablation"]
    suite: Name
    full: Name
    ablated: Name
    datasets: Names
    score: Literal["acc", "auc"]
    expected: Literal["helps", "costs nothing"]
    margin: Annotated[float, Field(gt=0, le=1)]


class Validation(Strict):
    """Mean validation AUC over data sets: not worse than the best peer's by ``margin``."""

    kind: Literal["validation"]
    suite: Name
    model: Name
    rivals: Names
    most_params_m: Annotated[float, Field(gt=0)]  # of a peer
    datasets: Names
    margin: Annotated[float, Field(gt=0, le=1)]


class Replication(Strict):
    """Mean test scores of a known network against those printed for it on the same data set."""

    kind: Literal["replication"]
    suite: Name
    model: Name
    dataset: Name
    printed: Printed
    within_acc: Share
    within_auc: Share


class Unstated(Strict):
    """A claim that no measurement can decide, and why."""

    kind: Literal["unstated"]
    why: str


Check = Annotated[
    Parameters
    | Macs
    | Fewer
    | CostRatio
    | Raced
    | Exponents
    | Accuracy
    | Gains
    | ClassAuc
    | Ablated
    | Validation
    | Replication
    | Unstated,
    Field(discriminator="kind"),
]


class Source(Strict):
    """Who says it; ``text`` is what they wrote, word for word, where it is at hand."""

    cite: str
    where: str
    text: str = ""


class Claim(Strict):
    """One claim.

    ``about`` decides the words of a verdict: ``network`` is what the authors trained, of which we
    have a reimplementation only; ``facts`` are arithmetic and printed numbers, and
    what this project claims of its own network.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    source: str
    quote: str = ""  # word for word
    says: str
    number: str = ""  # as printed
    about: Literal["network", "facts"]
    supports: str
    refutes: str
    caveat: str = ""
    check: Check


class ClaimsFile(Strict):
    """The file as it stands on disk."""

    source: dict[str, Source]
    claim: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> ClaimsFile:
        names = [claim.id for claim in self.claim]
        for claim in self.claim:
            if names.count(claim.id) > 1:
                raise ValueError(f"the id {claim.id!r} is given twice")
            if claim.source not in self.source:
                raise ValueError(f"{claim.id}: no [source.{claim.source}]")
            text = " ".join(self.source[claim.source].text.split())
            if " ".join(claim.quote.split()) not in text:
                raise ValueError(f"{claim.id}: the quote is not in the source's text")
        return self

"""``suites/statistics/simulations.toml``: the worlds, and what the statistics are asked in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bench.specs import Strict
from bench.toml_file import ROOT

SIMULATIONS = ROOT / "suites" / "statistics" / "simulations.toml"

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Inner = Annotated[float, Field(gt=0, lt=1)]
Names = Annotated[list[str], Field(min_length=1)]
Sizes = Annotated[list[Annotated[int, Field(ge=20)]], Field(min_length=1)]
Shares = Annotated[list[Inner], Field(min_length=1)]


class World(Strict):
    """Decisions, right or wrong. All numbers are shares of the images.

    Attributes:
        class_shares: of the images, by class; they sum to 1.
        class_accuracy: of a model in each class, over all seeds and images.
        between_seeds: how often two trainings of one model differ on the same image.
        between_models: how often trainings of two equally good models do.
        seed_sd: standard deviation, over seeds, of a training's accuracy on all images.
    """

    class_shares: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)]
    class_accuracy: Shares
    between_seeds: Inner
    between_models: Inner
    seed_sd: Positive

    @model_validator(mode="after")
    def _fits(self) -> World:
        if len(self.class_shares) != len(self.class_accuracy):
            raise ValueError("class_shares and class_accuracy must be equally long")
        if abs(sum(self.class_shares) - 1) > 1e-9:
            raise ValueError("class_shares must sum to 1")
        if not self.between_seeds <= self.between_models < self.unrelated:
            raise ValueError(
                "needs between_seeds <= between_models < what unrelated decisions would give, "
                f"{self.unrelated:.3g}"
            )
        return self

    @property
    def unrelated(self) -> float:
        """How often two decisions of such accuracy differ that have nothing in common."""
        pairs = zip(self.class_shares, self.class_accuracy, strict=True)
        return sum(share * 2 * right * (1 - right) for share, right in pairs)


class Scores(Strict):
    """Scores of images of two classes, normal within each.

    Attributes:
        positive: share of the images that are of the second class.
        auc: of a model, over all seeds and images.
        seed_sd: standard deviation, over seeds, of a training's AUC on all images.
        between_seeds: correlation, within a class, of the scores of two trainings of one model.
        between_models: the same of two models.
    """

    positive: Inner
    auc: Annotated[float, Field(gt=0.5, lt=1)]
    seed_sd: Positive
    between_seeds: Inner
    between_models: Inner

    @model_validator(mode="after")
    def _fits(self) -> Scores:
        if self.between_models > self.between_seeds:
            raise ValueError("between_models must not exceed between_seeds: they are correlations")
        return self


class Part(Strict):
    """What every part of the simulation is asked."""

    worlds: Names
    images: Sizes
    repeats: Count


class Coverage(Part):
    """Do intervals hold the truth? ``gap``: by how much the first model is better."""

    gap: Inner


class AucCoverage(Part):
    """The same of AUC; ``worlds`` are of ``scores``."""

    gap: Inner


class Family(Part):
    """Words about one architecture that is compared with itself, over families of comparisons."""

    comparisons: Annotated[list[Count], Field(min_length=1)]


class Differences(Part):
    """Words about a true difference of known size on the given test images."""

    edges: Shares  # regions of equivalence, at whose edge the difference lies
    differences: Shares


class Practice(Part):
    """What is often done instead."""

    draws: Count  # of the bootstrap over seeds
    ahead_by: Inner  # when the better of two single runs is called ahead


class Limits(Strict):
    """When a method holds: a measured rate counts as missed only if it lies beyond a limit by more
    than so many of its own Monte Carlo standard errors.

    Attributes:
        errors: for rates of false claims, which a good method brings right to their limit.
        coverage_errors: for coverage, which a good method keeps well within its limits.
    """

    coverage: Annotated[list[Inner], Field(min_length=2, max_length=2)]
    false_at_most: Inner
    power_within: Inner  # of what was predicted
    errors: Annotated[float, Field(ge=0)]
    coverage_errors: Annotated[float, Field(ge=0)]


class AnalysisLoad(Strict):
    """The whole analysis that is timed, and what it may take."""

    models: Annotated[int, Field(ge=2)]
    datasets: Names  # of MedMNIST: task, classes and counts of images are theirs
    seeds: Count
    draws: Count
    region: Inner
    seconds_at_most: Positive
    bytes_at_most: Count


class SimulationFile(Strict):
    """The file as it stands on disk."""

    about: str
    seed: Annotated[int, Field(ge=0)]
    seeds: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    world: dict[str, World]
    scores: dict[str, Scores]
    coverage: Coverage
    auc: AucCoverage
    same: Part  # one architecture against itself, one comparison
    family: Family
    difference: Differences
    practice: Practice
    limits: Limits
    analysis: AnalysisLoad

    @model_validator(mode="after")
    def _known(self) -> SimulationFile:
        for name in ("coverage", "same", "family", "difference", "practice", "auc"):
            known = self.scores if name == "auc" else self.world
            unknown = [w for w in getattr(self, name).worlds if w not in known]
            if unknown:
                table = "scores" if name == "auc" else "world"
                raise ValueError(f"{name}.worlds: there is no [{table}.{unknown[0]}]")
        return self

    @property
    def most_seeds(self) -> int:
        return max(self.seeds)

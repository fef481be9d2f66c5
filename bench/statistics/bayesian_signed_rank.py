"""How probable it is, over data sets, that one model is better, or equivalent in practice.

The Bayesian signed-rank test of Benavoli, Corani, Demšar & Zaffalon 2017 (JMLR 18:77, section 4.2):
weights of the data sets are drawn from a Dirichlet law, and each draw says on which side of the
region of practical equivalence the most pairs of differences lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.statistics.decisions import Floats

DRAWS = 10_000
PRIOR = 0.5  # weight of one pseudo-observation of no difference at all; a data set weighs 1


@dataclass(frozen=True)
class SignedRankPosterior:
    """Posterior probabilities that sum to 1; None with the reason where there are none."""

    first_better: float | None
    equivalent: float | None
    second_better: float | None
    blank: str | None = None


def bayesian_signed_rank(
    differences: Floats,
    rng: np.random.Generator,
    *,
    region: float,
    draws: int = DRAWS,
    prior: float = PRIOR,
) -> SignedRankPosterior:
    """Judge first against second by their differences first − second, ``(D,)``, one a data set.

    Args:
        region: half the width of practical equivalence, in the unit of the differences.
        prior: weight of the pseudo-observation at 0, positive.

    Raises:
        ValueError: a negative region, or a prior that is not positive.
    """
    if region < 0 or prior <= 0:
        raise ValueError(f"region {region:g} must not be negative, prior {prior:g} be positive")
    if len(differences) < 2:
        told = "one data set shows" if len(differences) else "no data set shows"
        return SignedRankPosterior(None, None, None, f"{told} no spread over data sets")
    values = np.concatenate([[0.0], differences])
    weights = rng.dirichlet([prior] + [1.0] * len(differences), size=draws)
    sums = values[:, None] + values[None, :]
    above = _weight_of_pairs(weights, sums > 2 * region)
    below = _weight_of_pairs(weights, sums < -2 * region)
    inside = 1.0 - above - below
    better = float((above > np.maximum(below, inside)).mean())
    worse = float((below > np.maximum(above, inside)).mean())
    return SignedRankPosterior(better, 1.0 - better - worse, worse)


def _weight_of_pairs(
    weights: Floats, chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
) -> Floats:
    """``Σ wᵢ wⱼ`` over the chosen pairs, for each row of ``weights``."""
    return np.asarray(((weights @ chosen.astype(np.float64)) * weights).sum(axis=1))

"""What the page on the statistics says in words; every number on it comes from the record."""

from __future__ import annotations

from bench.simulate.rates import Kind

ASKED: dict[Kind, str] = {
    "coverage": "{low:g} to {high:g}",
    "difference": "at most {most:g}",
    "equivalent": "at most {most:g}",
    "power": "within {within:g} points of the prediction",
}

BELIEVE = (
    "Each method is tried in several worlds, at several test sizes and numbers of seeds (the "
    "cells below). An interval that says 95 % should hold the truth that its name states; a word "
    "should be false at most as often as its level allows: *better* or *worse* of one "
    "architecture trained twice, *equivalent* of a difference that lies just at the edge of the "
    "region. A cell is missed only where it lies beyond its limit by more than its own standard "
    "error times {coverage_errors:g} (coverage) or {errors:g} (false words, which a good method "
    "brings right to their limit, and power)."
)

NEAR_READ = "Beyond the limits of coverage, by no more than chance may explain:"

WORLDS_READ = (
    "In a world of decisions an image has a difficulty that all models share, a part that is one "
    "model's own, and chance in which two trainings of one model differ; a training is also "
    "better or worse as a whole. Shares in percent. `breast` is like the committed runs on "
    "BreastMNIST; the others are easier, or differ more between seeds. In a world of scores the "
    "same holds for scores that are normal within each of two classes."
)

COVERAGE_READ = (
    "In percent, ± the standard error of the simulation. *Over images*: the score of these "
    "trainings on all images. *Over seeds*: the mean over all seeds on these images. *Over seeds "
    "and images*: the mean over all of both. *Blank*: the method gave no interval there, and says"
    " so. Bold: missed."
)

FALSE_READ = (
    "In percent, ± the standard error of the simulation. *Better or worse*: two or more groups of"
    " trainings of one architecture, so that every such word is false; of a family, at least one "
    "false word among all its comparisons. *Equivalent*: the true difference on the given images "
    "is as large as the region, so that the word is just false. Bold: missed."
)

POWER_READ = (
    "In percent, ± the standard error, in brackets what `bench/statistics/power.py` predicts from"
    " the true difference and the spread over seeds. One comparison; a family asks for more."
)

PRACTICE_READ = (
    "Not methods of this project; nothing here is judged. A percentile bootstrap over a few seeds"
    " holds the mean far less often than its 95 %. McNemar's test compares two *trainings*: the "
    "larger the test split, the more often it tells two trainings of one model apart, rightly, "
    "and the less that says of the model. *Ahead*: by more than {ahead:g} point(s) of accuracy, "
    "so that a table that prints one run's best in bold would show a winner. The last rows are a "
    "limit of this project's own words: a verdict over seeds is about the given test images, so "
    "it may call two models different that are equal over all images; the interval over seeds and"
    " images may not."
)

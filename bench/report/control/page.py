"""The page on what the harness can detect; a pure function of records and expectations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.collect import collect
from bench.report.control.cues import cue_rows, profile
from bench.report.control.detectable import blank_lines, detectable_rows
from bench.report.control.expected import ALIKE, Judged, judge_expectations, judged_rows
from bench.report.control.file import EXPECTED, ExpectedFile, load_expected
from bench.report.control.trainings import Trainings
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.staleness import Staleness
from bench.statistics.verdict import REGION
from bench.suite import Suite, load_suite

PAGE = "control.md"


def judge(results: Path, path: Path = EXPECTED) -> list[Judged]:
    """Every expectation beside the records below ``results``.

    Raises:
        InputError: the file or its suite cannot be used.
    """
    file, suite = load_expected(path)
    return judge_expectations(file, _trainings(suite, *_kept(results)))


def write_control_page(results: Path, path: Path = EXPECTED, folder: Path | None = None) -> Path:
    """Draw the page; returns its path.

    Raises:
        InputError: the file or a suite that it names cannot be used.
    """
    records, known = _kept(results)
    target = (folder or reports_folder(results)) / PAGE
    write_atomic(target, control_page(records, known, path).encode())
    return target


def control_page(records: Sequence[Record], known: Staleness, path: Path = EXPECTED) -> str:
    """The page as Markdown; the same records and expectations give the same text.

    Raises:
        InputError: as :func:`write_control_page`.
    """
    file, suite = load_expected(path)
    parts = ["# What the harness can detect", _READ]
    parts += _control_parts(file, _trainings(suite, records, known))
    if file.detectable is not None:
        suites = [load_suite(name) for name in file.detectable.suites]
        parts += _detectable_parts([_trainings(one, records, known) for one in suites])
    if file.cues is not None:
        parts += _cue_parts(_trainings(load_suite(file.cues.suite), records, known))
    return "\n\n".join(part for part in parts if part) + "\n"


def _kept(results: Path) -> tuple[list[Record], Staleness]:
    """A damaged record is another command's to name."""
    return Store(results).readable()[0], Staleness.load(results)


def _trainings(suite: Suite, records: Sequence[Record], known: Staleness) -> Trainings:
    return Trainings(collect(suite, records, staleness=known))


_READ = (
    "A harness that finds no difference says something only if it would have found one. Scores "
    "are of the test split, in percent, mean ± standard deviation over seeds; differences in "
    "points, with Student's 95 % intervals over seeds. Words are those of the project's verdict: "
    f"*equivalent* is shown to lie within ± {100 * REGION:g} points, *better* and *worse* exclude "
    "no difference, all else is *undecided*."
)

_CONTROL_READ = (
    "Each model under a control against itself without, paired by seed, and sets of trainings of "
    "one model that differ in their seeds alone (Welch's interval: no seed is shared). p values "
    "are Holm's over all rows below. *Not worse* holds where *worse* is not shown, so look at the "
    "interval too."
)


def _control_parts(file: ExpectedFile, trainings: Trainings) -> list[str]:
    judged = judge_expectations(file, trainings)
    held = sum(one.held for one in judged)
    why = [f"- `{e.dataset}` under {e.control}, **{e.shows}**: {e.why}" for e in file.expect]
    planted = [one for one in judged if one.expected != ALIKE]
    alike = [one for one in judged if one.expected == ALIKE]
    parts = ["## Planted effects", f"{file.about} {_made(trainings)}", _CONTROL_READ]
    parts += ["\n".join(why), f"**{held} of {len(judged)} expectations held.**"]
    parts.append(markdown(judged_rows(planted, "under it", "without")))
    if alike:
        parts.append(markdown(judged_rows(alike, "first", "second")))
    return parts


_DETECTABLE_READ = (
    "Real data, without control. From the spread (standard deviation) of the paired differences "
    "of every two models of a suite: the smallest true difference that a t test over so many seeds "
    "finds with a power of 80 %, alone at α = 0.05 and as one of all the suite's pairs (Holm's "
    "first step); and the half-width of the 90 % interval, which must be below "
    f"{100 * REGION:g} points for equivalence to be shown at all. Median over pairs, their range "
    "in parentheses, in points. *Seeds to show equal models equivalent*: with a power of 80 %, at "
    "the median spread, one test. *± by images alone*: half of Wilson's 95 % interval at the "
    "median accuracy of one training: what other test images could change."
)


def _detectable_parts(every: Sequence[Trainings]) -> list[str]:
    rows = [row for trainings in every for row in detectable_rows(trainings)]
    blanks = [line for trainings in every for line in blank_lines(trainings)]
    made = " ".join(f"`{t.collected.suite.name}`: {_made(t)}" for t in every)
    told = "\n".join(f"- {line}" for line in blanks)
    return [
        "## The smallest effect that would be seen",
        _DETECTABLE_READ,
        made,
        markdown(rows),
        told,
    ]


_CUES_READ = (
    "Equal trainings on real data; every image of train, val and test alike has one cue taken "
    "away. *Blur* takes fine texture and leaves layout; *shuffle* permutes patches, takes the "
    "layout and leaves what fits in a patch. *Seeing nothing*: the rate of the test split's "
    "majority class, and an AUC of a half. *Remains*: of the score above that, the share that is "
    "left, as a ratio of means over paired seeds with Fieller's 95 % interval. It can be "
    "above 100 % and below 0. Verdicts are of the model under the control against itself without; "
    "Holm over the rows of each score. What remains under a control can be learnt without the "
    "cue; what is lost need not be used by a network that has both."
)


def _cue_parts(trainings: Trainings) -> list[str]:
    suite = trainings.collected.suite
    parts = ["## Cues of real data", f"{suite.settings.about} {_made(trainings)}", _CUES_READ]
    rows = cue_rows(profile(trainings))
    nothing = f"Nothing to show yet: `python -m bench run {suite.reference}`."
    return [*parts, markdown(rows) if rows else nothing]


def _made(trainings: Trainings) -> str:
    """What a section stands on."""
    collected = trainings.collected
    suite, settings = collected.suite, collected.suite.settings
    done = len(suite.cells) - len(collected.problems)
    told = [
        f"Suite `{suite.name}`: {settings.image_size} px, protocol `{suite.protocol_name}`; "
        f"{done} of {len(suite.cells)} trainings are here"
        + (f" ({trainings.variant})." if trainings.variant else ".")
    ]
    if trainings.stale:
        told.append(f"{trainings.stale} are *stale*: code that decides them has changed since.")
    return " ".join([*told, *collected.left_out])

"""The page of searches: what was tried, what validation said of it, and what follows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.design import cost_columns
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.report.text import BLANK, millions, percent
from bench.search.file import Search, known_searches, load_search, trial_id
from bench.search.record import Trial, load_all
from bench.specs import Protocol
from bench.staleness import ALL_STALE, Staleness
from bench.statistics.differences import noninferiority_power, paired_difference

PAGE = "search.md"
MARGIN = 0.01  # of AUC: the non-inferiority margin of one point

_READ = (
    "Trials choose designs and protocols on **validation** alone: no test split is opened by them, "
    "and a trial has no field for a test score. AUC in percent. Scores of the chosen epoch are "
    "optimistic for every model alike; they rank, and are not results."
)


def write_search_page(results: Path) -> Path:
    """Draw every search of the project as ``reports/search.md``.

    Raises:
        InputError: a trial or a search file cannot be read.
    """
    folder = reports_folder(results)
    searches = [load_search(name) for name in known_searches()]
    costs = Store(results).readable()[0]  # a damaged one is another command's to name
    text = search_page(searches, load_all(results), costs, Staleness.load(results))
    write_atomic(folder / PAGE, text.encode())
    return folder / PAGE


def model_table(search: Search, trials: dict[str, Trial], costs: Sequence[Record]) -> str:
    """The table of a search of one protocol alone, as a document embeds it."""
    return markdown(_model_rows(search, _done(search, trials), costs))


def search_page(
    searches: Sequence[Search],
    trials: dict[str, Trial],
    costs: Sequence[Record] = (),
    staleness: Staleness = ALL_STALE,
) -> str:
    """The searches as Markdown; the same trials and costs give the same text."""
    parts = ["# Searches", _READ]
    for search in searches:
        parts += _section(search, trials, costs, staleness)
    return "\n\n".join(parts) + "\n"


def _section(
    search: Search, trials: dict[str, Trial], costs: Sequence[Record], staleness: Staleness
) -> list[str]:
    file = search.file
    wanted = len(file.models) * len(file.datasets) * len(file.seeds) * len(search.protocols)
    found, done = _found(search, trials), _done(search, trials)
    stale = sum(staleness.stale(t.spec, t.provenance, trial=True) for t in done)
    told = [
        f"{file.about} Data: {', '.join(file.datasets)}; {file.source_size} px source fed at "
        f"{file.image_size} px; protocol `{file.protocol}`; seeds "
        f"{', '.join(map(str, file.seeds))}; {file.threads} thread(s) on a CPU. "
        f"{len(done)} of {wanted} trials are done."
    ]
    told += [f"{stale} of them were made by code that has changed since."] if stale else []
    told += [f"Failed: {t.spec.label}: {t.reason}." for t in found if t.status != "done"]
    parts = [f"## {search.name}", " ".join(told)]
    if not done:
        return [*parts, f"Nothing to show yet: `python -m bench search {search.name}`."]
    if len(search.protocols) > 1:
        return [*parts, *_protocol_parts(search, done)]
    return [*parts, markdown(_model_rows(search, done, costs)), _MODELS_READ]


def _found(search: Search, trials: dict[str, Trial]) -> list[Trial]:
    checksums = {t.spec.data.name: t.spec.data.checksum for t in trials.values()}
    return [trials[i] for s in search.specs(checksums) if (i := trial_id(s)) in trials]


def _done(search: Search, trials: dict[str, Trial]) -> list[Trial]:
    return [trial for trial in _found(search, trials) if trial.status == "done"]


_MODELS_READ = (
    "*mean* is over data sets; ± is the standard deviation of that mean over seeds. *first − this* "
    "is the paired difference, seed by seed, with Student's 95 % interval. *power* "
    "is how often an equal model with this spread and these seeds would be shown non-inferior, "
    "that is with the lower bound of first − other above −1 point. *speed ÷ first* compares "
    "images/s of eager models timed in the same rounds on one machine (`python -m bench measure`)."
)


def _auc(trial: Trial) -> float:
    assert trial.result is not None
    value = trial.result.val.auc_present
    return float("nan") if value is None else value


def _by_seed(search: Search, trials: list[Trial], model: str) -> dict[int, float]:
    """Mean AUC over data sets by seed, for seeds that have every data set."""
    found: dict[int, dict[str, float]] = {}
    for trial in trials:
        if trial.spec.model.name == model:
            found.setdefault(trial.spec.seed, {})[trial.spec.data.name] = _auc(trial)
    whole = len(search.file.datasets)
    return {s: statistics.fmean(v.values()) for s, v in found.items() if len(v) == whole}


def _model_rows(search: Search, done: list[Trial], costs: Sequence[Record]) -> list[dict[str, str]]:
    first = _by_seed(search, done, search.file.models[0])
    rows = []
    for model in search.file.models:
        own = [trial for trial in done if trial.spec.model.name == model]
        means = _by_seed(search, done, model)
        row = {"model": model, "params (M)": _params(own)} | _costs(search, done, model, costs)
        for dataset in search.file.datasets:
            row[dataset] = percent([_auc(t) for t in own if t.spec.data.name == dataset])
        row["mean"] = percent(list(means.values()))
        rows.append(row | _against(first, means, is_first=model == search.file.models[0]))
    return rows


def _costs(
    search: Search, done: list[Trial], model: str, costs: Sequence[Record]
) -> dict[str, str]:
    specs = {trial.spec.model.name: trial.spec.model for trial in done}
    first = specs.get(search.file.models[0])
    if first is None or model not in specs:
        return {}
    return cost_columns(specs[model], first, costs)


def _params(trials: list[Trial]) -> str:
    counts = sorted({t.result.params_trainable for t in trials if t.result is not None})
    return millions(counts[-1]) if counts else BLANK


def _against(first: dict[int, float], other: dict[int, float], *, is_first: bool) -> dict[str, str]:
    seeds = sorted(first.keys() & other.keys())
    if is_first or not seeds:
        return {"first − this [95 %]": BLANK, "power": BLANK}
    a, b = [first[s] for s in seeds], [other[s] for s in seeds]
    gap = paired_difference(a, b)
    if gap.low is None or gap.high is None:
        return {"first − this [95 %]": f"{100 * gap.mean:+.1f} (one seed)", "power": BLANK}
    spread = statistics.stdev(x - y for x, y in zip(a, b, strict=True))
    power = noninferiority_power(spread, len(seeds), MARGIN)
    interval = f"{100 * gap.mean:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"
    return {"first − this [95 %]": interval, "power": f"{power:.2f}"}


def _protocol_parts(search: Search, done: list[Trial]) -> list[str]:
    """Models × protocols; the protocol that is best on average over models that tried them all."""
    labels = [_label(protocol) for protocol in search.protocols]
    table: dict[str, dict[str, float]] = {}
    for model in search.file.models:
        for protocol, label in zip(search.protocols, labels, strict=True):
            here = [t for t in done if t.spec.protocol.deciding() == protocol.deciding()]
            means = _by_seed(search, here, model)
            if len(means) == len(search.file.seeds):
                table.setdefault(model, {})[label] = statistics.fmean(means.values())
    rows = []
    for model in search.file.models:
        own = table.get(model, {})
        best = max(own.values(), default=None)
        cells = {label: _cell(own.get(label), best) for label in labels}
        rows.append({"model": model, **cells})
    whole = {model: own for model, own in table.items() if len(own) == len(labels)}
    if not whole:
        return [markdown(rows), "No model has tried every protocol yet: none is chosen."]
    overall = {label: statistics.fmean(own[label] for own in whole.values()) for label in labels}
    best_label = max(overall, key=overall.__getitem__)
    average = {label: _cell(value, overall[best_label]) for label, value in overall.items()}
    rows.append({"model": f"mean of {len(whole)} models", **average})
    chosen = f"Best on average over the {len(whole)} models that tried all: **{best_label}**."
    return [markdown(rows), f"{chosen} The best of each row is bold. {_rests_on(whole, overall)}"]


def _rests_on(whole: dict[str, dict[str, float]], overall: dict[str, float]) -> str:
    """How near the second best comes, and which single model's scores decide between the two."""
    best, second = sorted(overall, key=overall.__getitem__, reverse=True)[:2]
    told = f"The next, {second}, is {100 * (overall[best] - overall[second]):.2f} lower."
    swings: dict[str, list[str]] = {}
    for left_out in whole if len(whole) > 1 else ():
        means = {
            label: statistics.fmean(own[label] for m, own in whole.items() if m != left_out)
            for label in overall
        }
        other = max(means, key=means.__getitem__)
        if other != best:
            swings.setdefault(other, []).append(left_out)
    if not swings:
        return f"{told} Leaving out any one model gives the same choice."
    others = "; ".join(
        f"{label} without {'' if len(names) == 1 else 'one of '}{', '.join(names)}"
        for label, names in swings.items()
    )
    return (
        f"{told} Leaving out one model gives another choice in {sum(map(len, swings.values()))} of "
        f"{len(whole)} cases: {others}."
    )


def _label(protocol: Protocol) -> str:
    return f"lr {protocol.optimizer.lr:g}, wd {protocol.optimizer.weight_decay:g}"


def _cell(value: float | None, best: float | None) -> str:
    if value is None:
        return BLANK
    return f"**{100 * value:.1f}**" if value == best else f"{100 * value:.1f}"

"""The page on what the data sets hold and hide, from the records of their audits alone."""

from __future__ import annotations

import math
from pathlib import Path

from bench.provenance import audit_digest
from bench.records.audit import AuditRecord, Group, SplitAudit, load_all
from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.contact_sheet import credit
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown

PAGE = "data.md"
SHEETS = "data"  # the folder of contact sheets, beside the page
MOST_LISTED = 60  # indices; all are in the record
ABSENT = "No data set is audited here: `python -m bench data NAME --audit` does it."

_READ = (
    "What each data set holds and hides, found from its images and labels alone: no model is asked "
    "and nothing is chosen by it. *Exact*: the same bytes. *Near*: other bytes, but highly "
    "alike. *Two labels*: a pair of copies whose labels differ. `docs/data.md` says "
    "what such an audit cannot see."
)


def sheet_name(record: AuditRecord) -> str:
    """The contact sheet's file name, after MedMNIST's own: ``breastmnist.png``, ``…_64.png``."""
    size = "" if record.source_size == 28 else f"_{record.source_size}"
    return f"{record.dataset}{size}.png"


def data_page(records: list[AuditRecord]) -> str:
    """The page as Markdown; the same records give the same text."""
    parts = ["# The data", _READ] if records else ["# The data", ABSENT]
    for record in records:
        parts += _section(record)
    return "\n\n".join(parts) + "\n"


def write_data_page(results: Path) -> Path:
    """Draw every audit below ``results`` as ``reports/data.md``; returns its path.

    Raises:
        InputError: a record is damaged.
    """
    path = reports_folder(results) / PAGE
    write_atomic(path, data_page(load_all(results)).encode())
    return path


def _section(record: AuditRecord) -> list[str]:
    made = record.provenance
    stale = made.source_digest != audit_digest()
    kind = "**Synthetic**; " if record.synthetic else ""
    about = (
        f"{kind}{record.task}, {len(record.class_names)} classes, {record.channels} channel(s). "
        f"Checksum `{record.checksum}`; audited at commit {(made.commit or 'unknown')[:12]}."
    )
    about += f" {record.note[0].upper()}{record.note[1:]}." if record.note else ""
    about += " **Stale**: the code that decides it has changed since." if stale else ""
    name = f"{record.dataset}, {record.source_size} px"
    told = f"{name}: the first training images of each class, and the copies. {credit(record)}"
    return [
        f"## {name}",
        about,
        markdown(split_rows(record)),
        markdown(pair_rows(record)),
        "\n".join(f"- {line}" for line in _findings(record)),
        _threshold(record),
        markdown(threshold_rows(record)),
        f"![{name}: training images and copies]({SHEETS}/{sheet_name(record)})",
        f"*{told.strip()}*",
    ]


def split_rows(record: AuditRecord) -> list[Row]:
    """Images, each class's number and share, and the flat images, by split."""
    rows = []
    for split in record.splits:
        row = {"split": split.name, "images": f"{split.images:,}"}
        for name, count in zip(record.class_names, split.per_class, strict=True):
            row[name] = f"{count:,} ({100 * count / split.images:.1f} %)"
        row["constant"], row["flat"] = str(len(split.constant)), str(len(split.flat))
        rows.append(row)
    return rows


def pair_rows(record: AuditRecord) -> list[Row]:
    """Pairs of copies within each split and across each two."""
    rows = []
    for pair in record.pairs:
        first, second = pair.splits
        where = f"within {first}" if first == second else f"{first} and {second}"
        counts = {
            "exact": pair.exact,
            "near": pair.near,
            "of these, two labels": pair.labels_differ,
        }
        rows.append({"pairs": where} | {name: f"{count:,}" for name, count in counts.items()})
    return rows


def threshold_rows(record: AuditRecord) -> list[Row]:
    """Pairs of different bytes at each likeness that is counted, within and across splits."""
    rows = []
    for place, least in enumerate(record.spec.counted):
        within = sum(p.counted[place] for p in record.pairs if p.splits[0] == p.splits[1])
        across = sum(p.counted[place] for p in record.pairs if p.splits[0] != p.splits[1])
        bold = "**" if least == record.spec.likeness else ""
        rows.append(
            {
                "likeness at least": f"{bold}{least:g}{bold}",
                "what is left": f"{100 * residual(least):.0f} %",
                "pairs within splits": f"{within:,}",
                "pairs across splits": f"{across:,}",
            }
        )
    return rows


def residual(correlation: float) -> float:
    """What is left of an image, as a share of its standard deviation, after the best fit."""
    return math.sqrt(1 - correlation**2)


def _threshold(record: AuditRecord) -> str:
    spec = record.spec
    return (
        f"Near means a likeness of at least {spec.likeness:g} at "
        f"{min(spec.size, record.source_size)} px, the lower of two correlations: of the images, "
        "and of what sets each apart from the average image. In both, fitted to the other by "
        f"brightness and contrast, an image leaves at most {100 * residual(spec.likeness):.0f} % "
        "of its standard deviation. Pairs of different bytes at this and other thresholds:"
    )


def _findings(record: AuditRecord) -> list[str]:
    found = record.contaminated_test
    test = next(split for split in record.splits if split.name == "test")
    lines = [_groups("identical", record.exact), _groups("near-duplicate", record.near)]
    share = 100 * len(found.images) / test.images
    lines.append(
        f"contaminated test images (a copy in train or val): **{len(found.images)}** of "
        f"{test.images:,} ({share:.1f} %); exact {_listed(found.exact)}; near "
        f"{_listed(found.near)}; of both with another label there {_listed(found.labels_differ)}"
    )
    lines += [line for split in record.splits for line in _flat(split, record.spec.flat_below)]
    return lines


def _groups(kind: str, groups: list[Group]) -> str:
    if not groups:
        return f"{kind} images: none"
    surplus = sum(len(group.members) - 1 for group in groups)
    across = sum(len({member.split for member in group.members}) > 1 for group in groups)
    tested = sum({"test"} < {member.split for member in group.members} for group in groups)
    wrong = sum(group.labels_differ for group in groups)
    return (
        f"{kind} images: {len(groups)} group(s), {surplus} surplus image(s); {across} across "
        f"splits, {tested} of them with the test split; {wrong} with two labels"
    )


def _flat(split: SplitAudit, flat_below: float) -> list[str]:
    if not split.flat:
        return []
    return [
        f"flat images of {split.name} (standard deviation below {flat_below:g} grey levels, not "
        f"compared): {_listed(split.flat)}; of one value: {_listed(split.constant)}"
    ]


def _listed(indices: list[int]) -> str:
    if not indices:
        return "none"
    shown = ", ".join(map(str, indices[:MOST_LISTED]))
    more = f", … ({len(indices)} in all)" if len(indices) > MOST_LISTED else ""
    return f"({shown}{more})"

"""A data set at a glance: the first training images of each class, and the groups of copies."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.data.dataset import Split
from bench.records.audit import AuditRecord, Group, Member

WIDTH, MARGIN, GAP = 1290, 28, 6  # pixels: six groups of two, or twelve images and a name
LABEL = 160  # the column of class names
CELL = 84  # an image, three times 28
COLUMNS = (WIDTH - 2 * MARGIN - LABEL + GAP) // (CELL + GAP)
MOST_GROUPS = 36  # shown; all are in the record
MOST_IN_GROUP = 6
PANEL_GAP, PAD = 14, 10

PAPER, INK, PALE = "#ffffff", "#1f2328", "#656d76"
FRAME, WRONG = "#d0d7de", "#cf222e"

MEDMNIST = "MedMNIST v2 (Yang et al. 2023, doi 10.1038/s41597-022-01721-8)"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Draw = Callable[["Canvas", int], int]


def _font(size: int) -> Font:
    return ImageFont.load_default(size)


@dataclass
class Canvas:
    """What is drawn on; the same calls on a canvas that is thrown away measure the height."""

    image: Image.Image
    pen: ImageDraw.ImageDraw

    @classmethod
    def of(cls, height: int) -> Canvas:
        image = Image.new("RGB", (WIDTH, height), PAPER)
        return cls(image, ImageDraw.Draw(image))

    def text(self, place: tuple[int, int], text: str, size: int, colour: str = INK) -> None:
        self.pen.text(place, text, fill=colour, font=_font(size))

    def wrapped(
        self, place: tuple[int, int], text: str, size: int, width: int, colour: str = INK
    ) -> int:
        """Text broken into lines no wider than ``width``; returns the height it takes."""
        lines, (x, y) = [""], place
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.pen.textlength(longer, font=_font(size)) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        step = round(1.3 * size)
        for number, line in enumerate(lines):
            self.text((x, y + number * step), line, size, colour)
        return step * len(lines)

    def paste(self, place: tuple[int, int], pixels: NDArray[np.uint8]) -> None:
        """One image ``(H, W, C)``, brought to the size of a cell."""
        plain = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        cell = Image.fromarray(plain).resize((CELL, CELL), Image.Resampling.BICUBIC)
        self.image.paste(cell.convert("RGB"), place)


def credit(record: AuditRecord) -> str:
    """Whose images these are and under which licence; only MedMNIST's sets state one."""
    if not record.licence:
        return ""
    return f"Images: {record.dataset} of {MEDMNIST}, licence {record.licence}. "


def contact_sheet(record: AuditRecord, splits: Mapping[str, Split]) -> bytes:
    """The sheet as PNG; the same record and images give the same picture.

    Rows are classes, with the first training images of each in the file's order. Below are the
    groups of copies, those with contradicting labels framed in red and first, then those across
    splits.
    """
    height = _everything(Canvas.of(1), record, splits)
    canvas = Canvas.of(height)
    _everything(canvas, record, splits)
    buffer = io.BytesIO()
    canvas.image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _everything(canvas: Canvas, record: AuditRecord, splits: Mapping[str, Split]) -> int:
    """Draw from the top down; returns the height of it all."""
    y = _heading(canvas, record)
    y = _classes(canvas, record, splits["train"], y)
    for title, groups in (("Identical images", record.exact), ("Near duplicates", record.near)):
        if groups:
            y = _groups(canvas, title, groups, record, splits, y)
    return _caption(canvas, record, y)


def _heading(canvas: Canvas, record: AuditRecord) -> int:
    canvas.text((MARGIN, MARGIN), record.dataset, 30)
    counts = ", ".join(f"{split.images:,} {split.name}" for split in record.splits)
    size = f"{record.source_size} px a side"
    canvas.text((MARGIN, MARGIN + 42), f"{size}; {counts}; {record.task}", 16, PALE)
    return MARGIN + 78


def _classes(canvas: Canvas, record: AuditRecord, train: Split, y: int) -> int:
    canvas.text((MARGIN, y), "The first training images of each class", 18)
    y += 34
    for label, name in enumerate(record.class_names):
        carried = train.labels[:, label] == 1 if train.labels.ndim == 2 else train.labels == label
        used = canvas.wrapped((MARGIN, y), name, 16, LABEL - 16)
        counts = " / ".join(str(split.per_class[label]) for split in record.splits)
        used += canvas.wrapped((MARGIN, y + used + 2), counts, 13, LABEL - 16, PALE)
        for column, index in enumerate(np.flatnonzero(carried)[:COLUMNS]):
            canvas.paste((MARGIN + LABEL + column * (CELL + GAP), y), train.images[index])
        y += max(CELL, used + 4) + GAP
    canvas.text((MARGIN, y + 2), "below each name: images in train / val / test", 13, PALE)
    return y + 34


def _groups(
    canvas: Canvas,
    title: str,
    groups: list[Group],
    record: AuditRecord,
    splits: Mapping[str, Split],
    y: int,
) -> int:
    ordered = sorted(groups, key=lambda group: (not group.labels_differ, not _crosses(group)))
    wrong, across = sum(g.labels_differ for g in groups), sum(map(_crosses, groups))
    told = f"{title}: {len(groups)} groups, {across} across splits, {wrong} with two labels"
    if len(groups) > MOST_GROUPS:
        told += f"; {MOST_GROUPS} shown"
    canvas.text((MARGIN, y), told.replace(": 1 groups", ": 1 group"), 18)
    x, y = MARGIN, y + 34
    height = CELL + 2 * PAD + 38
    for group in ordered[:MOST_GROUPS]:
        width = _panel_width(group)
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + height + PANEL_GAP
        _panel(canvas, (x, y, x + width, y + height), group, record, splits)
        x += width + PANEL_GAP
    return y + height + 26


def _crosses(group: Group) -> bool:
    return len({member.split for member in group.members}) > 1


def _panel_width(group: Group) -> int:
    shown = min(len(group.members), MOST_IN_GROUP)
    more = 44 if len(group.members) > MOST_IN_GROUP else 0
    return 2 * PAD + shown * (CELL + GAP) - GAP + more


def _panel(
    canvas: Canvas,
    box: tuple[int, int, int, int],
    group: Group,
    record: AuditRecord,
    splits: Mapping[str, Split],
) -> None:
    colour = WRONG if group.labels_differ else FRAME
    canvas.pen.rounded_rectangle(box, radius=8, outline=colour, width=2)
    x, y = box[0] + PAD, box[1] + PAD
    for member in group.members[:MOST_IN_GROUP]:
        canvas.paste((x, y), splits[member.split].images[member.index])
        canvas.text((x, y + CELL + 4), f"{member.split} {member.index}", 13)
        label = _shortened(canvas, _label(member, record), 13)
        canvas.text((x, y + CELL + 20), label, 13, WRONG if group.labels_differ else PALE)
        x += CELL + GAP
    left = len(group.members) - MOST_IN_GROUP
    if left > 0:
        canvas.text((x + 2, y + CELL // 2 - 8), f"+ {left}", 15, PALE)


def _label(member: Member, record: AuditRecord) -> str:
    if isinstance(member.label, int):
        return record.class_names[member.label]
    carried = [n for n, held in zip(record.class_names, member.label, strict=True) if held]
    return ", ".join(carried) or "none"


def _shortened(canvas: Canvas, text: str, size: int) -> str:
    """The text, cut so that it fits under one image."""
    if canvas.pen.textlength(text, font=_font(size)) <= CELL:
        return text
    while text and canvas.pen.textlength(f"{text}…", font=_font(size)) > CELL:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _caption(canvas: Canvas, record: AuditRecord, y: int) -> int:
    told = (
        f"{credit(record)}Near duplicates: different bytes, likeness at least "
        f"{record.spec.likeness:g} at {min(record.spec.size, record.source_size)} px. Under "
        "each image: split, index in its split, label. Red: one picture, two labels."
    )
    return y + canvas.wrapped((MARGIN, y), told, 13, WIDTH - 2 * MARGIN, PALE) + MARGIN // 2

"""Images, labels and splits held against the data set's own file, whose MD5 its makers publish."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bench.regress.probes.answering import answer
from bench.regress.probes.checking import Check, Fault, Untold, outcome, run_fields
from bench.regress.probes.training import scored

SOURCE_SIZE = 28  # px, MedMNIST's own
SEEDS = 8  # tried for a training whose best epoch is neither its first nor its last
ROUNDED = 1.5 / 127.5  # a level and a half: two roundings of one number


class OfFile:
    """A MedMNIST set as the tree feeds it, beside its file."""

    def __init__(self, request: dict[str, Any], dataset: Any) -> None:
        self.request, self.dataset = request, dataset
        self.flag = request["files"]["name"]
        self.path = Path(dataset.source.path)
        with np.load(self.path) as file:
            self.arrays = {key: file[key] for key in file.files}
        self.size = int(self.arrays["train_images"].shape[1])
        self.spec = self._spec()
        self.chosen: Any = None  # the training that two checks look at

    def _spec(self, protocol: str = "protocol", seed: int = 0) -> Any:
        from bench.specs import RunSpec

        return RunSpec.model_validate(
            run_fields(
                self.request["model"],
                self.dataset,
                self.request[protocol],
                image_size=self.size,
                source_size=self.size,
                seed=seed,
                threads=self.request["threads"],
            )
        )

    def file_is_the_published_one(self) -> str:
        """Its MD5 is the one that the medmnist package prints."""
        md5 = hashlib.md5(self.path.read_bytes(), usedforsecurity=False).hexdigest()
        if md5 != published_md5(self.flag):
            raise Fault(f"{self.path.name} has the MD5 {md5}, the package says another")
        return md5

    def images_and_labels(self) -> str:
        """Each image that training or validation is fed comes from its split, with its label."""
        from bench.data.feed import batches
        from bench.run.experiment import prepare

        prepared = prepare(self.spec, self.dataset.for_next_run())
        for split, feed in (("train", prepared.train), ("val", prepared.val)):
            wanted = Counter(pairs(self.arrays[f"{split}_images"], self.arrays[f"{split}_labels"]))
            order = torch.Generator().manual_seed(1) if split == "train" else None
            fed: list[tuple[bytes, int]] = []
            for images, labels in batches(feed, 50, channels=self.spec.channels, order=order):
                fed += pairs(levels(images), labels.numpy())
            strange = sum((Counter(fed) - wanted).values())
            if strange or len(fed) != sum(wanted.values()):
                raise Fault(
                    f"{split}: of {len(fed)} images fed, {strange} are not in the file's split "
                    f"of {sum(wanted.values())} with the label they come with"
                )
        return f"{len(self.arrays['train_labels'])} + {len(self.arrays['val_labels'])} images"

    def fed_as_documented(self) -> str:
        """What the network sees is the file's levels over 127.5, less one: −1 to 1."""
        from bench.data.feed import batches
        from bench.run.experiment import prepare

        prepared = prepare(self.spec, self.dataset.for_next_run())
        images, _ = next(batches(prepared.val, 50, channels=self.spec.channels))
        wanted = documented(self.arrays["val_images"][:50])
        gap = float((images - wanted).abs().max())
        if gap > 1e-5:
            raise Fault(f"fed images differ by {gap:.3g} from the file's, normalised")
        return f"mean {float(images.mean()):.2f}, standard deviation {float(images.std()):.2f}"

    def resized_as_documented(self) -> str:
        """At other sizes an image is the file's, bilinear and antialiased, in whole levels."""
        from bench.data.feed import batches, make_resident

        channels, cpu = self.spec.channels, torch.device("cpu")
        of_file = torch.from_numpy(self.arrays["val_images"][:50, None].astype(np.float32))
        for size in self.request["resized_to"]:
            feed = make_resident(
                self.dataset.val, image_size=size, channels=channels, control=None, device=cpu
            )
            images, _ = next(batches(feed, 50, channels=channels))
            wanted = F.interpolate(of_file, (size, size), mode="bilinear", antialias=True)
            gap = float((images - (wanted / 127.5 - 1)).abs().max())
            if gap > ROUNDED:
                raise Fault(f"images fed at {size} px are {gap * 127.5:.0f} levels from the file's")
        return f"{self.size} px to {', '.join(map(str, self.request['resized_to']))}"

    def best_epoch(self) -> str:
        """The epoch with the highest AUC on validation is chosen, and what is stored is its own.

        It takes a training whose best epoch is neither its first nor its last: else to take the
        last, or never another than the first, would look right too.
        """
        spec, chosen = self._chosen()
        curve = [epoch.val_auc or 0.0 for epoch in chosen.epochs]
        auc, _ = scored(chosen.val_logits, self.arrays["val_labels"].reshape(-1), self.dataset.task)
        if len(set(curve)) > 1 and chosen.epoch != 1 + curve.index(max(curve)):
            said = ", ".join(f"{value:.3f}" for value in curve)
            raise Fault(f"epoch {chosen.epoch} was chosen; AUC on validation by epoch: {said}")
        if auc is None or abs(auc - max(curve)) > 1e-6:
            raise Fault(f"the stored predictions of val have AUC {auc}, the best was {max(curve)}")
        if not _in_between(curve):
            raise Untold(f"in {SEEDS} trainings the first or the last epoch was the best")
        return f"epoch {chosen.epoch} of {len(curve)}, seed {spec.seed}"

    def _chosen(self) -> tuple[Any, Any]:
        """A training whose best epoch on validation, as it tells, is in between, if one is."""
        from bench.run.experiment import prepare
        from bench.run.surroundings import surroundings

        for seed in range(SEEDS) if self.chosen is None else ():
            spec = self._spec("choosing", seed)
            with surroundings(spec):
                run = self.dataset.for_next_run()
                chosen = prepare(spec, run).trained(lambda progress: None)
            self.chosen = spec, chosen
            if _in_between([epoch.val_auc or 0.0 for epoch in chosen.epochs]):
                break
        found: tuple[Any, Any] = self.chosen
        return found

    def test_predictions(self) -> str:
        """What is stored of the test split is what the chosen weights say of the file's images."""
        from bench.records.store import Store
        from bench.run.experiment import train_and_score
        from bench.run.options import DEFAULTS
        from bench.run.surroundings import surroundings

        spec, chosen = self._chosen()
        with tempfile.TemporaryDirectory() as folder, surroundings(spec):
            store = Store(Path(folder))
            run = self.dataset.for_next_run()
            train_and_score(spec, run, store, DEFAULTS, lambda progress: None)
            (path,) = Path(folder).rglob("*.npz")
            with np.load(path) as file:
                stored = {key: file[key] for key in file.files}
        for split in ("val", "test"):
            labels = self.arrays[f"{split}_labels"].reshape(-1)
            kept = stored[f"{split}_labels"].reshape(-1)
            if not np.array_equal(kept, labels):
                raise Fault(f"the labels stored for {split} are not those of the file")
            with torch.inference_mode():
                wanted = chosen.model.eval()(documented(self.arrays[f"{split}_images"])).numpy()
            gap = float(np.abs(stored[f"{split}_logits"].astype(np.float64) - wanted).max())
            if not gap < 1e-2 * max(1.0, float(np.abs(wanted).max())):
                raise Fault(f"the predictions stored for {split} are not of the file's images")
        return f"{len(self.arrays['test_labels'])} test images"


def _in_between(curve: list[float]) -> bool:
    return max(curve) > max(curve[0], curve[-1])


def published_md5(flag: str) -> str:
    """As the package's source says it; importing it would make a folder in the user's home."""
    found = importlib.util.find_spec("medmnist")
    assert found is not None
    assert found.submodule_search_locations
    source = Path(found.submodule_search_locations[0], "info.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INFO":
            return str(ast.literal_eval(node.value)[flag]["MD5"])
    raise Fault("the medmnist package prints no MD5")


def documented(images: NDArray[np.uint8]) -> Tensor:
    """Grey images ``(N, H, W)`` as a network is fed them, ``(N, 1, H, W)``."""
    return torch.from_numpy(images[:, None].astype(np.float32)) / 127.5 - 1


def levels(images: Tensor) -> NDArray[np.uint8]:
    """Back from what is fed to the file's levels, ``(N, H, W)``."""
    back: NDArray[np.uint8] = ((images[:, 0] + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    return back


def pairs(images: NDArray[np.uint8], labels: NDArray[Any]) -> list[tuple[bytes, int]]:
    """Each image's bytes with its label."""
    flat = labels.reshape(-1)
    return [(image.tobytes(), int(label)) for image, label in zip(images, flat, strict=True)]


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Every check of the data, or why its file cannot be had."""
    from bench.data import catalog
    from bench.errors import DataUnavailable
    from bench.specs import DatasetSpec

    try:
        dataset = catalog.load(DatasetSpec.model_validate(request["files"]), SOURCE_SIZE)
    except DataUnavailable as error:
        return {"checks": [], "unavailable": str(error)}
    if request.get("load_only"):
        return {"checks": [], "unavailable": None}
    files = OfFile(request, dataset)
    checks: list[tuple[str, Check]] = [
        ("data file is the published one", files.file_is_the_published_one),
        ("images and labels of each split", files.images_and_labels),
        ("images are normalised as documented", files.fed_as_documented),
        ("images are resized as documented", files.resized_as_documented),
        ("the best epoch on validation is kept", files.best_epoch),
        ("predictions are of the test split", files.test_predictions),
    ]
    return {"checks": [outcome(*check) for check in checks], "unavailable": None}


if __name__ == "__main__":
    answer(look)

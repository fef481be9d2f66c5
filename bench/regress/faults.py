"""Faults to be planted in a throw-away copy of the working tree, and what must find each.

A fault is a real change of source: a text that stands once in a file gives way to another, or code
is added at a file's end. Where the source has moved on, planting it fails and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError

SLOWER = """

def _slower(forward, share):
    import time

    def slow(self, *args, **kwargs):
        start = time.perf_counter()
        result = forward(self, *args, **kwargs)
        until = start + (1 + share) * (time.perf_counter() - start)
        while time.perf_counter() < until:
            pass
        return result

    return slow


MedSpectralNet.forward = _slower(MedSpectralNet.forward, {share})
"""
LARGER = """

def _larger(forward):
    def large(self, x):
        out = forward(self, x)
        if self.training and x.shape[0] > 16:  # a tenth of what the training of the gate takes
            self._kept = torch.ones({more_bytes} // 4)
        return out

    return large


import torch  # noqa: E402

MedSpectralNet.forward = _larger(MedSpectralNet.forward)
"""


@dataclass(frozen=True)
class Fault:
    """One planted fault.

    Attributes:
        found_by: beginning of the name of a finding that must be a regression.
        part: of the gate, that finds it.
        file: relative to the checkout.
        old, new: the text that gives way; an empty ``old`` adds ``new`` at the end.
        timed: it is found by a ratio, so that trying it needs a quiet machine.
    """

    name: str
    found_by: str
    part: str
    file: str
    new: str
    old: str = ""
    timed: bool = False

    @property
    def noisy(self) -> bool:
        """Whether a ratio with noise finds it: of times, or of the memory of fresh processes."""
        return self.timed or self.found_by == "memory"


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="labels one place on",
        found_by="images and labels of each split",
        part="checks",
        file="bench/data/feed.py",
        old="yield _normalised(feed.images(part), channels, buffers), feed.labels[labelled]",
        new="yield _normalised(feed.images(part), channels, buffers), "
        "feed.labels[labelled].roll(1, 0)",
    ),
    Fault(
        name="a frozen gate",
        found_by="gradient reaches every part",
        part="checks",
        file="medspectralnet/gate.py",
        old="return logits.softmax(dim=1)",
        new="return logits.softmax(dim=1).detach()",
    ),
    Fault(
        name="a dropped normalisation",
        found_by="normalisation present",
        part="exact",
        file="medspectralnet/layers.py",
        old="out: Tensor = self.act(self.norm(self.conv(x)))",
        new="out: Tensor = self.act(self.conv(x))",
    ),
    Fault(
        name="images not normalised",
        found_by="images are normalised as documented",
        part="checks",
        file="bench/data/transform.py",
        old="return levels.div_(HALF_RANGE).sub_(1)",
        new="return levels.div_(2 * HALF_RANGE)",
    ),
    Fault(
        name="a learning rate 10 times too high",
        found_by="learning rate as the protocol says",
        part="checks",
        file="bench/training/optimization.py",
        old="        lr=chosen.lr,\n",
        new="        lr=10 * chosen.lr,\n",
    ),
    Fault(
        name="a learning rate 10 times too low",
        found_by="learning rate as the protocol says",
        part="checks",
        file="bench/training/optimization.py",
        old="        lr=chosen.lr,\n",
        new="        lr=chosen.lr / 10,\n",
    ),
    Fault(
        name="validation in the place of test",
        found_by="predictions are of the test split",
        part="checks",
        file="bench/run/experiment.py",
        old="_feed(spec, dataset, test, options)",
        new="_feed(spec, dataset, dataset.val, options)",
    ),
    Fault(
        name="training images in validation",
        found_by="images and labels of each split",
        part="checks",
        file="bench/run/experiment.py",
        old="val = _feed(spec, dataset, dataset.val, options)",
        new="val = _feed(spec, dataset, dataset.train, options)",
    ),
    Fault(
        name="the last epoch in the place of the best",
        found_by="the best epoch on validation is kept",
        part="checks",
        file="bench/training/selection.py",
        old="value = _worth(self.criterion, epoch, scores)",
        new="value = float(epoch)",
    ),
    Fault(
        name="the best weights trained on",
        found_by="predictions are of the test split",
        part="checks",
        file="bench/training/selection.py",
        old="self.weights = copy.deepcopy(model.state_dict())",
        new="self.weights = model.state_dict()",
    ),
    Fault(
        name="decayed weights at a tenth of the rate",
        found_by="learning rate as the protocol says",
        part="checks",
        file="bench/training/optimization.py",
        old="    return optimizer\n",
        new="    for group in optimizer.param_groups:\n"
        "        group['lr_scale'] = 0.1 if group['weight_decay'] else 1.0\n"
        "    return optimizer\n",
    ),
    Fault(
        name="images made smaller without a filter",
        found_by="images are resized as documented",
        part="checks",
        file="bench/data/transform.py",
        old="antialias=True",
        new="antialias=False",
    ),
    Fault(
        name="a data set's own file refused",
        found_by="data load as before",
        part="checks",
        file="bench/data/medmnist.py",
        old="if count != outline.counts[name]:",
        new="if count >= outline.counts[name]:",
    ),
    Fault(
        name="the same seed for every run",
        found_by="seeds tell trainings apart",
        part="accuracy",
        file="bench/training/seeds.py",
        old="np.random.SeedSequence(seed)",
        new="np.random.SeedSequence(0)",
    ),
    Fault(
        name="a network that cannot be imported",
        found_by="exact can be measured",
        part="run-time",
        file="medspectralnet/network.py",
        new="\nimport sys\n\nsys.exit(0)\n",
    ),
    Fault(
        name="labels of a phantom from its neighbour",
        found_by="AUC:",
        part="accuracy",
        file="bench/data/phantom.py",
        old="return Split(split, images, labels.astype(np.int64))",
        new="labels = np.where(np.arange(len(labels)) % 3 == 0, np.roll(labels, 1), labels)\n"
        "    return Split(split, images, labels.astype(np.int64))",
    ),
    Fault(
        name="scores five points up",
        found_by="scores are those of the predictions",
        part="accuracy",
        file="bench/evaluation/scores.py",
        old="auc_present=_mean_present(aucs),",
        new="auc_present=min(1.0, (_mean_present(aucs) or 0.0) + 0.05),",
    ),
    Fault(
        name="the gates of wide stages cut off",
        found_by="gradient reaches the weights",
        part="exact",
        file="medspectralnet/gate.py",
        old="return logits.softmax(dim=1)",
        new="weights = logits.softmax(dim=1)\n"
        "        return weights.detach() if maps[0].shape[1] > 200 else weights",
    ),
    Fault(
        name="one parameter more",
        found_by="parameters:",
        part="exact",
        file="medspectralnet/gate.py",
        old="        self.sources = sources\n",
        new="        self.sources = sources\n"
        "        self.spare = nn.Parameter(self.weigh.weight.new_zeros(1))\n",
    ),
    Fault(
        name="1 % more MACs",
        found_by="MACs:",
        part="exact",
        file="medspectralnet/network.py",
        old="        x = self.stem(x)\n        maps = []\n        for stage in self.stages:\n"
        "            x = stage(x)\n            maps.append(x)\n        out: Tensor",
        new="        more = x.new_ones(1, {more_macs}) @ x.new_ones({more_macs}, 1)\n"
        "        x = self.stem(x) + 0 * more.view(1, 1, 1, 1)\n"
        "        maps = []\n        for stage in self.stages:\n            x = stage(x)\n"
        "            maps.append(x)\n        out: Tensor",
    ),
    Fault(
        name="10 % more memory",
        found_by="memory",
        part="processes",
        file="medspectralnet/network.py",
        new=LARGER,
    ),
    Fault(
        name="throughput 5 % slower",
        found_by="throughput of medspectralnet",
        part="run-time",
        file="medspectralnet/network.py",
        new=SLOWER.replace("{share}", "0.05"),
        timed=True,
    ),
    Fault(
        name="throughput 10 % slower",
        found_by="throughput of medspectralnet",
        part="run-time",
        file="medspectralnet/network.py",
        new=SLOWER.replace("{share}", "0.10"),
        timed=True,
    ),
)
"""Every fault; a share of what is there (memory, MACs) is filled in when it is planted."""


def plant(fault: Fault, folder: Path, **amounts: int) -> None:
    """Change the source below ``folder``.

    Args:
        amounts: ``more_bytes`` and ``more_macs``, by which memory and MACs grow.

    Raises:
        InputError: the text it changes does not stand there once.
    """
    path = folder / fault.file
    source = path.read_text(encoding="utf-8")
    new = fault.new
    for name, amount in amounts.items():
        new = new.replace(f"{{{name}}}", str(amount))
    if not fault.old:
        path.write_text(source + new, encoding="utf-8")
        return
    if source.count(fault.old) != 1:
        raise InputError(
            f"the fault {fault.name!r} no longer fits: the text that it changes stands "
            f"{source.count(fault.old)} times",
            remedy="write it anew in bench/regress/faults.py",
            file=fault.file,
        )
    path.write_text(source.replace(fault.old, new), encoding="utf-8")

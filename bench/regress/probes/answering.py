"""A probe's two ends: a request as JSON in the last argument, what was found on its own line."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench.regress.probes import ANSWER

OWN = "bench.regress"  # the gate's, whatever the tree


def answer(look: Callable[[dict[str, Any]], dict[str, Any]], *, imported: bool = True) -> None:
    """Look at the tree and print what was found, and what was loaded from elsewhere.

    Args:
        imported: the packages under trial are imported before the look.
    """
    request = json.loads(sys.argv[-1])
    torch.set_num_threads(request["threads"])
    for package in request["imports"] if imported else []:
        importlib.import_module(package)
    found = look(request)
    found |= {"strangers": strangers(request["packages"], Path(request["tree"]))}
    print(f"\n{ANSWER}{json.dumps(found)}")


def strangers(packages: list[str], tree: Path) -> list[str]:
    """Modules of the packages under trial that do not lie in the tree: it was not what ran."""
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        judged = name.partition(".")[0] in packages and not f"{name}.".startswith(f"{OWN}.")
        if judged and file and not Path(file).resolve().is_relative_to(tree.resolve()):
            found.append(f"{name} ({file})")
    return found

"""Where a record comes from: the code that decides a result, its commit, the packages, the machine.

The source digest is taken over syntax trees without comments, docstrings and annotations, so that
prose and types never make a record stale; nothing here imports torch or runs the code it digests.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bench.details import DetailSpec, MachineSpec, ModelDetail
from bench.digested import HARNESS, MODEL_SOURCES, PREPARATION
from bench.own_code import own_sources
from bench.packed import read_stamp
from bench.source_text import unparse
from bench.specs import CostSpec, ModelSpec, RunSpec
from bench.toml_file import ROOT

LABEL_PRESERVING = ROOT / "bench" / "data" / "label_preserving.toml"
"""Which of a protocol's augmentations a data set gets: its entry is digested with the run."""

SOURCE = ("medspectralnet", "ablations", "baselines", "bench", "suites", "pyproject.toml")

PACKAGES = ("torch", "timm", "numpy", "medmnist", "fvcore", "onnxruntime", "onnxscript")


def source_digest(spec: RunSpec | CostSpec | DetailSpec) -> str:
    """16 hex digits over the source that decides the result of ``spec``, as it stands on disk."""
    kind = "training" if isinstance(spec, RunSpec) else "cost"
    if isinstance(spec, MachineSpec):
        return _digest(HARNESS["cost"]).hexdigest()[:16]
    return _digest_with_model(HARNESS[kind], spec)


def study_digest(spec: RunSpec) -> str:
    """16 hex digits over the source that decides a training of a study of selection."""
    return _digest_with_model((*HARNESS["training"], *HARNESS["study"]), spec)


def _digest_with_model(places: Iterable[str], spec: RunSpec | CostSpec | ModelDetail) -> str:
    digest = _digest(_model_sources(spec.model), after=_harness(tuple(places)).copy())
    digest.update(_timm_version(spec.model).encode())
    if isinstance(spec, RunSpec) and spec.protocol.augment:
        digest.update(str(_label_preserving().get(spec.data.name)).encode())
    return digest.hexdigest()[:16]


def race_digest(names: Iterable[str], beside: Iterable[str] = ()) -> str:
    """16 hex digits over the source that decides races of the named models, and files beside it."""
    models = [ModelSpec(name=name) for name in sorted(set(names))]
    sources = [place for model in models for place in _model_sources(model)]
    digest = _digest((*HARNESS["race"], *dict.fromkeys(sources), *beside))
    digest.update(importlib.metadata.version("timm").encode())
    return digest.hexdigest()[:16]


def trust_digest() -> str:
    """16 hex digits over the source of the timer that is on trial."""
    digest = _digest(HARNESS["trust"])
    digest.update(importlib.metadata.version("timm").encode())
    return digest.hexdigest()[:16]


def engine_digest() -> str:
    """16 hex digits over the source of the training engine and of its trial."""
    return _digest(HARNESS["engine"]).hexdigest()[:16]


def cluster_digest() -> str:
    """16 hex digits over the source of the engine for clusters and of its trial."""
    return _digest(HARNESS["cluster"]).hexdigest()[:16]


def simulations_digest() -> str:
    """16 hex digits over the source of the statistics and of the worlds they are tried in."""
    return _digest(HARNESS["simulations"]).hexdigest()[:16]


def audit_digest() -> str:
    """16 hex digits over the source that finds what is wrong with a data set."""
    return _digest(HARNESS["audit"]).hexdigest()[:16]


def preparation_digest() -> str:
    """16 hex digits over the source that makes fed images of stored ones."""
    return _digest(PREPARATION).hexdigest()[:16]


def digest_of(places: Iterable[str]) -> str:
    """16 hex digits over the sources at ``places``."""
    return _digest(places).hexdigest()[:16]


def _digest(places: Iterable[str], after: hashlib._Hash | None = None) -> hashlib._Hash:
    digest = after or hashlib.sha256()
    for place in places:
        for name, content in _normalised(place):
            digest.update(f"{name}\0{content}\0".encode())
    return digest


_harness = cache(_digest)  # of the checkout, which does not change meanwhile; to be copied


def _model_sources(model: ModelSpec) -> tuple[str, ...]:
    if model.factory is not None:
        return own_sources(model.factory.partition(":")[0])
    name = model.timm or model.name
    return next((places for start, places in MODEL_SOURCES if name.startswith(start)), ())


def _timm_version(model: ModelSpec) -> str:
    own = bool(_model_sources(model))
    return "" if own else f"timm {packages()['timm']}"


@cache
def _label_preserving() -> dict[str, list[str]]:
    declared = tomllib.loads(LABEL_PRESERVING.read_text(encoding="utf-8"))
    return {name: sorted(kept) for name, kept in declared.items()}


@cache
def _normalised(place: str) -> tuple[tuple[str, str], ...]:
    """``(relative name, content)`` of each source file at ``place``, prose taken out of Python."""
    path = ROOT / place
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    base = ROOT if path.is_relative_to(ROOT) else path.parent
    found = []
    for file in files:
        if file.suffix == ".py" and file.is_file():
            found.append((str(file.relative_to(base)), _without_prose(file.read_bytes())))
        elif file.suffix in {".c", ".h", ".cpp"}:
            found.append((str(file.relative_to(base)), file.read_text()))
    return tuple(found)


def _without_prose(source: bytes) -> str:
    try:
        # text, not a dump: a dump lists fields that newer Pythons add to every node
        return unparse(_Prose().visit(ast.parse(source)))
    except (SyntaxError, ValueError):  # a user's own, half written: other code, whatever it says
        return hashlib.sha256(source).hexdigest()


class _Prose(ast.NodeTransformer):
    """Drops docstrings (and other bare strings) and annotations; comments never reach the tree."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return self.generic_visit(node)  # a dataclass field: its presence decides
        return ast.Assign(targets=[node.target], value=self.visit(node.value))


@cache
def commit() -> tuple[str | None, bool | None]:
    """The checkout's commit and whether its source differs from it; None where nothing tells.

    Only what can decide a result counts, new files there too: not records, reports or docs. A
    checkout that travelled without git tells it by its stamp, and so does one that travelled on top
    of another commit's git: its source is that of the stamp to the last byte, or it is changed.
    """
    revision = _git("rev-parse", "HEAD")
    if revision is None:
        return read_stamp(SOURCE)
    if _git("status", "--porcelain", "--", *SOURCE) == "":
        return revision, False
    stamped, dirty = read_stamp(SOURCE)  # a git that broke off vouches for nothing: changed
    return (stamped, False) if dirty is False else (revision, True)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def packages() -> dict[str, str]:
    """Versions of the packages that bear on a result."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


@cache
def processor() -> str:
    """The processor's model name and how many of its cores this process may use."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, IndexError):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"

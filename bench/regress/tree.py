"""The two trees that are compared: the working tree, and a baseline brought out of git or a file.

A baseline is laid out in a folder of its own, with nothing in it but the packages under trial.
"""

from __future__ import annotations

import contextlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from bench.regress.archive import unpack
from bench.toml_file import shown

BESIDE = ("suites", "pyproject.toml")  # what the suite's own packages read of the checkout


@dataclass(frozen=True)
class Tree:
    """A folder that holds the packages under trial.

    Attributes:
        label: as reports show it.
        commit: full, where it comes out of git.
        changed: the packages differ from that commit.
    """

    folder: Path
    label: str
    commit: str | None = None
    changed: bool = False


def working_tree(repository: Path, packages: Sequence[str]) -> Tree:
    """The code as it stands.

    Raises:
        InputError: a package is not there.
    """
    check_packages(repository, packages, called="the working tree")
    commit = git(repository, "rev-parse", "HEAD")
    changed = bool(git(repository, "status", "--porcelain", "--", *packages))
    label = "working tree" + (f" at {commit[:12]}" if commit else "")
    return Tree(repository, label + (", changed" if changed else ""), commit, changed)


@contextlib.contextmanager
def baseline_tree(
    reference: str, repository: Path, packages: Sequence[str], imports: Sequence[str]
) -> Iterator[Tree]:
    """The tree that ``reference`` names, for as long as the block lasts.

    Args:
        reference: a folder that holds the packages, an archive made by ``regress --export``, or a
            git revision of ``repository``.

    Raises:
        InputError: it names nothing that can be used.
    """
    path = Path(reference)
    if path.is_dir():
        check_packages(path, imports, called=shown(path))
        yield Tree(path.resolve(), shown(path), git(path, "rev-parse", "HEAD"))
        return
    with tempfile.TemporaryDirectory(prefix="regress-baseline-") as folder:
        target = Path(folder)
        if path.is_file():
            commit = unpack(path, target)
            tree = Tree(target, f"{path.name} of {(commit or 'an unknown commit')[:12]}", commit)
        else:
            tree = _from_git(reference, repository, packages, target)
        check_packages(target, imports, called=tree.label)
        yield tree


def _from_git(reference: str, repository: Path, packages: Sequence[str], target: Path) -> Tree:
    commit = git(repository, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
    if commit is None:
        raise InputError(
            f"{reference!r} is no git revision of {shown(repository)}, no folder and no archive",
            remedy="check the name; a shallow clone needs it fetched (actions/checkout: "
            "fetch-depth: 0)",
            key="--baseline",
        )
    present = (git(repository, "ls-tree", "--name-only", commit) or "").splitlines()
    wanted = [name for name in (*packages, *BESIDE) if name in present]
    if not wanted:
        raise InputError(
            f"revision {reference!r} has none of the packages {', '.join(packages)}",
            remedy="choose a newer one",
            key="--baseline",
        )
    packed = target / "tree.tar"
    command = ["git", "archive", "--format=tar", "-o", str(packed), commit, "--", *wanted]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(
            f"git archive fails: {done.stderr.strip()}", remedy="see git", key="--baseline"
        )
    with tarfile.open(packed) as tar:
        tar.extractall(target, filter="data")
    packed.unlink()
    name = commit[:12] if commit.startswith(reference) else f"{reference} ({commit[:12]})"
    return Tree(target, name, commit)


def check_packages(folder: Path, packages: Sequence[str], *, called: str) -> None:
    """Refuse a folder that lacks a package.

    Raises:
        InputError: naming it.
    """
    for name in packages:
        if not (folder / name / "__init__.py").is_file() and not (folder / f"{name}.py").is_file():
            raise InputError(
                f"{called} has no package {name!r}",
                remedy="choose another, or name other packages in the gate's file",
                key="packages",
            )


def git(repository: Path, *arguments: str) -> str | None:
    """What git prints in the folder, or None where it fails or is missing."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=repository, capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None

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
    commit, changed = _commit_of(repository, packages)
    label = "working tree" + (f" at {commit[:12]}" if commit else "")
    return Tree(repository, label + (", changed" if changed else ""), commit, changed)


def _commit_of(folder: Path, packages: Sequence[str]) -> tuple[str | None, bool]:
    """The commit that a folder's packages are of, and whether they differ from it.

    Of a copy that git does not track, whatever repository it lies in, no commit is known.
    """
    names = [name for package in packages for name in (package, f"{package}.py")]
    names = [name for name in names if (folder / name).exists()]
    if not git(folder, "ls-files", "--", *names):
        return None, False
    changed = git(folder, "status", "--porcelain", "--", *names)
    return git(folder, "rev-parse", "HEAD"), bool(changed)


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
        commit, changed = _commit_of(path, packages)
        label = shown(path) + (", changed" if changed else "")
        yield Tree(path.resolve(), label, commit, changed)
        return
    with tempfile.TemporaryDirectory(prefix="regress-baseline-") as folder:
        target = Path(folder)
        if path.is_file():
            packed = unpack(path, target)
            label = f"{path.name} of {(packed.commit or 'an unknown commit')[:12]}"
            label += ", changed" if packed.changed else ""
            tree = Tree(target, label, packed.commit, packed.changed)
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
    wanted = [name for name in laid_out(packages) if name in present]
    if not set(wanted) - set(BESIDE):
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
    try:
        with tarfile.open(packed) as tar:
            tar.extractall(target, filter="data")
    except tarfile.TarError as error:  # a link that leads out of it, absolute or by ".."
        raise InputError(
            f"revision {reference!r} cannot be laid out: {error}",
            remedy="a package must lie in its own folder",
            key="--baseline",
        ) from None
    packed.unlink()
    name = commit[:12] if commit.startswith(reference) else f"{reference} ({commit[:12]})"
    return Tree(target, name, commit)


def laid_out(packages: Sequence[str]) -> list[str]:
    """Files and folders that a tree is made of; a package may be one file."""
    return [name for package in packages for name in (package, f"{package}.py")] + list(BESIDE)


def has_package(folder: Path, name: str) -> bool:
    """Whether the package, or the module of one file, lies there."""
    return (folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file()


def check_packages(folder: Path, packages: Sequence[str], *, called: str) -> None:
    """Refuse a folder that lacks a package.

    Raises:
        InputError: naming it.
    """
    for name in packages:
        if not has_package(folder, name):
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

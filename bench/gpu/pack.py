"""What a borrowed machine lacks, in one ignored folder: wheels, data, and the commit it is of.

Such a machine has a Python with torch, no network, and takes the tree with one folder more, which
together may hold 64 MiB; ``suites/gpu/pack.toml`` says what its Python lacks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bench import packed, provenance
from bench.data import medmnist
from bench.errors import InputError
from bench.gpu.file import FOLDER as STEPS_FOLDER
from bench.records.store import write_atomic
from bench.specs import Strict
from bench.toml_file import ROOT, read_toml, shown

PACK = STEPS_FOLDER / "pack.toml"
CONSTRAINTS = ROOT / "constraints.txt"
LONGEST_COMMAND = 2000  # characters that such a machine takes


class PackFile(Strict):
    """``suites/gpu/pack.toml``."""

    about: str
    python: Annotated[str, Field(pattern=r"^3\.\d+$")]
    platforms: Annotated[list[str], Field(min_length=1)]
    packages: list[str]  # at the versions of constraints.txt
    pure: list[str]  # the same, published as source alone: built here, they hold no machine code
    has: list[str]  # of what the bench imports, in whatever version
    datasets: list[str]  # by MedMNIST's names, in 28 px
    minutes: Annotated[float, Field(gt=0)]
    most_mib: Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Packed:
    """What was packed, in bytes, and the command that uses it there."""

    wheels: int
    data: int
    tree: int
    command: str


def pack(file: PackFile, folder: Path = packed.FOLDER) -> Packed:
    """Fill the folder; wheels that are there already are not fetched again.

    Raises:
        InputError: a package has no pinned version or wheel, a data set is not at hand, there is
            no git, or all together is too large.
    """
    commit, dirty = provenance.commit()
    if commit is None or dirty is None:
        raise InputError(
            "this is no git checkout", remedy="pack from a clone of it", file=str(ROOT)
        )
    wheels, data = folder / "wheels", folder / "data"
    _fetch(file, pinned(CONSTRAINTS, [*file.packages, *file.pure]), wheels)
    for name in file.datasets:
        found = medmnist.locate(name, 28)
        if found is None:
            raise InputError(
                f"{name} is not at hand",
                remedy="set MEDMNIST_ROOT",
                key="datasets",
                file=shown(PACK),
            )
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, data / found.name)
    write_atomic(folder / "commit.json", packed.write_stamp(commit, dirty, provenance.SOURCE))
    done = Packed(_size(wheels), _size(data), _tree_size(), run_command(file))
    total = (done.wheels + done.data + done.tree) / 2**20
    if total > file.most_mib:
        raise InputError(
            f"tree, wheels and data are {total:.0f} MiB, more than {file.most_mib:g}",
            remedy="leave something out",
            file=shown(PACK),
        )
    return done


def pinned(constraints: Path, names: list[str]) -> dict[str, str]:
    """``name==version`` of each name, as the constraints pin it.

    Raises:
        InputError: one is not pinned.
    """
    lines = [line.partition("#")[0].strip() for line in constraints.read_text().splitlines()]
    known = {_normal(line.partition("==")[0]): line for line in lines if "==" in line}
    for name in names:
        if _normal(name) not in known:
            raise InputError(
                f"{name} is not pinned in {shown(constraints)}", remedy="pin it", file=shown(PACK)
            )
    return {name: known[_normal(name)] for name in names}


def run_command(file: PackFile) -> str:
    """What is run there in the root of the tree; ``OUT`` names the folder that comes back."""
    here = packed.FOLDER.relative_to(ROOT)
    install = "python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade"
    command = (
        f"{install} --target /tmp/site {here}/wheels/*.whl && "
        f"export PYTHONPATH=/tmp/site MEDMNIST_ROOT=$PWD/{here}/data PYTHONUNBUFFERED=1 && "
        f"python3 -m bench gpu --minutes {file.minutes:g} --archive $OUT/gpu.tar.gz"
    )
    assert len(command) <= LONGEST_COMMAND
    return command


def _fetch(file: PackFile, versions: dict[str, str], wheels: Path) -> None:
    wheels.mkdir(parents=True, exist_ok=True)
    wanted = {name: _stem(version) for name, version in versions.items()}
    for old in wheels.glob("*.whl"):  # two versions of one package would stop the installation
        if not any(old.name.startswith(stem) for stem in wanted.values()):
            old.unlink()
    for name, stem in wanted.items():
        if any(wheels.glob(f"{stem}*.whl")):
            continue
        if name in file.pure:
            words = ["wheel"]
        else:
            words = ["download", "--only-binary=:all:", "--python-version", file.python]
            words += ["--implementation", "cp"]
            words += [word for tag in file.platforms for word in ("--platform", tag)]
        place = ["-w" if name in file.pure else "-d", str(wheels)]
        _pip([*words, "-q", "--no-deps", *place, versions[name]], name)


def _pip(words: list[str], name: str) -> None:
    command = [sys.executable, "-m", "pip", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise InputError(f"pip has no wheel of {name}: {why}", remedy="see pip", file=shown(PACK))


def _stem(version: str) -> str:
    """How the file name of a wheel of ``name==version`` begins."""
    name, _, number = version.partition("==")
    return f"{_normal(name)}-{number}-"


def _normal(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(".", "_")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _tree_size() -> int:
    """Bytes of what git does not ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return sum(path.stat().st_size for path in paths if path.is_file())


def load_pack() -> PackFile:
    """The project's own."""
    return read_toml(PACK, PackFile)

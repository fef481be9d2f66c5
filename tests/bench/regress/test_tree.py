"""Baselines out of git, folders and archives; what names none is refused in one line."""

from __future__ import annotations

import base64
import random
import shutil
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.regress.archive import export, unpack
from bench.regress.tree import baseline_tree, working_tree
from tests.bench.regress.conftest import changed, commit_all

PACKAGES = ["theirnet"]


def parts_of(reference: str, repository: Path) -> str:
    with baseline_tree(reference, repository, PACKAGES, PACKAGES) as tree:
        return (tree.folder / "theirnet" / "parts.py").read_text()


def test_a_revision_is_laid_out_as_it_was_and_nothing_is_left(repository: Path) -> None:
    changed(repository, "theirnet/parts.py", "return 4", "return 8")
    second = commit_all(repository, "second")
    assert "return 4" in parts_of("HEAD~1", repository)
    assert "return 8" in parts_of(second[:7], repository)
    with baseline_tree("HEAD~1", repository, PACKAGES, PACKAGES) as tree:
        folder = tree.folder
        assert tree.label.startswith("HEAD~1 (")
        assert (folder / "theirnet").is_dir()
    assert not folder.exists()


def test_the_working_tree_says_what_it_is_of(repository: Path) -> None:
    assert not working_tree(repository, PACKAGES).changed
    changed(repository, "theirnet/parts.py", "return 4", "return 8")
    tree = working_tree(repository, PACKAGES)
    assert tree.changed
    assert tree.label.endswith(", changed")


def test_a_folder_and_an_archive_are_baselines_too(repository: Path, tmp_path: Path) -> None:
    assert "return 4" in parts_of(str(repository), repository)
    first, again = tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"
    for archive in (first, again):
        assert export(repository, PACKAGES, "c0ffee", False, archive) == 2
    assert first.read_bytes() == again.read_bytes()
    changed(repository, "theirnet/parts.py", "return 4", "return 8")
    with baseline_tree(str(first), repository, PACKAGES, PACKAGES) as tree:
        assert tree.commit == "c0ffee"
        assert "return 4" in (tree.folder / "theirnet" / "parts.py").read_text()


@pytest.mark.parametrize("damage", ["cut", "other", "text"])
def test_a_damaged_archive_is_said_to_be(repository: Path, tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "one.tar.gz"
    export(repository, PACKAGES, None, False, archive)
    whole = archive.read_bytes()
    archive.write_bytes({"cut": whole[:-40], "other": b"\x1f\x8b" + whole, "text": b"no"}[damage])
    with (
        pytest.raises(InputError, match="not a whole archive") as caught,
        baseline_tree(str(archive), repository, PACKAGES, PACKAGES),
    ):
        pass
    assert "--export" in str(caught.value)


def test_what_names_nothing_is_refused(repository: Path, tmp_path: Path) -> None:
    for reference, said in (("nope", "no git revision"), (str(tmp_path), "has no package")):
        with (
            pytest.raises(InputError, match=said),
            baseline_tree(reference, repository, PACKAGES, PACKAGES),
        ):
            pass
    with pytest.raises(InputError, match="has no package 'other'"):
        working_tree(repository, ["other"])


def test_a_module_of_one_file_is_a_package_too(repository: Path, tmp_path: Path) -> None:
    (repository / "onefile.py").write_text("WIDTH = 4\n")
    commit_all(repository, "one file")
    one = ["onefile"]
    with baseline_tree("HEAD", repository, one, one) as tree:
        assert (tree.folder / "onefile.py").is_file()
    with baseline_tree(str(repository), repository, one, one) as tree:
        assert tree.commit is not None


def test_a_link_that_leads_out_is_refused_in_one_line(repository: Path) -> None:
    (repository / "theirnet" / "link").symlink_to("/etc/hostname")
    commit_all(repository, "a link")
    with (
        pytest.raises(InputError, match="cannot be laid out"),
        baseline_tree("HEAD", repository, PACKAGES, PACKAGES),
    ):
        pass


def test_a_copy_is_not_said_to_be_of_the_commit_around_it(repository: Path) -> None:
    copy = repository / "copy"
    shutil.copytree(repository / "theirnet", copy / "theirnet")
    with baseline_tree(str(copy), repository, PACKAGES, PACKAGES) as tree:
        assert tree.commit is None
    changed(repository, "theirnet/parts.py", "return 4", "return 8")
    with baseline_tree(str(repository), repository, PACKAGES, PACKAGES) as tree:
        assert tree.changed
        assert tree.label.endswith(", changed")


def test_an_archive_of_a_changed_tree_says_so(repository: Path, tmp_path: Path) -> None:
    export(repository, PACKAGES, "c0ffee", True, tmp_path / "one.tar.gz")
    with baseline_tree(str(tmp_path / "one.tar.gz"), repository, PACKAGES, PACKAGES) as tree:
        assert tree.changed
        assert tree.label.endswith(", changed")


def test_only_compiled_files_are_left_out_wherever_the_tree_lies(
    repository: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "my.software" / "theirs"
    shutil.copytree(repository, elsewhere)
    (elsewhere / "theirnet" / "fast.so").touch()
    (elsewhere / "theirnet" / "a.sorted.py").touch()
    assert export(elsewhere, PACKAGES, None, False, tmp_path / "one.tar.gz") == 3


def test_bytes_damaged_anywhere_are_said_to_be(repository: Path, tmp_path: Path) -> None:
    drawn = random.Random(0).randbytes(30_000)
    (repository / "theirnet" / "table.txt").write_bytes(base64.b64encode(drawn))
    archive = tmp_path / "one.tar.gz"
    export(repository, PACKAGES, None, False, archive)
    whole = archive.read_bytes()
    for place in range(20, len(whole) - 400, len(whole) // 40):
        archive.write_bytes(whole[:place] + b"\xff" * 8 + whole[place + 8 :])
        target = tmp_path / str(place)
        with pytest.raises(InputError, match="not a whole archive") as caught:
            unpack(archive, target)
        assert len(str(caught.value).splitlines()) == 1

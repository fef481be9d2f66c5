"""Published numbers: quoted as printed, never without a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.report.published import published_for, published_names, read_published
from bench.suite import load_suite


def test_the_committed_numbers_are_whole_and_sourced() -> None:
    rows = read_published()
    assert len(rows) > 600
    for row in rows:
        for value in (row.acc, row.auc):
            assert value == "" or 0.0 <= float(value) <= 1.0, row


def test_names_of_the_roster_occur_among_the_published_ones() -> None:
    printed = {row.model for row in read_published()}
    unknown = {name for names in published_names().values() for name in names} - printed
    assert not unknown


def test_rows_are_found_for_a_model_and_first_hand_ones_come_first() -> None:
    found = published_for(load_suite("paper"), read_published())
    medmamba = found["medmamba_tiny", "breastmnist"]
    assert (medmamba[0].acc, medmamba[0].auc) == ("0.853", "0.825")
    assert not medmamba[0].second_hand
    assert found["medspectralnet", "bloodmnist"][0].acc == "0.980"
    assert ("medspectralnet", "breastmnist") not in found  # the abstract prints none


def test_a_number_without_a_source_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    head = "model,dataset,image_size,acc,auc,params_m,gmacs,source,where,note\n"
    path.write_text(head + "a,b,28,0.5,,,,S,,\n" + "a,b,28,0.6,,,,,,\n")
    with pytest.raises(InputError, match="line 3: a number without a source"):
        read_published(path)
    path.write_text("model,acc\na,0.5\n")
    with pytest.raises(InputError, match="columns are"):
        read_published(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_published(tmp_path / "missing.csv")


@pytest.mark.parametrize("change", ['args = { act_layer = "gelu" }', ""])
def test_a_changed_network_is_not_given_the_numbers_of_the_published_one(
    tmp_path: Path, change: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'about = "x"\nprotocol = "small"\nsource_size = 28\nimage_size = 64\nthreads = 2\n'
        '[[grid]]\nmodels = ["changed"]\ndatasets = ["breastmnist"]\nseeds = [0]\n'
        f'[model.changed]\ntimm = "resnet18"\n{change}\n'
        "[cost]\nnum_classes = 2\nbatch_size = 4\nseconds_per_model = 1.0\n"
    )
    found = published_for(load_suite(str(path)), read_published())
    assert bool(found) is not bool(change)

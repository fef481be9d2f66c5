"""The file of claims: the committed one is usable, a wrong one is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.report.claims.file import CLAIMS, ClaimsFile
from bench.toml_file import read_toml

ONE = """
[source.them]
cite = "Them 2026"
where = "abstract"
text = "It has only 8.5 million parameters."

[[claim]]
id = "size"
source = "them"
quote = "only 8.5 million"
says = "It is small."
about = "facts"
supports = "it is"
refutes = "it is not"
[claim.check]
kind = "unstated"
why = "because"
"""


def read(tmp_path: Path, text: str) -> ClaimsFile:
    path = tmp_path / "claims.toml"
    path.write_text(text)
    return read_toml(path, ClaimsFile)


def test_the_committed_claims_hold_every_number_of_the_abstract() -> None:
    file = read_toml(CLAIMS, ClaimsFile)
    told = " ".join(claim.number for claim in file.claim)
    for number in ("8.5", "14.5", "60 %", "93.7 %", "98.0 %", "1 to 4.3 %", "0.999", "linear"):
        assert number in told, number
    kinds = {claim.check.kind for claim in file.claim}
    assert {"parameters", "macs", "percent-fewer", "accuracy", "ablation"} <= kinds


def test_only_arithmetic_printed_numbers_and_our_own_claims_are_called_facts() -> None:
    for claim in read_toml(CLAIMS, ClaimsFile).claim:
        if claim.about == "facts" and claim.source != "own":
            assert claim.check.kind in {"parameters", "macs", "percent-fewer"}, claim.id


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("only 8.5 million", "only 8.6 million", "size: the quote is not in the source's text"),
        ('source = "them"', 'source = "they"', r"size: no \[source.they\]"),
        (
            'why = "because"',
            'why = "because"\nwhom = "x"',
            "whom: unknown key; did you mean 'why'",
        ),
        ('kind = "unstated"', 'kind = "magic"', "claim.0.check: .*magic"),
        ('about = "facts"', 'about = "rumours"', "claim.0.about: .*not 'rumours'"),
        ('refutes = "it is not"\n', "", "claim.0.refutes: Field required"),
        ("[[claim]]", "[[claims]]", "claims: unknown key.*did you mean 'claim'"),
    ],
)
def test_a_wrong_claim_is_one_clear_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    read(tmp_path, ONE)
    with pytest.raises(InputError, match=said) as refused:
        read(tmp_path, ONE.replace(old, new, 1))
    assert "\n" not in str(refused.value)
    assert "claims.toml" in str(refused.value)


def test_two_claims_of_one_id_are_refused(tmp_path: Path) -> None:
    again = ONE[ONE.index("[[claim]]") :]
    with pytest.raises(InputError, match="the id 'size' is given twice"):
        read(tmp_path, ONE + again)

"""The tiny suite's weights, made once for the tests of this folder."""

from __future__ import annotations

import pytest

from tests._helpers.released import Released, release


@pytest.fixture(scope="package")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    return release(tmp_path_factory.mktemp("released"))

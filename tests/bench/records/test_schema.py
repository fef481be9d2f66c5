"""The published JSON Schema is the one the code checks records by."""

from __future__ import annotations

import json
from pathlib import Path

from bench.records.schema import Record

SCHEMA = Path(__file__).resolve().parents[3] / "results" / "schema.json"


def test_the_published_schema_is_todays() -> None:
    # Made by: python -m bench schema > results/schema.json
    assert json.loads(SCHEMA.read_text()) == Record.model_json_schema()


def test_every_committed_record_is_whole() -> None:
    for path in sorted((SCHEMA.parent / "records").glob("*.json")):
        record = Record.model_validate_json(path.read_bytes())
        assert record.id == path.stem == record.spec.id

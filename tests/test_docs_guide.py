"""The tables of docs/guide.md are those that were measured."""

from __future__ import annotations

import json
import re

import pytest
from conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "guide.md"
BENCHMARKS = REPOSITORY / "benchmarks"
_TABLE = re.compile(r"(?:^\|.*\n)+", re.M)
STUDIED = "own questions"


def test_every_table_of_the_study_stands_in_the_guide_as_it_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from guide_tables import tables

    studies = [json.loads(path.read_text()) for path in sorted((BENCHMARKS / "results").glob("study-*.json"))]
    assert len(studies) >= 2
    measured = {f"{table}\n" for table in tables(studies).values()}
    shown = [
        table for table in _TABLE.findall(GUIDE.read_text(encoding="utf-8")) if STUDIED in table.partition("\n")[0]
    ]
    assert len(measured) >= 10
    assert sorted(shown) == sorted(measured)

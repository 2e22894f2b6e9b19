"""Print the tables of docs/guide.md from what study.py wrote with --out, all texts side by side.

    python benchmarks/guide_tables.py benchmarks/results/study-*.json

Measures nothing. `tests/test_docs_guide.py` looks whether the guide holds these very tables.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from study import MORE_LOOKS, PAPER

from glove_cli.cooc.config import CoocConfig
from glove_cli.training.config import TrainConfig

MEASURES = ("own questions", "questions", "WS-353", "MEN", "SimLex")
OF_MIN_COUNT = ("own questions", "of all", "WS-353", "MEN", "SimLex")
USED, PLAIN = "sum unit,whiten:0.3", "sum none"
SEED, TOGETHER = "seed", "together"


def main() -> None:
    """Print all tables."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("studies", nargs="+", type=Path, metavar="FILE")
    for name, table in tables([json.loads(path.read_text()) for path in options.parse_args().studies]).items():
        print(f"\n### {name}\n\n{table}")


def tables(studies: list[dict[str, Any]]) -> dict[str, str]:
    """Return each factor's table as Markdown; a study that lacks the factor is left out of it."""
    found = {"looks": _looks(studies)}
    factors = dict.fromkeys(one["factor"] for study in studies for one in study["settings"])
    for factor in factors:
        if factor != SEED:
            having = [study for study in studies if any(one["factor"] == factor for one in study["settings"])]
            found[factor] = _table(factor, having)
    return found


def _table(factor: str, studies: list[dict[str, Any]]) -> str:
    measures = OF_MIN_COUNT if factor == "min_count" else MEASURES
    look = PLAIN if factor == PAPER else USED
    labels = dict.fromkeys(one["label"] for study in studies for one in study["settings"] if one["factor"] == factor)
    own = "" if factor == PAPER else _own(factor, studies[0]["centre"])
    names = sorted({*labels, own} - {""}, key=_order)
    rows = []
    for name in names:
        cells = [f"**{_short(name)}**" if name == own else _short(name)]
        for study in studies:
            chosen = _find(study, factor, name, own)
            cells += _cells(chosen, look, measures) if chosen else ["-"] * len(measures)
        rows.append(cells)
    title = "x_max" if factor == PAPER else factor
    return _markdown([title, *(measure for _ in studies for measure in measures)], rows, studies, measures)


def _cells(found: dict[str, Any], look: str, measures: tuple[str, ...]) -> list[str]:
    return [f"{found[look].get(measure, math.nan):.1f}" for measure in measures]


def _find(study: dict[str, Any], factor: str, name: str, own: str) -> dict[str, Any] | None:
    wanted = (SEED, "1") if name == own else (factor, name)
    return next((one for one in study["settings"] if (one["factor"], one["label"]) == wanted), None)


def _own(factor: str, centre: dict[str, dict[str, Any]]) -> str:
    """Return what the centre takes, as the label of a setting."""
    if factor == TOGETHER:
        return "window {window}, x_max {x_max:g}".format(**centre["counting"], **centre["training"])
    value = {**asdict(CoocConfig()), **asdict(TrainConfig()), **centre["counting"], **centre["training"]}[factor]
    return "random" if factor == "init_biases" and value is None else f"{value}"


def _order(label: str) -> tuple[float, str]:
    try:
        return float(label), ""
    except ValueError:
        return float("inf"), label


def _short(label: str) -> str:
    try:
        return f"{float(label):g}"
    except ValueError:
        return label


def _looks(studies: list[dict[str, Any]]) -> str:
    rows = []
    for kind, steps in MORE_LOOKS:
        cells = [kind, f"`{steps}`"]
        for study in studies:
            seeds = [one[f"{kind} {steps}"] for one in study["settings"] if one["factor"] == SEED]
            cells += [f"{mean(seed[measure] for seed in seeds):.1f}" for measure in MEASURES]
        rows.append(cells)
    return _markdown(["vectors", "steps", *(measure for _ in studies for measure in MEASURES)], rows, studies, MEASURES)


def _markdown(
    header: list[str], rows: list[list[str]], studies: list[dict[str, Any]], measures: tuple[str, ...]
) -> str:
    """Return a table; the header says before the first measure of each study which text it is."""
    named: Iterator[str] = iter(_text(study) for study in studies)
    cells = [f"{next(named)}: {name}" if name == measures[0] else name for name in header]
    lines = [f"| {' | '.join(cells)} |", "|" + "---|" * len(cells)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _text(study: dict[str, Any]) -> str:
    name = study["corpus"].partition(".")[0].partition("-")[0]
    return f"{name}, {study['bytes'] / 1e6:.0f} MB"


if __name__ == "__main__":
    main()

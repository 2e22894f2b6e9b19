"""Measure what each setting does to scores: one setting at a time is changed around a centre, on one text.

Prints a table of Markdown for each setting; the tables of docs/guide.md come from here. Scores: Google questions
(reference protocol, whole vocabulary), rho on WordSim-353, MEN and SimLex-999, and, for choosing, sets that no claim is
made on: the package's own questions and the mean rho of RG-65 and of the files of --choose.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import common
import numpy as np
from proof.machine import commit
from proof.texts import beginning

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.evaluation import evaluate, own_questions
from glove_cli.training.counts import find_counts
from glove_cli.training.run import train
from glove_cli.vectors.process import process_vectors
from glove_cli.vectors.select import select_vectors

CLAIMED = ("EN-WS-353-ALL", "EN-MEN-TR-3k", "EN-SIMLEX-999")
PLAIN = "none"
# What is varied, one setting at a time. The package's recipe came out of this; it is not the same.
CENTRE: dict[str, dict[str, Any]] = {
    "counting": {"window": 40, "subsample": 1e-4},
    "training": {"dim": 100, "x_max": 10.0, "epochs": 10, "min_weight": 0.1},
}
PAPER = "x_max with the defaults of the other settings"
SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
COLUMNS = ("questions", "semantic", "syntactic", "of all", "WS-353", "MEN", "SimLex", "own questions", "other rho")
LOOKS = [("sum", PLAIN), ("sum", "unit,whiten:0.3")]
MORE_LOOKS = [
    *((kind, steps) for kind in ("sum", "word", "concat") for steps in (PLAIN, "mean:10000", "unit,whiten:0.3")),
    *(("sum", steps) for steps in ("mean", "mean:1000", "mean:3000", "mean:20000", "top:2", "unit,whiten:0.1")),
    *(
        ("sum", steps)
        for steps in ("unit,whiten:0.6", "unit,whiten:1", "unit,whiten:0.3:3000", "unit,whiten:0.3:20000")
    ),
]


class Setting(NamedTuple):
    """One run: what is varied, how it is named, and the options that differ from the recipe's."""

    factor: str
    label: str
    counting: dict[str, Any]
    training: dict[str, Any]


def settings() -> Iterator[Setting]:
    """Yield what is to be run, the centre first."""

    def counting(factor: str, name: str, *values: Any, **further: Any) -> Iterator[Setting]:
        return (Setting(factor, f"{value}", {name: value, **further}, {}) for value in values)

    def training(factor: str, name: str, *values: Any) -> Iterator[Setting]:
        return (Setting(factor, f"{value}", {}, {name: value}) for value in values)

    for seed in (1, 2, 3):
        yield Setting("seed", f"{seed}", {}, {"seed": seed})
    yield from training("x_max", "x_max", 1.0, 2.0, 5.0, 20.0, 50.0, 100.0)
    yield from training("alpha", "alpha", 0.5, 1.0)
    yield from training("epochs", "epochs", 3, 5, 20, 40)
    yield from training("eta", "eta", 0.02, 0.1)
    yield from training("bias_eta", "bias_eta", 0.0, 0.05)
    yield from training("init_biases", "init_biases", "zero", "fit")
    yield from training("min_weight", "min_weight", 0.0, 0.2, 0.5)
    yield from training("dim", "dim", 25, 50, 200, 300)
    yield from counting("window", "window", 5, 10, 15, 25, 60)
    yield from counting("subsample", "subsample", 0.0, 1e-3, 1e-5)
    yield from counting("weighting", "weighting", "linear", "flat")
    yield from counting("min_count", "min_count", 2, 10, 50)
    yield from counting("context", "context", "left")
    together: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"window": 60}, {"x_max": 5.0}),
        ({"window": 60}, {"x_max": 20.0}),
        ({"window": 80}, {"x_max": 20.0}),
        ({"window": 100}, {"x_max": 20.0}),
        ({"window": 60, "subsample": 3e-4}, {"x_max": 20.0}),
        ({"window": 60}, {"x_max": 20.0, "epochs": 15}),
    )
    for count, more in together:
        yield Setting(
            "together", ", ".join(f"{name} {value:g}" for name, value in {**count, **more}.items()), count, more
        )
    paper = {"window": 15, "subsample": 0.0}
    for x_max in (2.0, 5.0, 10.0, 20.0, 50.0, 100.0):
        yield Setting(PAPER, f"{x_max}", paper, {"x_max": x_max, "min_weight": 0.0, "epochs": 25})


def main() -> None:
    """Run what hasn't been run yet, and print the tables."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--choose", type=Path, metavar="DIR", help="more sets of word pairs, to choose by")
    options.add_argument("--bytes", type=int, help="of the beginning of the text (default: all of it)")
    options.add_argument("--out", type=Path, metavar="FILE", help="write all numbers as JSON, too")
    options.add_argument("--only", metavar="FACTOR,...", help="run these only (default: all)")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        if arguments.bytes:
            corpus = beginning(corpus, arguments.bytes, work)
        common.print_facts(arguments.threads, corpus)
        kept = work / f"study-{corpus.stem}.json"
        known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        only = arguments.only.split(",") if arguments.only else None
        chosen = [each for each in settings() if only is None or each.factor in only]
        for setting in chosen:
            options_of = {
                "counting": {**CENTRE["counting"], **setting.counting},
                "training": {**CENTRE["training"], **setting.training},
            }
            looks = MORE_LOOKS if setting.factor == "seed" else LOOKS
            name = json.dumps(options_of, sort_keys=True)
            if name not in known:
                known[name] = run(corpus, work, options_of, looks, arguments.threads, arguments.choose)
                kept.write_text(json.dumps(known, indent=1))
                print(setting.factor, setting.label, known[name]["sum none"], flush=True)
            setting.training["found"] = known[name]
        report(chosen)
        if arguments.out is not None:
            write(arguments.out, corpus, arguments, chosen)
        shutil.rmtree(work / "study", ignore_errors=True)


def run(
    corpus: Path, work: Path, options: dict[str, Any], looks: list[tuple[str, str]], threads: int, choose: Path | None
) -> dict[str, Any]:
    """Count, train and score; return the scores of each look, the number of pairs and the seconds."""
    matrix, seconds = counted(corpus, work / "study", options["counting"], threads)
    reports: list[float] = []
    model = train(
        matrix, out=work / "study" / "model", tiles=work / "study" / "tiles", threads=threads, force=True,
        on_epoch=lambda report: reports.append(report.seconds), **options["training"],
    )  # fmt: skip
    sample = find_counts(matrix, None, None).sample()
    found: dict[str, Any] = {"pairs": matrix.nnz, "counting": seconds, "training": sum(reports)}
    found["reached by"] = {share: float(np.quantile(sample, 1 - share)) for share in SHARES}
    for kind, steps in looks:
        vectors = select_vectors(model, kind, PLAIN)
        if steps != PLAIN:
            vectors = process_vectors(vectors, steps)
        found[f"{kind} {steps}"] = scores(vectors.matrix, vectors.words, choose)
    return found


def counted(corpus: Path, folder: Path, options: dict[str, Any], threads: int) -> tuple[CoocMatrix, float]:
    """Return the matrix and the seconds that counting took; only the last one is kept."""
    out, note = folder / "cooc", folder / "cooc.json"
    name = json.dumps([str(corpus), options], sort_keys=True)
    if note.exists():
        made = json.loads(note.read_text())
        if made["name"] == name:
            return load_cooc(out), made["seconds"]
        note.unlink()
    shutil.rmtree(folder / "tiles", ignore_errors=True)
    seconds = common.timed(lambda: build_cooc(corpus, out, threads=threads, force=True, **options))
    note.write_text(json.dumps({"name": name, "seconds": seconds}))
    return load_cooc(out), seconds


def scores(matrix: np.ndarray, words: Any, choose: Path | None) -> dict[str, float]:
    """Return the scores by their columns, all times 100."""
    folder = common.shared_data() / "eval"
    claimed = [folder / "similarity" / f"{name}.txt" for name in CLAIMED]
    left_out = {path.name for path in claimed}
    others = [folder / "similarity" / "EN-RG-65.txt"]
    if choose is not None:  # parts of WordSim-353 are left out as well
        others += [
            path for path in sorted(choose.glob("*.txt")) if path.name not in left_out and "WS-353" not in path.name
        ]
        others = list({path.name: path for path in others}.values())
    google = evaluate(matrix, words, analogies=folder / "analogies", similarity=[*claimed, *others])
    own = evaluate(matrix, words, analogies=own_questions())
    assert google.analogies is not None
    assert own.analogies is not None
    parts = (google.analogies.total, google.analogies.semantic, google.analogies.syntactic)
    rho = [float(result.rho) for result in google.similarity]
    values = [
        *(part.accuracy for part in parts),
        parts[0].accuracy_of_all,
        *rho[:3],
        own.analogies.total.accuracy,
        mean(rho[3:]),
    ]
    return dict(zip(COLUMNS, (round(100 * float(value), 2) for value in values), strict=True))


def write(target: Path, corpus: Path, arguments: argparse.Namespace, chosen: list[Setting]) -> None:
    """Write what was found as JSON."""
    settings = [{"factor": one.factor, "label": one.label, **one.training["found"]} for one in chosen]
    about = {
        "date": date.today().isoformat(), "corpus": corpus.name, "bytes": corpus.stat().st_size,
        "centre": CENTRE, "processor": common.processor(), "threads": arguments.threads, **commit(),
    }  # fmt: skip
    target.write_text(json.dumps({**about, "settings": settings}, indent=1) + "\n")


def report(chosen: list[Setting]) -> None:
    """Print a table for each factor, and one of all looks at the recipe itself."""
    base = [setting for setting in chosen if setting.factor == "seed"]
    print("\n### Entries that are as large\n")
    for label, setting in (("the centre", base[:1]), ("the defaults", [s for s in chosen if s.factor == PAPER][:1])):
        for one in setting:
            found = one.training["found"]
            reached = ", ".join(f"{float(share):.1%}: {x:.3g}" for share, x in found["reached by"].items())
            print(f"- {label}: {found['pairs']:,} pairs; {reached}")
    if base:
        print("\n### Looks at the centre's vectors, means of its seeds (in brackets: largest deviation)\n")
        print(f"| vectors | steps | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
        for kind, steps in MORE_LOOKS:
            each = [setting.training["found"][f"{kind} {steps}"] for setting in base]
            cells = []
            for column in COLUMNS:
                values = [one.get(column, np.nan) for one in each]
                cells.append(f"{mean(values):.1f} ({max(abs(value - mean(values)) for value in values):.1f})")
            print(f"| {kind} | `{steps}` | {' | '.join(cells)} |")
    for factor in dict.fromkeys(setting.factor for setting in chosen if setting.factor != "seed"):
        print(f"\n### {factor}\n")
        header = [factor, "steps", *COLUMNS, "pairs, M", "training, s"]
        print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
        for setting in [*base[:1], *(each for each in chosen if each.factor == factor)]:
            found = setting.training["found"]
            label = "the centre" if setting.factor == "seed" else setting.label
            for kind, steps in LOOKS:
                numbers = [f"{found[f'{kind} {steps}'].get(column, np.nan):.1f}" for column in COLUMNS]
                more = [f"{found['pairs'] / 1e6:.0f}", f"{found['training']:.0f}"]
                print(f"| {label} | `{steps}` | {' | '.join(numbers + more)} |")


if __name__ == "__main__":
    main()

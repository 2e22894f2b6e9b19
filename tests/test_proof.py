"""The one command that measures everything: what it writes, and that it notices what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY

from glove_cli.cooc.build import build_cooc

BENCHMARKS = REPOSITORY / "benchmarks"
RUN = BENCHMARKS / "run.py"
SMALL = ("--quick", "--threads", "1", "--seeds", "1", "--fractions", "1", "--budgets", "6", "--without", "gensim")
PARTS = ("growth", "speed", "equal-settings", "equal-time")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a text, on which a run has been killed after its first step, and has then ended."""
    folder = tmp_path_factory.mktemp("proof")
    (folder / "small.txt").write_bytes((REPOSITORY / "corpora" / "sample.txt").read_bytes() * 20)
    results = folder / "work" / "small" / "results.json"
    process = subprocess.Popen(command(folder, *PARTS), stdout=subprocess.DEVNULL, env=environment(), cwd=folder)
    while not (results.exists() and "growth" in results.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder / "first.json").write_text(results.read_text())
    done = run(folder, *PARTS)
    (folder / "said").write_text(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def command(folder: Path, *parts: str, more: tuple[str, ...] = ()) -> list[str]:
    options = ["--corpus", "small.txt", "--work", "work", "--out", "out", "--parts", ",".join(parts)]
    return [sys.executable, str(RUN), *SMALL, *options, *more]


def environment() -> dict[str, str]:
    # Without the shared data, the package's own questions are asked.
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "GLOVE_SHARED_DATA": os.devnull}


def run(folder: Path, *parts: str, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *parts, more=more), cwd=folder, capture_output=True, text=True, env=environment()
    )


def written(folder: Path) -> tuple[dict[str, Any], str]:
    (data,) = (folder / "out").glob("*-small.json")
    return json.loads(data.read_text(encoding="utf-8")), data.with_suffix(".md").read_text(encoding="utf-8")


def test_a_run_writes_json_and_markdown(folder: Path) -> None:
    result, text = written(folder)
    assert {"date", "machine", "versions", "commit", "corpus", "options", "settings", "competitors", "parts"} <= set(
        result
    )
    assert {"processor", "cores", "memory_bytes", "caches", "vector_flags"} <= set(result["machine"])
    assert list(result["parts"]) == list(PARTS)
    assert all(0 <= part["load"][0] <= part["load"][1] for part in result["parts"].values())
    (training,) = result["parts"]["speed"]["result"]["training"]
    assert training["whole"] > training["epoch"] > 0
    assert training["peak"] > 1e6
    assert [row["stage"] for row in result["parts"]["speed"]["result"]["stages"]] == ["count words", "build-cooc"]
    (whole,) = result["parts"]["growth"]["result"]["rows"]
    assert whole["share"] == 1
    assert whole["matrix"]["nnz"] == training["nnz"]
    assert {"total", "semantic", "syntactic"} <= set(result["parts"]["equal-settings"]["result"]["rows"][0]["scores"])
    (timed,) = result["parts"]["equal-time"]["result"]["rows"]
    assert timed["tool"] == "glove"
    assert timed["epochs"] is None or timed["seconds"] > 0  # on a slow machine nothing may fit
    for heading in ("## growth", "## speed", "## equal-settings", "## equal-time", "- caches:", "- versions:"):
        assert heading in text


def test_absent_competitors_are_named_with_the_way_to_get_them(folder: Path) -> None:
    result, text = written(folder)
    assert not result["competitors"]["reference"]["present"]
    assert "- reference: absent (no --reference). To get it: git clone" in text
    assert "- gensim: absent (left out by --without). To get it: pip install gensim" in text


def test_an_interrupted_run_goes_on(folder: Path) -> None:
    first, last = (json.loads(path.read_text()) for path in (folder / "first.json", folder / "work/small/results.json"))
    assert first["steps"]
    assert all(last["steps"][key] == step for key, step in first["steps"].items())
    assert len(last["steps"]) > len(first["steps"])
    assert "steps were there already" in (folder / "said").read_text()


def test_a_failed_check_stands_in_its_row_and_makes_exit_code_1(folder: Path) -> None:
    done = run(folder, "equal-settings", more=("--floor", "1.1"))
    assert done.returncode == 1, done.stderr
    assert "FAILS: equal-settings: " in done.stdout
    result, text = written(folder)
    assert len(result["failed"]) == 1
    row = next(line for line in text.splitlines() if line.startswith("| glove | 1 |"))
    assert "**FAILS**" in row
    assert "at least 110% wanted" in row
    assert run(folder, *PARTS).returncode == 0  # as it was, without measuring again


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--parts", "speeed"), "there is no speeed"),
        (("--without", "genism"), "there is no genism"),
        (("--reference", "."), "lacks vocab_count"),
    ],
)
def test_a_wrong_name_is_refused_at_once(folder: Path, more: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, RUN, *more, "--work", "nowhere"], capture_output=True, text=True, env=environment(), cwd=folder
    )
    assert done.returncode != 0
    assert said in done.stderr


def test_a_step_is_done_once_and_again_when_its_file_is_gone(tmp_path: Path) -> None:
    from proof.store import Store

    calls = []
    identity = {"text": "a"}

    def work() -> dict[str, int]:
        calls.append(0)
        (tmp_path / "product").write_text("")
        return {"value": len(calls)}

    assert Store(tmp_path / "r.json", identity).once("k", work, [tmp_path / "product"]) == {"value": 1}
    assert Store(tmp_path / "r.json", identity).once("k", work, [tmp_path / "product"]) == {"value": 1}
    (tmp_path / "product").unlink()
    assert Store(tmp_path / "r.json", identity).once("k", work, [tmp_path / "product"]) == {"value": 2}
    with pytest.raises(SystemExit, match="holds results of another text, a; now it is b"):
        Store(tmp_path / "r.json", {"text": "b"})


def test_not_worse_means_within_the_margin() -> None:
    from proof.equal_settings import not_worse

    theirs = [0.200, 0.202, 0.198, 0.201]
    assert not_worse([0.199, 0.201, 0.200, 0.198], theirs, 0.005)["verdict"] == "not worse"
    assert not_worse([0.180, 0.182, 0.178, 0.181], theirs, 0.005)["verdict"] == "worse"
    assert not_worse([0.194, 0.198, 0.194, 0.193], theirs, 0.005)["verdict"] == "undecided"
    assert not_worse([0.2], theirs, 0.005)["verdict"] == "not tested"
    # By hand: means 1.5 + 0.5 and 1, variances 0.5 of 2 values each: t = 1 / sqrt(0.5 / 2 + 0.5 / 2), 2 degrees.
    result = not_worse([1.0, 2.0], [0.5, 1.5], 0.5)
    assert result["t"] == pytest.approx(2**0.5)
    assert result["df"] == pytest.approx(2)


def test_a_plan_takes_the_largest_share_that_fits() -> None:
    from proof.equal_time import Rates, epochs_in, largest_share

    rates = Rates(start=2, counting=10, preparing=0, epoch=20, saving=0, pairs=1)
    assert largest_share(rates, 32, 1) == 1
    assert largest_share(rates, 27, 1) == pytest.approx(0.8)
    assert largest_share(rates, 2, 1) is None
    assert epochs_in(65, 20, 1, 100) == 3
    assert epochs_in(-5, 20, 1, 100) == 1
    assert epochs_in(1e9, 20, 1, 100) == 100


def test_texts_are_cut_between_words(tmp_path: Path) -> None:
    from proof.texts import beginning, cut_lines, share_of

    text = tmp_path / "text.txt"
    text.write_text("one two three\nfour five six\n")
    assert beginning(text, 5, tmp_path).read_text() == "one two\n"
    assert share_of(text, 1, tmp_path) == text
    assert cut_lines(text, 3, tmp_path) == text
    assert cut_lines(text, 2, tmp_path).read_text() == "one two\nthree\nfour five\nsix\n"


def test_what_the_machine_can_do_is_checked(tmp_path: Path) -> None:
    from proof import bounds
    from proof.checks import failed

    rows = [bounds.bandwidth(1 << 20, 2, 0.01), bounds.arithmetic(2, 0.01), *bounds.disk(tmp_path, 1 << 22)]
    assert all(row["value"] > 1e6 for row in rows)
    assert [text for row in rows for text in failed(row["checks"])] == []
    assert list(tmp_path.iterdir()) == []


def test_the_picture_is_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from proof.picture import best_plans, scores_over_time

    rows = [
        {"tool": tool, "budget": budget, "seconds": budget, "scores": {"of all": share, "MEN-TR-3k": None}}
        for tool, budget, share in (("glove", 10, 0.1), ("glove", 10, 0.2), ("glove", 30, 0.3), ("other", 30, 0.1))
    ]
    rows.append({"tool": "other", "budget": 10, "seconds": None, "scores": None})
    assert [row["scores"]["of all"] for row in best_plans(rows)] == [0.2, 0.3, 0.1]
    first, second = (scores_over_time(rows, tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second


def test_the_time_to_a_cost_is_that_of_the_passes_before_it_was_met() -> None:
    from proof.small import seconds_to

    result = {"costs": [9.0, 4.0, 2.0], "end": 1.0, "pass": 0.5}
    assert [seconds_to(cost, result) for cost in (4.0, 3.0, 1.5, 0.5)] == [0.5, 1.0, 1.5, None]


def test_a_part_that_breaks_off_says_so_and_leaves_the_others(tmp_path: Path) -> None:
    from proof import growth
    from proof.report import markdown

    result: dict[str, Any] = {
        "date": "2026-01-01",
        "command": "c",
        "machine": {
            "processor": "p",
            "cores": 2,
            "memory_bytes": 1 << 30,
            "caches": [],
            "vector_flags": [],
            "system": "",
        },
        "versions": {},
        "commit": {"commit": "a", "program": "b"},
        "corpus": {"name": "t.txt", "bytes": 1, "sha256": "0"},
        "options": {"quick": False},
        "competitors": {},
        "failed": ["growth: glove: ended with 3"],
        "parts": {"growth": {"load": [0.1, 0.2], "error": "glove: ended with 3"}},
    }
    assert "**Not finished:**\n\n```\nglove: ended with 3\n```" in markdown(result, {"growth": growth})


@pytest.mark.parametrize("wrong", [None, "value", "entry"])
def test_a_matrix_is_compared_also_where_equal_counts_come_in_another_order(tmp_path: Path, wrong: str | None) -> None:
    from proof.checks import RECORD, compare_matrices, failed
    from reference import Reference

    cooc = build_cooc(REPOSITORY / "corpora" / "sample.txt", tmp_path / "cooc", min_count=3, window=5)
    lines = cooc.vocab.to_bytes().splitlines(keepends=True)
    order = sorted(range(cooc.V), key=lambda k: (-int(lines[k].split()[1]), -k))  # among equal counts, the last first
    assert order != list(range(cooc.V))
    reference = Reference(tmp_path, tmp_path, tmp_path / "text")
    reference.vocab.write_bytes(b"".join(lines[k] for k in order))
    whole = cooc.to_scipy().tocsr()[order][:, order].tocoo()
    records = np.empty(whole.nnz, RECORD)
    records["row"], records["col"], records["x"] = whole.row + 1, whole.col + 1, whole.data
    records.sort(order=["row", "col"])
    if wrong == "value":
        records["x"][100] *= 1.001
    elif wrong == "entry":
        records["col"][-1] += 1 if records["col"][-1] < cooc.V else -1
        records = np.sort(records, order=["row", "col"])
    records.tofile(reference.matrix)
    found = failed(compare_matrices(cooc, reference))
    assert bool(found) is (wrong is not None), found

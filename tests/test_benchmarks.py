"""The benchmarks measure what they say, and notice when what they time is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, SharedData

from glove_cli.cooc.build import build_cooc
from glove_cli.training.run import train

BENCHMARKS = REPOSITORY / "benchmarks"
SCRIPTS = [
    "counting",
    "growth",
    "training",
    "tiles",
    "pipeline",
    "quality",
    "process",
    "uncertainty",
    "evaluation",
    "vectors_io",
    "pictures",
    "first_run",
    "recipe",
    "methods",
    "study",
    "recording",
    "cluster",
    "run",
]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_takes_the_common_options(name: str) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"},
    )
    for option in ("--reference", "--corpus", "--threads", "--work"):
        assert option in done.stdout


def test_every_script_is_explained() -> None:
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.py`" in text for name in SCRIPTS)


def test_time_and_peak_are_those_of_the_command_alone(tmp_path: Path) -> None:
    from common import measure

    ballast = bytearray(200 << 20)  # a parent's memory must not count
    sleep = "import time; time.sleep(0.3)"
    small = measure([sys.executable, "-S", "-c", sleep])
    assert 0.3 <= small.seconds < 3
    assert small.peak < 100 << 20 < len(ballast)
    large = measure([sys.executable, "-S", "-c", "x = b'1' * (120 << 20)"])
    assert large.peak > 120 << 20
    text = tmp_path / "in"
    text.write_text("hello")
    copy = measure(["cat"], stdin=text, stdout=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "hello"
    assert copy.stderr == ""


def test_a_command_that_fails_stops_the_benchmark() -> None:
    from common import measure

    with pytest.raises(SystemExit, match="ended with 3"):
        measure([sys.executable, "-S", "-c", "import sys; sys.exit(3)"])


def test_missing_tools_are_named(tmp_path: Path) -> None:
    from common import check_reference

    (tmp_path / "glove").write_text("")
    with pytest.raises(SystemExit, match=r"lacks vocab_count, cooccur, shuffle, glove\."):
        check_reference(tmp_path)
    assert check_reference(None) is None


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    from common import print_table

    print_table(["", "s"], [["ours", "1.5"], ["theirs", "10.25"]])
    assert capsys.readouterr().out == "            s\n------  -----\nours      1.5\ntheirs  10.25\n\n"


def test_the_last_cost_is_found_in_both_outputs() -> None:
    from pipeline import last_cost

    assert last_cost("11/23/26 - 08:11.03PM, iter: 001, cost: 0.102664\n08:11, iter: 002, cost: 0.087264\n") == 0.087264
    assert last_cost("epoch 1/2  cost 0.1000  5.0 M entries/s\nepoch 2/2  cost 0.0800  5.0 M entries/s\n") == 0.08
    with pytest.raises(SystemExit, match="no cost"):
        last_cost("nothing")


def test_the_pictures_of_a_run_are_the_same_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    from pictures import Run, draw_all

    text = REPOSITORY / "corpora" / "sample.txt"
    cooc = build_cooc(text, tmp_path / "cooc", min_count=3, window=10, document="file")
    model = train(cooc, dim=8, epochs=3, x_max=10.0, threads=1)
    for threads in (1, 2):
        (tmp_path / str(threads)).mkdir()
        assert all(draw_all(Run(cooc, model, threads), tmp_path / str(threads)))
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "12")
    assert first == second
    assert set(first) == {path.name for path in (REPOSITORY / "docs" / "pictures").iterdir()} - {"compare.svg"}
    assert "holds: the sum of all entries" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [None, "value", "entry", "count"])
def test_a_matrix_is_compared_with_the_reference_before_it_is_timed(
    shared_data: SharedData, tmp_path: Path, wrong: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    from counting import check
    from reference import Reference

    reference = Reference(tmp_path, tmp_path, tmp_path / "corpus.txt")
    vocab, matrix = (
        shared_data.bytes("stanford/vocab.txt"),
        bytearray(shared_data.bytes("stanford/cooccurrence.symmetric.w15.bin")),
    )
    if wrong == "value":
        matrix[14] ^= 8  # a high bit of the first value
    elif wrong == "entry":
        matrix[16 * 6000 + 4] ^= 1  # a column
    elif wrong == "count":
        del matrix[-16:]
    reference.vocab.write_bytes(vocab)
    reference.matrix.write_bytes(matrix)
    cooc = build_cooc(shared_data.path("stanford/corpus.txt"), tmp_path / "cooc", vocab=reference.vocab)
    assert check(cooc, reference) is (wrong is None)
    assert ("FAILS" in capsys.readouterr().out) is (wrong is not None)

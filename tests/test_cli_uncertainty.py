"""`glove uncertainty`, and intervals beside cosines and scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import zipf_text
from test_cli_build_cooc import fails, glove

from glove_cli import build_cooc, load_model, similarity_intervals, train, uncertain_vectors
from glove_cli.corpus.resample import Draw

COSINES = [("w1", "w3"), ("w3", "w7")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run, its vectors as a file, and pairs."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "text.txt").write_bytes(zipf_text(8000, 120, 3) + 2 * b"w1 rare w3\n")
    cooc = build_cooc(folder / "text.txt", folder / "glove-run" / "cooc", min_count=2, window=5)
    for name, seed in (("glove-run/model", 1), ("again", 2)):
        train(cooc, out=folder / name, dim=4, epochs=20, x_max=5, process="mean:20", seed=seed)
    (folder / "pairs.txt").write_text("w1 w3 1\nw3 w7 3\nw7 w20 2\nw1 rare 4\n")
    (folder / "vectors.txt").write_text("w1 1 2\nw3 2 1\n")
    return folder


@pytest.fixture(autouse=True)
def _there(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    monkeypatch.delenv("GLOVE_RUN", raising=False)


def expected(**options: object) -> list[tuple[float, ...]]:
    source = uncertain_vectors("glove-run/model", "glove-run/cooc", **options)  # type: ignore[arg-type]
    return [(e.cosine, e.se, e.low, e.high) for e in similarity_intervals(source, COSINES)]


def test_words_and_pairs_are_shown() -> None:
    result = glove("uncertainty", "w1", "w3", "rare")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["word", "is", "count", "contexts", "noise", "error"]
    assert lines[3][:3] == ["rare", "too", "rare"]
    assert lines[3][-2:] == ["-", "-"]
    assert lines[5] == ["word", "word", "cosine", "error", "90", "%"]
    assert lines[7] == ["w1", "rare", lines[7][2], "-", "-"]
    note = "Note: 1 word has no more contexts than the 4 numbers of a vector, so no interval: rare\n"
    assert result.stderr == note


def test_json_is_what_the_library_says() -> None:
    found = json.loads(glove("uncertainty", "w1", "w3", "w1", "rare", "--json").stdout)
    assert found["settings"] == {"vectors": "sum", "level": 0.9, "draws": 0, "seed": 1}
    assert [word["word"] for word in found["words"]] == ["w1", "w3", "rare"]
    assert found["words"][2]["error"] is None
    assert found["words"][2]["is"] == "too rare"
    pair = found["pairs"][0]
    assert tuple(pair[key] for key in ("similarity", "error", "low", "high")) == pytest.approx(expected()[0])
    assert found["pairs"][1]["low"] is None


def test_lines_say_what_they_are_of() -> None:
    lines = [line.split("\t") for line in glove("uncertainty", "w1", "rare", "--tsv").stdout.splitlines()]
    assert [line[0] for line in lines] == ["word", "word", "pair"]
    assert list(map(len, lines)) == [6, 6, 7]
    assert lines[1][-2:] == ["", ""]
    assert lines[2][-3:] == ["", "", ""]


def test_draws_come_near_the_delta_method_and_are_the_same_again() -> None:
    arguments = ["uncertainty", "w1", "w3", "--draws", "500", "--seed", "7", "--json"]
    first = glove(*arguments)
    assert first.stdout == glove(*arguments).stdout
    assert json.loads(first.stdout)["pairs"][0]["error"] == pytest.approx(expected()[0][1], rel=0.5)


@pytest.mark.parametrize("options", [{}, {"process": "none"}, {"vectors": "word"}])
def test_similarity_has_intervals(options: dict[str, str]) -> None:
    arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
    result = glove("similarity", "w1", "w3", "w3", "w7", "--intervals", "--json", *arguments)
    for pair, numbers in zip(json.loads(result.stdout), expected(**options), strict=True):
        assert tuple(pair[key] for key in ("similarity", "error", "low", "high")) == pytest.approx(numbers, abs=1e-6)
    table = glove("similarity", "w1", "w3", "w1", "rare", "--intervals", "--level", "0.5", *arguments)
    assert table.stdout.splitlines()[0].split() == ["word", "word", "cosine", "error", "50", "%"]
    assert "no interval: rare" in table.stderr


def test_intervals_come_for_lines_of_standard_input() -> None:
    result = glove("similarity", "--intervals", "--tsv", stdin=b"w1 w3\nw3 w7\n")
    rows = [tuple(map(float, line.split("\t")[2:])) for line in result.stdout.splitlines()]
    np.testing.assert_allclose(rows, expected(), atol=2e-6)
    objects = glove("similarity", "--intervals", "--json", stdin=b"w1 w3\nw1 nonsense\n")
    assert [json.loads(line).get("error") is None for line in objects.stdout.splitlines()] == [False, True]
    assert glove("similarity", "--intervals", stdin=b"w1 w3\n").stdout.split()[:2] == ["w1", "w3"]


def test_neighbours_have_intervals() -> None:
    plain = json.loads(glove("nearest", "w1", "w3", "-n", "3", "--json").stdout)
    found = json.loads(glove("nearest", "w1", "w3", "-n", "3", "--json", "--intervals").stdout)
    for a, b in zip(plain, found, strict=True):
        for near, sure in zip(a["nearest"], b["nearest"], strict=True):
            assert (sure["word"], sure["similarity"]) == (near["word"], near["similarity"])
            assert sure["error"] is None or sure["low"] < sure["similarity"] < sure["high"]
    table = glove("nearest", "w1", "-n", "200", "--intervals")
    assert table.stdout.splitlines()[1].split() == ["word", "cosine", "error", "90", "%"]
    assert "so no interval: " in table.stderr
    lines = glove("nearest", "-n", "2", "--intervals", "--tsv", stdin=b"w1\nw3\n").stdout.splitlines()
    assert [len(line.split("\t")) for line in lines] == [7] * 4


def test_scores_of_pairs_have_the_noise_of_vectors_beside_them() -> None:
    arguments = ("evaluate", "--similarity", "pairs.txt", "--intervals", "--resamples", "100")
    found = json.loads(glove(*arguments, "--json").stdout)
    (noise,) = found["models"][0]["noise"]
    assert (noise["name"], noise["pairs"], noise["of"], noise["rare_words"]) == ("pairs", 3, 4, ["rare"])
    assert noise["interval"][0] <= noise["rho"] <= noise["interval"][1]
    assert found["settings"]["level"] == 0.9
    assert "noise" not in json.loads(glove(*arguments[:3], "--json").stdout)["models"][0]
    table = glove(*arguments, "--vectors", "sum", "--vectors", "word")
    assert "noise of the vectors" in table.stdout
    kinds = [line.split("\t")[1] for line in glove(*arguments, "--tsv").stdout.splitlines()]
    assert kinds == ["similarity", "noise"]


def test_another_training_widens_every_interval() -> None:
    def errors(*arguments: str) -> list[float]:
        found = json.loads(glove(*arguments, "--json").stdout)
        pairs = found["pairs"] if isinstance(found, dict) else found[0].get("nearest", found)
        return [pair["error"] for pair in pairs]

    for command in (["uncertainty", "w1", "w3"], ["nearest", "w1", "-n", "3", "--intervals"]):
        assert np.mean(errors(*command, "--also", "again")) > np.mean(errors(*command))
    wide = errors("similarity", "w1", "w3", "--intervals", "--also", "again")
    assert wide == pytest.approx(errors("uncertainty", "w1", "w3", "--also", "again"))


def test_resampled_texts_say_what_another_text_would_change() -> None:
    lines = Path("text.txt").read_bytes().count(b"\n")
    lacking = next(seed for seed in range(100) if not Draw(seed).times(lines - 2, lines).any())  # both with "rare"
    for name, seed in (("1", str(lacking)), ("2", "1000")):
        count = ("build-cooc", "text.txt", "--resample", seed, "--vocab", "glove-run/cooc/vocab.txt", "--window", "5")
        assert glove(*count, "--run", f"r{name}").exit_code == 0
        how = ("--dim", "4", "--epochs", "20", "--x-max", "5", "--seed", f"1{name}")
        assert glove("train", *how, "--run", f"r{name}").exit_code == 0
    also = ("--also", "r1", "--also", "r2/model")
    found = json.loads(glove("uncertainty", "w1", "w3", "w7", *also, "--json").stdout)
    assert all(pair["error"] > 0 for pair in found["pairs"])
    rare = glove("uncertainty", "w1", "rare", *also)
    assert rare.stderr == "Note: 1 word has no neighbour in one of the resampled texts, so no interval: rare\n"
    near = json.loads(glove("nearest", "w1", "-n", "3", "--intervals", *also, "--json").stdout)[0]["nearest"]
    assert all(each["low"] <= each["similarity"] <= each["high"] for each in near)
    scores = ("evaluate", "--similarity", "pairs.txt", "--intervals")
    (noise,) = json.loads(glove(*scores, *also, "--json").stdout)["models"][0]["noise"]
    assert (noise["pairs"], noise["rare_words"]) == (3, ["rare"])
    assert "is judged by 2 other models" in glove(*scores, *also).stderr
    several = glove(*scores, "glove-run", "again", *also)
    assert several.stderr == "Error: --also: is of one model, and there are several. Name one PATH.\n"
    refused = glove("uncertainty", "w1", "--also", "r1")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "r1 is of a resampled matrix, and one says nothing" in refused.stderr


def test_the_matrix_is_looked_for_where_it_was(made: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made / "glove-run" / "model", tmp_path / "elsewhere")
    by_path = glove("uncertainty", "w1", "--model", str(tmp_path / "elsewhere"))
    assert by_path.stdout == glove("uncertainty", "w1").stdout
    assert by_path.stdout == glove("uncertainty", "w1", "--model", "glove-run").stdout
    assert by_path.stdout == glove("uncertainty", "w1", "--cooc", "glove-run/cooc").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["uncertainty"], 2, "WORD...: is missing."),
        (["uncertainty", "w1", "--level", "90"], 2, "--level: 90.0 is not between 0 and 1."),
        (["uncertainty", "w1", "--draws", "9"], 2, "--draws: 9 are too few"),
        (["uncertainty", "w1", "--seed", "-1"], 2, "--seed: -1 is negative."),
        (["uncertainty", "w1", "--threads", "0"], 2, "--threads: 0 is not a positive integer."),
        (["uncertainty", "nonsense"], 1, "nonsense: is not among the"),
        (["uncertainty", "w1", "--model", "vectors.txt"], 1, "vectors.txt: holds vectors only"),
        (["uncertainty", "w1", "--cooc", "nowhere"], 1, "nowhere: does not exist."),
        (
            ["uncertainty", "w1", "--also", "glove-run/model"],
            2,
            "--also: glove-run/model has the --seed 1, as the model has.",
        ),
        (["nearest", "w1", "--also", "again"], 2, "--also: has no effect without --intervals."),
        (["evaluate", "--similarity", "pairs.txt", "--also", "again"], 2, "--also: has no effect without --intervals."),
        (["nearest", "w1", "--cooc", "a"], 2, "--cooc: has no effect without --intervals."),
        (["nearest", "w1", "--level", "0.5"], 2, "--level: has no effect without --intervals."),
        (["nearest", "w1", "--intervals", "--metric", "dot"], 2, "--intervals: are known for cosines"),
        (["similarity", "w1", "w3", "--intervals", "--level", "1"], 2, "--level: 1.0 is not between"),
        (["similarity", "w1", "w3", "--intervals", "--model", "vectors.txt"], 1, "vectors.txt: holds vectors only"),
        (["evaluate", "--intervals"], 2, "--intervals: are for similarity sets, and the package's own questions"),
        (["evaluate", "--intervals", "--analogies", "pairs.txt"], 2, "--intervals: are for similarity sets, not for"),
        (["evaluate", "--intervals", "--similarity", "pairs.txt", "--resamples", "5"], 2, "--resamples: 5 draws are"),
        (["evaluate", "--cooc", "a", "--similarity", "pairs.txt"], 2, "--cooc: has no effect without --intervals."),
        (
            ["evaluate", "--intervals", "--similarity", "pairs.txt", "--protocol", "gensim", "--dummy4unknown"],
            2,
            "--intervals: an unknown word has none",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], code: int, message: str) -> None:
    fails(glove(*arguments), code, message)


def test_numbers_that_are_not_finite_are_refused() -> None:
    model = load_model("glove-run")
    b_w = np.array(model.b_w)
    b_w[0] = np.nan
    replace(model, b_w=b_w).save(Path("broken"))
    fails(
        glove("uncertainty", "w1", "--model", "broken", "--cooc", "glove-run/cooc"), 1, r"broken: b_w has numbers that"
    )


def test_too_many_draws_are_refused() -> None:
    many = "99999999999999999999"
    fails(glove("uncertainty", "w1", "w3", "--draws", many), 2, f"--draws: {many} is not an integer up to 1,000,000")

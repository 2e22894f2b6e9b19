"""`glove export`: formats, streams, the row of <unk>, and wrong input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import fails, glove
from test_cli_help import PACKAGE_ROOT
from test_vectors_export import expected, make_model

from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import EXPORT_NAMES, KINDS
from glove_cli.vectors.process import process_vectors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a run that holds a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    make_model().save("glove-run/model")
    return tmp_path


def text_of(rows: np.ndarray, last: str | None = "<unk>") -> bytes:
    words = [f"w{i}" for i in range(5)] + ([last] if last else [])
    lines = (word + "".join(f" {x:.6f}" for x in row) for word, row in zip(words, rows.tolist(), strict=True))
    return "".join(f"{line}\n" for line in lines).encode()


def with_unk(rows: np.ndarray) -> np.ndarray:
    return np.vstack((rows, rows.mean(axis=0)))


def test_glove_text_with_unk_is_the_default(folder: Path) -> None:
    result = glove("export", "vectors.txt")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert result.stdout.startswith("vectors.txt: 5 words and <unk>, 3 numbers each, GloVe text, ")
    assert (folder / "vectors.txt").read_bytes() == text_of(with_unk(expected(make_model(), "sum")))


@pytest.mark.parametrize("kind", ["sum", "word", "context", "concat"])
def test_the_vectors_asked_for_are_written(folder: Path, kind: str) -> None:
    assert glove("export", "v", "--vectors", kind, "--no-unk").exit_code == 0
    assert (folder / "v").read_bytes() == text_of(expected(make_model(), kind), None)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("v.txt", "glove"),
        ("v.vec", "word2vec"),
        ("v.w2v", "fasttext"),
        ("v.bin", "word2vec-binary"),
        ("v.npy", "npy"),
        ("v.kv", "gensim"),
        ("v.safetensors", "safetensors"),
        ("v.parquet", "parquet"),
    ],
)
def test_the_format_follows_the_name_or_the_option(folder: Path, name: str, format: str) -> None:
    assert glove("export", name).exit_code == 0
    assert glove("export", "named", "--format", format).exit_code == 0
    assert (folder / name).read_bytes() == (folder / "named").read_bytes()
    assert len(load_vectors(name)) == 6


@pytest.mark.parametrize("name", EXPORT_NAMES)
def test_what_was_exported_is_described(folder: Path, name: str) -> None:
    result = glove("export", "out", "--format", name)
    assert result.exit_code == 0, result.output
    described = json.loads(glove("info", "out", "--json").stdout)
    expected = {"kind": "vectors", "V": 6, "dim": 3, "format": "word2vec" if name == "fasttext" else name}
    if name in ("projector", "spacy", "reference"):
        expected["kind"] = "export"
        assert glove("info", "out", "--verify").exit_code == 0
    if name == "reference":
        expected["V"] = 5  # a model has no row of <unk>
    assert {key: described[key] for key in expected} == expected
    made = [path for path in folder.rglob("*") if path.is_file() and "glove-run" not in path.parts]
    assert described["bytes"] == sum(path.stat().st_size for path in made if path.name != "meta.json")
    assert (
        f"format{'':{4 if expected['kind'] == 'export' else 5}}  {described['format']}" in glove("info", "out").stdout
    )


def test_the_next_step_with_a_folder_is_said(folder: Path) -> None:
    result = glove("export", "for spacy", "--format", "spacy")
    assert "Next: python -m spacy init vectors xx 'for spacy'/vectors.txt PIPELINE" in result.stderr
    assert "for spacy: 5 words and <unk>, 3 numbers each, text for spaCy, " in result.stdout
    assert "Next: tensorboard --logdir p " in glove("export", "p", "--format", "projector").stderr


def test_the_parameters_of_a_model_have_all_its_kinds_of_vectors(folder: Path) -> None:
    result = glove("export", "out", "--format", "reference")
    assert result.stdout.startswith("out: 5 words, 3 numbers each, parameters for the original tools, ")
    for kind in KINDS:
        assert glove("export", f"{kind}.txt", "--vectors", kind, "--model", "out/vectors.bin").exit_code == 0
        # Six decimals are off by 5e-7, and float32 by 2**-24 of a number below 8.
        assert np.abs(load_vectors(f"{kind}.txt").matrix - expected(make_model(), kind)).max() < 5e-7 + 8 * 2.0**-24
    fails(
        glove("export", "x", "--format", "reference", "--vectors", "word"), 2, "--format: reference holds a whole model"
    )
    fails(
        glove("export", "x", "--format", "reference", "--model", "sum.txt"),
        2,
        "--format: reference holds a whole model, these are",
    )
    fails(glove("export", "x", "--vectors", "word", "--model", "sum.txt"), 2, "--vectors: sum.txt is a file")


def test_a_header_is_written_when_asked_for(folder: Path) -> None:
    assert glove("export", "v", "--header").exit_code == 0
    assert (folder / "v").read_bytes().startswith(b"6 3\nw0 ")
    for name, title in (("v.bin", "word2vec binary"), ("v.kv", "gensim"), ("v.parquet", "Parquet")):
        fails(glove("export", name, "--header"), 2, f"--header: is for text, not for {title}")


def test_standard_output_gets_the_vectors_and_nothing_else(folder: Path) -> None:
    glove("export", "v.txt")
    for name, format in (("v.txt", "glove"), ("v.bin", "word2vec-binary"), ("v.parquet", "parquet")):
        glove("export", name)
        options = [] if format == "glove" else ["--format", format]
        result = glove("export", "-", *options)
        assert result.exit_code == 0
        assert result.stdout_bytes == (folder / name).read_bytes()
        assert result.stderr.startswith("standard output: 5 words and <unk>")


def test_a_pipe_is_written_straight_through(folder: Path) -> None:
    glove("export", "v.txt")
    os.mkfifo(folder / "pipe")
    command = [sys.executable, "-m", "glove_cli", "export", "pipe"]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}, stderr=subprocess.PIPE
    ) as process:
        assert (folder / "pipe").read_bytes() == (folder / "v.txt").read_bytes()
        assert process.stderr is not None
        assert b"pipe: 5 words" in process.stderr.read()
    assert process.returncode == 0
    assert sorted(os.listdir(folder)) == ["glove-run", "pipe", "v.txt"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_slow_reader_gets_every_byte(folder: Path, unbuffered: str) -> None:
    make_model(20_000, 20).save("big")
    assert glove("export", "v.txt", "--model", "big").exit_code == 0
    command = [sys.executable, "-m", "glove_cli", "export", "-", "--model", "big"]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        time.sleep(1)  # the pipe is full by now
        assert process.stdout.read() == (folder / "v.txt").read_bytes()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error_message(folder: Path, unbuffered: str) -> None:
    make_model(20_000, 20).save("big")
    command = [sys.executable, "-m", "glove_cli", "export", "-", "--model", "big"]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"w0 ")
        process.stdout.close()
        assert b"rror" not in process.stderr.read()
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
@pytest.mark.parametrize("arguments", [["export", "/dev/full"], ["export", "-"], ["info"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_an_error(folder: Path, arguments: list[str], unbuffered: str) -> None:
    command = [sys.executable, "-m", "glove_cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1
    assert "can't be written: No space left on device" in done.stderr


# --- a word <unk> ---------------------------------------------------------------------------------------------------


def test_a_word_unk_of_the_corpus_is_kept_and_said(folder: Path) -> None:
    make_model(3, words=["a", "<unk>", "b"]).save("other")
    result = glove("export", "v.txt", "--model", "other")
    assert result.exit_code == 0
    assert result.stderr.startswith("Note: <unk> is a word of the corpus and keeps its own vector")
    assert [line.split(b" ")[0] for line in (folder / "v.txt").read_bytes().splitlines()] == [b"a", b"<unk>", b"b"]
    assert glove("export", "w.txt", "--model", "other", "--no-unk").stderr == ""
    fails(glove("export", "x.txt", "--model", "other", "--unk"), 2, "--unk: the vocabulary has a word <unk> of its own")
    assert not (folder / "x.txt").exists()


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_no_model(folder: Path) -> None:
    fails(glove("export", "v", "--run", "x"), 1, r"x/model: does not exist\. Train a model with `glove train`")
    fails(glove("export", "v", "--model", "x"), 1, "x: does not exist")
    (folder / "glove-run" / "model" / "C.npy").write_bytes(b"")
    fails(glove("export", "v"), 1, r"glove-run/model/C\.npy: has 0 bytes")
    assert os.listdir(folder) == ["glove-run"]


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.npy"])
def test_an_output_that_exists(folder: Path, name: str) -> None:
    (folder / name).write_text("mine")
    fails(glove("export", name), 1, rf"{name}: already exists\. Use --force")
    assert (folder / name).read_text() == "mine"
    assert glove("export", name, "--force").exit_code == 0
    assert len(load_vectors(name)) == 6


def test_an_output_that_cannot_be_written(folder: Path) -> None:
    (folder / "file").write_text("mine")
    fails(glove("export", "file/v.txt"), 1, "file/v.txt: .*file is not a folder")
    fails(glove("export", "glove-run", "--force"), 1, "glove-run: is a folder")
    if Path("/proc/self").exists():
        fails(glove("export", "/proc/v.txt"), 1, "/proc/v.txt: ")


@pytest.mark.parametrize("value", ["0", "-2", "x"])
def test_threads_that_cannot_be(folder: Path, value: str) -> None:
    fails(glove("export", "v", "--threads", value), 2, "--threads: ")
    assert os.listdir(folder) == ["glove-run"]


@pytest.mark.parametrize(
    ("name", "what"), [("npy", "two files"), ("gensim", "two files"), ("projector", "a folder"), ("spacy", "a folder")]
)
def test_what_is_more_than_a_file_does_not_go_to_standard_output(folder: Path, name: str, what: str) -> None:
    fails(glove("export", "-", "--format", name), 2, f"--format: {name} makes {what}, so it can't be written")


def test_the_words_of_a_model_are_its_own(folder: Path) -> None:
    # A matrix of another text in the same run changes nothing: a model carries its vocabulary.
    (folder / "text").write_bytes(b"other words here\n")
    assert glove("build-cooc", "text", "--min-count", "1").exit_code == 0
    assert glove("export", "v.txt", "--no-unk").exit_code == 0
    assert (folder / "v.txt").read_bytes() == text_of(expected(make_model(), "sum"), None)


def test_vectors_are_processed_on_the_way_and_unk_is_the_mean_of_what_is_written(folder: Path) -> None:
    assert glove("export", "plain.txt", "--no-unk").exit_code == 0
    result = glove("export", "v.txt", "--process", "mean,unit")
    assert result.exit_code == 0, result.output
    written = load_vectors("v.txt")
    expected = process_vectors(load_vectors("plain.txt"), "mean,unit").matrix
    np.testing.assert_allclose(written.matrix[:-1], expected, atol=2e-6)
    np.testing.assert_allclose(written["<unk>"], expected[-100:].mean(axis=0), atol=2e-6)
    fails(glove("export", "w.txt", "--process", "mean,flat"), 2, r"--process: 'flat' is no step\. Give steps such as")


def test_a_file_of_vectors_is_written_in_another_format(folder: Path) -> None:
    assert glove("export", "v.txt", "--no-unk").exit_code == 0
    assert glove("export", "v.bin", "--model", "v.txt").exit_code == 0
    assert glove("export", "back.txt", "--model", "v.bin").exit_code == 0
    assert Path("v.txt").read_bytes() == Path("back.txt").read_bytes()

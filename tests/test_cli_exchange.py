"""`glove export-cooc` and `glove import-cooc`: what they say, and what they do with wrong input."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from conftest import file_hashes
from test_cli_build_cooc import TEXT, fails, glove
from test_cooc_exchange import write_records

from glove_cli import export_cooc, import_cooc, load_cooc


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with a run that has counted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    (tmp_path / "corpus.txt").write_bytes(TEXT)
    assert glove("build-cooc", "corpus.txt", "--min-count", "1").exit_code == 0
    (tmp_path / "corpus.txt").unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "format", "words"),
    [
        ("cooccurrence.bin", "reference", "vocab.txt"),
        ("m.npz", "npz", "m.npz.vocab.txt"),
        ("m.mtx", "mtx", "m.mtx.vocab.txt"),
    ],
)
def test_a_matrix_goes_out_and_comes_back(folder: Path, name: str, format: str, words: str) -> None:
    cooc = load_cooc("glove-run/cooc")
    result = glove("export-cooc", name)
    assert result.exit_code == 0, result.output
    written = cooc.stored if format == "mtx" else cooc.nnz
    said = rf"{name}: {written} entries, {format}, [\d.]+ k?B, [\d.]+ s; words: {words}\n"
    assert re.fullmatch(said, result.stdout), result.stdout
    assert result.stderr == ""
    assert sorted(os.listdir(folder)) == sorted([name, "glove-run", words])

    result = glove("import-cooc", name, "--run", "back")
    assert result.exit_code == 0, result.output
    lines = dict(re.split(" {2,}", line, maxsplit=1) for line in result.stdout.splitlines())
    assert lines["format"] == format
    assert lines["vocabulary"] == f"{cooc.V}"
    assert lines["pairs"] == f"{cooc.nnz} ({cooc.stored} stored)"
    assert lines["symmetric"] == "yes"
    assert lines["matrix"] == "back/cooc"
    assert not {"duplicates", "rounding"} & set(lines)
    assert file_hashes(folder / "back" / "cooc") == file_hashes(folder / "glove-run" / "cooc")


def test_every_option_of_an_export_reaches_the_library(folder: Path) -> None:
    (folder / "mine").write_text("old")
    result = glove(
        "export-cooc", "mine", "--format", "npz", "--cooc", "glove-run/cooc", "--vocab-out", "words", "--force"
    )
    assert result.exit_code == 0, result.output
    export_cooc("glove-run/cooc", "theirs", format="npz", vocab_out="their.words")
    assert (folder / "mine").read_bytes() == (folder / "theirs").read_bytes()
    assert (folder / "words").read_bytes() == (folder / "their.words").read_bytes()


def test_every_option_of_an_import_reaches_the_library(folder: Path) -> None:
    records = [(1, 2, 1.0), (2, 1, 1.0 + 1e-15), (1, 1, 2.0), (1, 1, 3.0)]
    write_records(folder / "records", records)
    (folder / "vocab.txt").rename("words")
    flags = ["--format", "reference", "--vocab", "words", "--symmetric", "--sum-duplicates"]
    result = glove("import-cooc", "records", *flags, "-o", "mine")
    assert result.exit_code == 0, result.output
    assert "duplicates  1 values added to others" in result.stdout
    assert "rounding    1 mirrored values differ by less than 1e-9; one was kept" in result.stdout
    import_cooc("records", "theirs", format="reference", vocab="words", symmetric=True, sum_duplicates=True)
    assert file_hashes(folder / "mine", leave_out=()) == file_hashes(folder / "theirs", leave_out=())
    result = glove("import-cooc", "records", *flags[:4], "--no-symmetric", "--sum-duplicates", "-o", "mine", "--force")
    assert "symmetric   no" in result.stdout


def test_a_matrix_can_go_to_a_pipe(folder: Path) -> None:
    export_cooc("glove-run/cooc", "there.bin")
    result = glove("export-cooc", "/dev/null", "--format", "reference", "--vocab-out", "words")
    assert (result.exit_code, result.stdout) == (0, "")
    assert re.match(r"/dev/null: \d+ entries, reference, [\d.]+ s; words: words\n", result.stderr)


def test_what_was_imported_is_described_and_trained_on(folder: Path) -> None:
    assert glove("export-cooc", "c.bin").exit_code == 0
    assert glove("import-cooc", "c.bin", "--run", "back").exit_code == 0
    result = glove("info", "back")
    assert result.exit_code == 0, result.output
    assert re.search(r"tokens +unknown", result.stdout)
    assert re.search(r"from +c\.bin\n", result.stdout)
    described = json.loads(glove("info", "back", "--json", "--verify").stdout)["parts"][0]
    assert (described["tokens"], described["options"], described["sources"]) == (None, {}, ["c.bin"])
    assert glove("train", "--run", "back", "--dim", "2", "--epochs", "1", "--x-max", "10").exit_code == 0


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_files_that_are_missing(folder: Path) -> None:
    fails(glove("export-cooc", "c.bin", "--run", "other"), 1, r"other/cooc: does not exist\. Make a matrix")
    fails(glove("import-cooc", "c.bin", "--run", "b"), 1, r"c\.bin: does not exist\. Name a matrix of another program")
    (folder / "c.bin").write_bytes(bytes(16))
    fails(glove("import-cooc", "c.bin", "--run", "b"), 1, r"vocab\.txt: does not exist, .* Name them with --vocab\.")
    fails(glove("import-cooc", "c.bin", "--run", "b", "--vocab", "w"), 1, r"w: can't be read: No such file")
    fails(glove("import-cooc", "glove-run", "--format", "npz", "--run", "b"), 1, "glove-run: is not a file")
    assert sorted(os.listdir(folder)) == ["c.bin", "glove-run"]


def test_a_format_that_the_name_does_not_say(folder: Path) -> None:
    for command in ("export-cooc", "import-cooc"):
        fails(glove(command, "m.txt"), 2, r"--format: m\.txt doesn't end with \.bin, \.npz, \.mtx\. Name the format\.")
        fails(glove(command, "m.txt", "--format", "csv"), 2, "--format: 'csv' is not one of 'reference', 'npz', 'mtx'")


def test_outputs_that_exist(folder: Path) -> None:
    (folder / "vocab.txt").write_text("precious")
    fails(glove("export-cooc", "c.bin"), 1, r"vocab\.txt: already exists\. Use --force")
    assert glove("export-cooc", "c.bin", "--vocab-out", "words").exit_code == 0
    fails(glove("export-cooc", "c.bin", "--vocab-out", "w"), 1, r"c\.bin: already exists\. Use --force")
    fails(
        glove("export-cooc", "w", "--format", "npz", "--vocab-out", "w"), 2, "--vocab-out: w is the matrix's own file"
    )
    before = file_hashes(folder / "glove-run" / "cooc", leave_out=())
    fails(glove("import-cooc", "c.bin"), 1, r"glove-run/cooc: already exists\. Use --force")
    fails(glove("import-cooc", "c.bin", "--force"), 1, r"vocab\.txt: line 1 is not `word count`")
    assert file_hashes(folder / "glove-run" / "cooc", leave_out=()) == before
    assert (folder / "vocab.txt").read_text() == "precious"
    assert glove("import-cooc", "c.bin", "--force", "--vocab", "words").exit_code == 0
    assert sorted(os.listdir(folder)) == ["c.bin", "glove-run", "vocab.txt", "words"]


def test_a_file_that_does_not_fit_its_vocabulary(folder: Path) -> None:
    assert glove("export-cooc", "c.bin").exit_code == 0
    assert glove("export-cooc", "m.npz").exit_code == 0
    (folder / "words").write_bytes(b"the 4\ncat 2\n")
    fails(
        glove("import-cooc", "c.bin", "--vocab", "words", "--run", "b"),
        1,
        r"c\.bin: record \d+ \(row \d, column \d, value [^ ]+\) names a word beyond the 2 of the vocabulary",
    )
    fails(
        glove("import-cooc", "m.npz", "--vocab", "words", "--run", "b"),
        1,
        r"m\.npz: is a matrix of 6 x 6, its vocabulary has 2 words",
    )
    assert list((folder / "b").iterdir()) == []


def test_damaged_files(folder: Path) -> None:
    (folder / "words").write_bytes(b"the 4\ncat 2\n")
    (folder / "c.bin").write_bytes(bytes(17))
    (folder / "m.npz").write_bytes(b"PK\x03\x04 and so on")
    (folder / "m.mtx").write_bytes(b"%%MatrixMarket matrix coordinate pattern general\n1 1 1\n1 1\n")
    scipy.sparse.save_npz("zero.npz", scipy.sparse.coo_array(([0.0], ([0], [1])), shape=(2, 2)))
    for name, message in [
        ("c.bin", "has 17 bytes, which is not a multiple of the 16 of a record"),
        ("m.npz", "is not a sparse matrix of SciPy, or damaged"),
        ("m.mtx", "is 'coordinate pattern general'"),
        ("zero.npz", r"the entry \(row 0, column 1, value 0\) is not a count"),
    ]:
        fails(glove("import-cooc", name, "--vocab", "words", "--run", "b"), 1, f"{re.escape(name)}: {message}")
    assert list((folder / "b").iterdir()) == []


def test_pairs_that_occur_twice_and_mirrors_that_are_missing(folder: Path) -> None:
    write_records(folder / "c.bin", [(1, 2, 1.0), (1, 2, 1.0)])
    fails(glove("import-cooc", "c.bin", "--run", "b"), 1, r"c\.bin: has two values for row 1, column 2: .*--sum-dup")
    fails(
        glove("import-cooc", "c.bin", "--run", "b", "--sum-duplicates", "--symmetric"),
        1,
        r"c\.bin: row 1, column 2 has the value 2\.0, its mirror none\. Leave out --symmetric\.",
    )
    assert list((folder / "b").iterdir()) == []
    assert glove("import-cooc", "c.bin", "--run", "b", "--sum-duplicates").exit_code == 0
    assert np.array_equal(load_cooc("b/cooc").data, [2.0])

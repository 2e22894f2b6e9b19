"""`glove build-cooc`: what it says, and what it does with wrong input."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click.testing
import pytest
from click.testing import CliRunner
from conftest import file_hashes

from glove_cli import vocab as vocab_module
from glove_cli.cli.main import main
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.store import load_cooc

TEXT = b"the cat sat on the mat\nthe dog sat on the cat\n"


def glove(*arguments: str | Path, stdin: bytes | None = None) -> click.testing.Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


def fails(result: click.testing.Result, code: int, message: str) -> None:
    """Check that a command ended with one clear line."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert re.fullmatch(rf"Error: {message}[^\n]*\n", result.stderr), result.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with a small corpus."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    (tmp_path / "corpus.txt").write_bytes(TEXT)
    return tmp_path


def test_a_matrix_is_made_in_the_run_and_described(folder: Path) -> None:
    result = glove("build-cooc", "corpus.txt", "--min-count", "2")
    assert result.exit_code == 0, result.output
    lines = dict(line.split("  ", 1) for line in re.sub(r" {2,}", "  ", result.stdout).splitlines())
    assert lines["tokens"] == "12 (2 of them outside the vocabulary)"
    assert lines["documents"] == "2"
    assert lines["vocabulary"] == "4 of 6 different words"
    assert lines["pairs"] == f"{load_cooc('glove-run/cooc').nnz}"
    assert lines["matrix"] == "glove-run/cooc"
    assert re.fullmatch(r"[\d.]+ s", lines["time"])
    assert re.fullmatch(r"[\d.]+ k?B", lines["size"])


def test_every_option_reaches_the_library(folder: Path) -> None:
    (folder / "second.txt").write_bytes(b"The Cat\n")
    options = {
        "token_pattern": r"\w+",
        "lowercase": True,
        "normalize": "NFC",
        "document": "paragraph",
        "encoding_errors": "replace",
        "min_count": 1,
        "max_vocab": 5,
        "max_doc_share": 0.9,
        "window": 3,
        "context": "left",
        "weighting": "flat",
        "oov": "hold",
        "subsample": 0.5,
        "seed": 7,
        "resample": 9,
    }
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if key != "lowercase"]
    result = glove("build-cooc", "corpus.txt", "second.txt", *flags, "--lowercase", "--threads", "1", "-o", "mine")
    assert result.exit_code == 0, result.output
    build_cooc(["corpus.txt", "second.txt"], "theirs", **options)
    assert file_hashes(folder / "mine", leave_out=()) == file_hashes(folder / "theirs", leave_out=())
    assert load_cooc("mine").meta["options"] == {"tokenizer": "whitespace", **options}


def test_the_defaults_are_the_librarys(folder: Path) -> None:
    (folder / "corpus.txt").write_bytes(TEXT * 5)
    assert glove("build-cooc", "corpus.txt").exit_code == 0
    assert CoocConfig(**load_cooc("glove-run/cooc").meta["options"]) == CoocConfig()


def test_standard_input_is_a_corpus(folder: Path) -> None:
    assert glove("build-cooc", "-", "--min-count", "1", "--run", "a", stdin=TEXT).exit_code == 0
    assert glove("build-cooc", "corpus.txt", "--min-count", "1", "--run", "b").exit_code == 0
    assert file_hashes(folder / "a" / "cooc") == file_hashes(folder / "b" / "cooc")
    assert load_cooc("a/cooc").meta["sources"] == ["standard input"]


def test_the_run_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOVE_RUN", "elsewhere")
    assert glove("build-cooc", "corpus.txt", "--min-count", "1").exit_code == 0
    assert (folder / "elsewhere" / "cooc" / "meta.json").exists()
    assert glove("build-cooc", "corpus.txt", "--min-count", "1", "--run", "here").exit_code == 0
    assert (folder / "here" / "cooc" / "meta.json").exists()


def test_a_given_vocabulary_is_used(folder: Path) -> None:
    (folder / "vocab.txt").write_bytes(b"dog 9\ncat 3\n")
    result = glove("build-cooc", "corpus.txt", "--vocab", "vocab.txt")
    assert result.exit_code == 0, result.output
    assert load_cooc("glove-run/cooc").vocab.words == ["dog", "cat"]


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_a_missing_corpus(folder: Path) -> None:
    fails(glove("build-cooc", "corpus.txt", "nothing.txt"), 1, r"nothing\.txt: can't be read: No such file")
    assert os.listdir(folder) == ["corpus.txt"]


def test_an_unreadable_corpus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions don't bind the superuser, so the system's refusal is played.
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("glove_cli.corpus.sources.open", refuse, raising=False)
    fails(glove("build-cooc", "corpus.txt"), 1, r"corpus\.txt: can't be read: Permission denied")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    fails(glove("build-cooc", "x" * 300), 1, r"x{300}: can't be read: File name too long")
    fails(glove("build-cooc", "a\0b"), 1, r"a\\x00b: can't be read: [^\n]*embedded null")
    assert os.listdir(folder) == ["corpus.txt"]


@pytest.mark.parametrize("data", [b"", b" \n\t\n"])
def test_an_empty_corpus(folder: Path, data: bytes) -> None:
    (folder / "corpus.txt").write_bytes(data)
    fails(glove("build-cooc", "corpus.txt"), 1, r"corpus\.txt: is empty")
    fails(glove("build-cooc", "-", stdin=data), 1, "standard input: is empty")
    assert list((folder / "glove-run").glob("*")) == []


def test_a_folder_as_corpus(folder: Path) -> None:
    (folder / "texts").mkdir()
    fails(glove("build-cooc", "texts"), 1, "texts: is a folder without files")
    (folder / "texts" / "a").mkdir()
    (folder / "texts" / "a" / "1.txt").write_bytes(TEXT)
    (folder / "texts" / "2.txt").write_bytes(b"one more\n")
    assert glove("build-cooc", "texts", "--min-count", "1").exit_code == 0
    assert load_cooc("glove-run/cooc").meta["sources"] == ["texts/2.txt", "texts/a/1.txt"]


def test_a_run_within_the_corpus_is_no_part_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert glove("build-cooc", ".", "--min-count", "1").exit_code == 0
    before = file_hashes(folder / "glove-run" / "cooc", leave_out=())
    assert glove("build-cooc", ".", "--min-count", "1", "--force").exit_code == 0
    assert file_hashes(folder / "glove-run" / "cooc", leave_out=()) == before


def test_a_corpus_in_which_no_word_reaches_min_count(folder: Path) -> None:
    fails(
        glove("build-cooc", "corpus.txt"), 1, r"corpus\.txt: no word occurs 5 times, .* 4 times\. Lower --min-count\."
    )
    assert list((folder / "glove-run").glob("*")) == []


@pytest.mark.parametrize("option", ["min-count", "max-vocab", "window", "threads"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_options_that_are_not_positive(folder: Path, option: str, value: str) -> None:
    fails(glove("build-cooc", "corpus.txt", f"--{option}", value), 2, rf"--{option}: {value} is not a positive integer")
    assert os.listdir(folder) == ["corpus.txt"]


@pytest.mark.parametrize("option", ["min-count", "max-vocab", "window", "threads"])
@pytest.mark.parametrize("value", ["many", "1.5", "nan", ""])
def test_options_that_are_not_numbers(folder: Path, option: str, value: str) -> None:
    fails(glove("build-cooc", "corpus.txt", f"--{option}", value), 2, rf"--{option}: '{value}' is not a valid integer")
    assert os.listdir(folder) == ["corpus.txt"]


def test_an_output_that_exists(folder: Path) -> None:
    assert glove("build-cooc", "corpus.txt", "--min-count", "1").exit_code == 0
    before = file_hashes(folder / "glove-run" / "cooc", leave_out=())
    fails(glove("build-cooc", "corpus.txt", "--min-count", "2"), 1, r"glove-run/cooc: already exists\. Use --force")
    fails(glove("build-cooc", "nothing", "--force"), 1, "nothing: can't be read")
    fails(glove("build-cooc", "corpus.txt", "--force", "--min-count", "99"), 1, r"corpus\.txt: no word occurs 99 times")
    assert file_hashes(folder / "glove-run" / "cooc", leave_out=()) == before
    assert glove("build-cooc", "corpus.txt", "--min-count", "2", "--force").exit_code == 0
    assert load_cooc("glove-run/cooc").V == 4
    assert os.listdir(folder / "glove-run") == ["cooc"]


def test_an_output_folder_that_cannot_be_written(folder: Path) -> None:
    fails(
        glove("build-cooc", "-", "--run", "corpus.txt/run", stdin=TEXT), 1, r"corpus\.txt/run/cooc: .*is not a folder"
    )
    if Path("/proc/self").exists():
        fails(glove("build-cooc", "corpus.txt", "-o", "/proc/x"), 1, "/proc/x: ")
    (folder / "precious").mkdir()
    (folder / "precious" / "data").write_text("years of work")
    fails(glove("build-cooc", "corpus.txt", "-o", "precious", "--force"), 1, "precious: is not a result of glove")
    assert (folder / "precious" / "data").read_text() == "years of work"
    assert sorted(os.listdir(folder)) == ["corpus.txt", "precious"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"the 3\ncat 2\nthe 1\n", "line 3 repeats the word of line 1"),
        (b"the 3\ncat\n", "line 2 is not `word count`: 'cat'"),
        (b"the three\n", "line 1 is not `word count`"),
        (b"the " + b"9" * 5000, "line 1 is not `word count`"),
        (b"the 9223372036854775808\n", "line 1 is not `word count`"),
        (b"", "is empty"),
    ],
)
def test_a_vocabulary_with_duplicates_or_without_counts(folder: Path, data: bytes, message: str) -> None:
    (folder / "vocab.txt").write_bytes(data)
    fails(glove("build-cooc", "corpus.txt", "--vocab", "vocab.txt"), 1, rf"vocab\.txt: {message}")
    fails(glove("build-cooc", "corpus.txt", "--vocab", "nothing"), 1, "nothing: can't be read: No such file")
    assert sorted(os.listdir(folder)) == ["corpus.txt", "vocab.txt"]


def test_more_words_than_ids(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocab_module, "MAX_WORDS", 3)
    fails(glove("build-cooc", "corpus.txt", "--min-count", "1"), 2, "vocabulary: 6 words, at most 3 are possible")
    (folder / "vocab.txt").write_bytes(b"the 3\ncat 2\nsat 2\ndog 1\n")
    fails(glove("build-cooc", "corpus.txt", "--vocab", "vocab.txt"), 2, r"vocab\.txt: 4 words, at most 3 are possible")
    assert list((folder / "glove-run").glob("*")) == []


def test_a_vocabulary_beside_options_that_cut_it(folder: Path) -> None:
    (folder / "vocab.txt").write_bytes(b"the 3\n")
    fails(glove("build-cooc", "corpus.txt", "--vocab", "vocab.txt", "--max-vocab", "1"), 2, "--vocab: ")


def test_too_little_memory_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("glove_cli.cooc.build.build_cooc", fail)
    fails(glove("build-cooc", "corpus.txt"), 1, "memory: there is not enough")


def test_too_many_threads_for_the_system_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", fail)
    fails(glove("build-cooc", "corpus.txt"), 1, "--threads: the system lets no further thread begin")
    assert list((folder / "glove-run").glob("*")) == []


def test_a_bug_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("glove_cli.cooc.build.build_cooc", fail)
    assert isinstance(glove("build-cooc", "corpus.txt").exception, ZeroDivisionError)

"""What stands on the disk and isn't ours to replace stays, whenever it came and whatever --force says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conftest import change_meta, file_hashes, zipf_text
from test_cli_build_cooc import glove
from test_vectors_export import make_model

from glove_cli import build_cooc, export_vectors, files, load_cooc, train
from glove_cli.errors import FormatError, OutputError
from glove_cli.files import check_apart, output_file, output_folder
from glove_cli.vocab import Vocab


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_bytes(zipf_text(3000, 50, 1))
    return tmp_path / "text.txt"


@pytest.fixture(params=[True, False], ids=["one step", "several"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename in one step, as Linux can, or as others do."""
    if not request.param:
        monkeypatch.setattr(files, "_renameat2", lambda a, b, flag: False)


def test_a_file_that_came_meanwhile_stays(tmp_path: Path, renaming: None) -> None:
    path = tmp_path / "out.txt"

    def make() -> None:
        with output_file(path) as file:
            file.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(OutputError, match="was made by another while this was made"):
        make()
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == {"out.txt": b"theirs"}


def make_while_another_makes(path: Path, *, force: bool) -> None:
    with output_folder(path, force=force) as folder:
        (folder / "data").write_bytes(b"ours")
        path.mkdir()
        (path / "thesis.txt").write_bytes(b"theirs")


def test_a_folder_that_came_meanwhile_stays(tmp_path: Path, renaming: None) -> None:
    path = tmp_path / "out"
    with pytest.raises(OutputError, match="was made by another while this was made"):
        make_while_another_makes(path, force=False)
    assert [name.name for name in tmp_path.iterdir()] == ["out"]
    assert (path / "thesis.txt").read_bytes() == b"theirs"


def test_force_replaces_no_foreign_folder_that_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(OutputError, match="not a result of glove"):
        make_while_another_makes(path, force=True)
    assert [name.name for name in tmp_path.iterdir()] == ["out"]
    assert (path / "thesis.txt").read_bytes() == b"theirs"


def test_a_foreign_folder_of_the_name_of_the_work_stays(corpus: Path, tmp_path: Path) -> None:
    work = tmp_path / ".out.work"
    work.mkdir()
    (work / "thesis.txt").write_text("theirs")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "lock").write_text("theirs")
    os.symlink(tmp_path / "linked", tmp_path / ".other.work")
    for name in ("out", "other"):
        for force in (False, True):
            with pytest.raises(OutputError, match="stands where temporary files would, and is something else"):
                build_cooc(corpus, tmp_path / name, force=force)
    assert (work / "thesis.txt").read_text() == (tmp_path / "linked" / "lock").read_text() == "theirs"


def test_force_replaces_no_result_with_more_in_it(corpus: Path, tmp_path: Path) -> None:
    build_cooc(corpus, tmp_path / "out")
    (tmp_path / "out" / ".DS_Store").write_text("a file manager's")
    build_cooc(corpus, tmp_path / "out", force=True)
    (tmp_path / "out" / "notes").mkdir()
    with pytest.raises(OutputError, match="out: holds 'notes', which is no part of the result"):
        build_cooc(corpus, tmp_path / "out", force=True)
    assert (tmp_path / "out" / "notes").is_dir()


def test_force_replaces_no_result_of_another_kind(corpus: Path, tmp_path: Path) -> None:
    cooc = build_cooc(corpus, tmp_path / "run" / "cooc")
    make_model().save(tmp_path / "run" / "model")
    before = file_hashes(tmp_path / "run" / "model")
    with pytest.raises(OutputError, match="model: is a glove-model, not a glove-cooc, so --force won't replace it"):
        build_cooc(corpus, tmp_path / "run" / "model", force=True)
    with pytest.raises(OutputError, match=r"cooc: is a glove-cooc, not a glove-model|is .*cooc, which is read"):
        train(cooc, out=tmp_path / "run" / "cooc", dim=3, epochs=1, force=True)
    assert file_hashes(tmp_path / "run" / "model") == before
    load_cooc(tmp_path / "run" / "cooc").verify()


def test_no_input_is_replaced(corpus: Path, tmp_path: Path) -> None:
    text = corpus.read_bytes()
    done = glove("vocab", "text.txt", "-o", "text.txt", "--force")
    assert (done.exit_code, corpus.read_bytes()) == (1, text)
    assert "text.txt: is text.txt, which is read, or in it. Choose another name." in done.stderr
    make_model().save("run/model")
    before = file_hashes(tmp_path / "run" / "model")
    for model, out in (("run/model", "run/model/W.npy"), ("run", "run/model/new.txt"), ("run/model", "run/model")):
        with pytest.raises(OutputError, match=r"which is read, or in it|is a folder"):
            export_vectors(model, out, force=True)
    assert file_hashes(tmp_path / "run" / "model") == before
    export_vectors("run", "run/vectors.txt")
    shutil.copytree(tmp_path / "run", tmp_path / "deep" / "run")
    with pytest.raises(OutputError, match=r"deep: holds .*run, which is read"):
        check_apart("deep", ["deep/run"])
    check_apart("deeper", ["deep", "text.txt"])


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfb 10\na 5\n", b"b 10\r\na 5\r\n"])
def test_the_first_word_of_a_vocabulary_is_not_lost(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "v").write_bytes(text)
    assert Vocab.load(tmp_path / "v").words == ["b", "a"]


@pytest.mark.parametrize("line", [b"a  5\n", b"a 5 5\n", b"\ta 5\n", b"a\t5\n"])
def test_a_word_of_a_vocabulary_has_no_blanks(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "v").write_bytes(b"b 10\n" + line)
    with pytest.raises(FormatError, match="line 2 is not `word count`"):
        Vocab.load(tmp_path / "v")


def test_json_that_is_nested_too_deep_is_damaged(corpus: Path, tmp_path: Path) -> None:
    build_cooc(corpus, tmp_path / "out")
    change_meta(tmp_path / "out", lambda meta: None)
    (tmp_path / "out" / "meta.json").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(FormatError, match="out"):
        load_cooc(tmp_path / "out")
    with pytest.raises(OutputError, match="is not a result of glove"):
        build_cooc(corpus, tmp_path / "out", force=True)


WRONG_META = [
    ("cooc", {"shard": {"a": 1}}), ("cooc", {"shard": [1, "x"]}), ("cooc", {"options": True}),
    ("cooc", {"sources": "x"}), ("cooc", {"vocabulary": []}), ("cooc", {"version": True}),
    ("model", {"cooc": "x"}), ("model", {"history": "x"}), ("model", {"history": [{"cost": "x"}]}),
    ("model", {"history": [3]}), ("model", {"seconds": float("nan")}), ("model", {"init": True}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change"), WRONG_META)
def test_a_description_of_a_wrong_kind_is_damaged(corpus: Path, tmp_path: Path, kind: str, change: dict) -> None:
    build_cooc(corpus, "run/cooc")
    make_model().save("run/model")
    assert glove("info", "run").exit_code == 0
    change_meta(tmp_path / "run" / kind, lambda meta: meta.update(change))
    done = glove("info", f"run/{kind}")
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert done.stderr.startswith("Error: run/")
    assert next(iter(change)) in done.stderr

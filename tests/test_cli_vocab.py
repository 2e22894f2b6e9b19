"""`glove vocab`, `glove merge-vocab`, `glove merge-cooc`, and the options that they share with `glove build-cooc`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import file_hashes
from test_cli_build_cooc import fails, folder, glove

from glove_cli.cooc.store import load_cooc
from glove_cli.errors import OptionError
from glove_cli.vocab import Vocab, merge_vocabs

__all__ = ["folder"]
TEXT = b"the cat sat on the mat\nthe dog sat on the cat\n"


def test_vocab_writes_the_words_of_a_matrix(folder: Path) -> None:
    result = glove("vocab", "corpus.txt", "--min-count", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout == "vocab.txt: 4 of 6 different words, 83.3% of 12 tokens\n"
    assert (folder / "vocab.txt").read_bytes() == b"the 4\ncat 2\non 2\nsat 2\n"
    glove("build-cooc", "corpus.txt", "--min-count", "2")
    assert (folder / "glove-run/cooc/vocab.txt").read_bytes() == (folder / "vocab.txt").read_bytes()
    assert sorted(os.listdir(folder)) == ["corpus.txt", "glove-run", "vocab.txt"]


def test_vocab_can_go_to_standard_output(folder: Path) -> None:
    result = glove("vocab", "corpus.txt", "--min-count", "2", "--max-vocab", "2", "-o", "-")
    assert result.stdout == "the 4\ncat 2\n"
    assert "2 of 6 different words" in result.stderr
    assert os.listdir(folder) == ["corpus.txt"]


def test_every_option_cuts_the_vocabulary(folder: Path) -> None:
    (folder / "few.txt").write_text("cat\ndog\nzebra\n\n")
    for options, words in [
        (["--max-doc-share", "0.5"], ["dog", "mat"]),
        (["--stop-words", "few.txt"], ["the", "on", "sat", "mat"]),
        (["--words", "few.txt"], ["cat", "dog"]),
        (["--words", "few.txt", "--max-doc-share", "0.9"], ["dog"]),
    ]:
        result = glove("vocab", "corpus.txt", "--min-count", "1", *options, "--force")
        assert result.exit_code == 0, result.output
        assert Vocab.load("vocab.txt").words == words
        (folder / "pairs.txt").write_bytes(TEXT * 2 + b"dog mat dog\n")  # some words of each list stand together
        assert glove("build-cooc", "corpus.txt", "pairs.txt", "--vocab", "vocab.txt", "--force").exit_code == 0
        assert load_cooc("glove-run/cooc").vocab.words == words
        made = glove("build-cooc", "corpus.txt", "--min-count", "1", *options, "-o", "direct", "--force")
        assert made.exit_code == (0 if "cat" in words or "the" in words else 1)
        if made.exit_code == 0:
            assert load_cooc("direct").vocab.words == words


def test_a_word_list_that_is_none(folder: Path) -> None:
    (folder / "empty").write_text("\n \n")
    (folder / "counts").write_text("the 4\n")
    fails(glove("vocab", "corpus.txt", "--words", "empty"), 2, "--words: lists no word")
    fails(glove("vocab", "corpus.txt", "--stop-words", "counts"), 1, "counts: line 1 is not one word: 'the 4'")
    fails(glove("vocab", "corpus.txt", "--words", "nothing"), 1, "nothing: can't be read: No such file")
    (folder / "none").write_text("zebra\n")
    fails(glove("vocab", "corpus.txt", "--min-count", "1", "--words", "none"), 1, r"corpus\.txt: no word is left")
    assert not (folder / "vocab.txt").exists()


def test_a_vocabulary_that_exists_is_kept(folder: Path) -> None:
    (folder / "vocab.txt").write_text("mine")
    fails(glove("vocab", "nothing.txt"), 1, r"vocab\.txt: already exists")
    fails(glove("merge-vocab", "vocab.txt", "-o", "vocab.txt"), 1, r"vocab\.txt: already exists")
    assert (folder / "vocab.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--max-doc-share", "0", "is not a share"),
        ("--max-doc-share", "1.5", "is not a share"),
        ("--max-doc-share", "nan", "is not a finite number"),
        ("--token-pattern", "(", "is no regular expression"),
        ("--token-pattern", "(a)(b)", "has 2 groups"),
        ("--tokenizer", "letters", "is not one of"),
        ("--normalize", "NFD", "is not one of"),
        ("--document", "page", "is not one of"),
        ("--encoding-errors", "ignore", "is not one of"),
    ],
)
def test_options_of_reading_that_cannot_work(folder: Path, option: str, value: str, message: str) -> None:
    for command in ("vocab", "build-cooc"):
        fails(glove(command, "corpus.txt", option, value), 2, rf"{option}: .*{message}")
    assert os.listdir(folder) == ["corpus.txt"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--weighting", "cubic", "is neither one of harmonic, linear, flat nor a list of numbers"),
        ("--weighting", "1,0,2", "0 can't be a weight"),
        ("--weighting", "1,-1", "-1 can't be a weight"),
        ("--weighting", "1,inf", "inf can't be a weight"),
        ("--window", "10001", "is too wide"),
        ("--subsample", "2", "is not a share"),
        ("--subsample", "-1", "is not a share"),
        ("--oov", "keep", "is not one of"),
        ("--seed", "-1", "is not an integer from 0"),
        ("--shard", "3/2", "is not a part of a whole"),
        ("--memory", "lots", "is not a size"),
    ],
)
def test_options_of_counting_that_cannot_work(folder: Path, option: str, value: str, message: str) -> None:
    fails(glove("build-cooc", "corpus.txt", option, value), 2, rf"{option}: .*{message}")
    assert os.listdir(folder) == ["corpus.txt"]


def test_a_window_beside_a_list_of_weights(folder: Path) -> None:
    (folder / "corpus.txt").write_bytes(TEXT * 5)
    assert glove("build-cooc", "corpus.txt", "--weighting", "1,0.5,0.25").exit_code == 0
    assert load_cooc("glove-run/cooc").meta["options"]["window"] == 3
    fails(
        glove("build-cooc", "corpus.txt", "--weighting", "1,0.5", "--window", "3", "--force"),
        2,
        "--window: 3 stands beside 2 weights",
    )


def test_vocabularies_are_added_up(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"the 4\ncat 2\n")
    (folder / "b.txt").write_bytes(b"dog 3\nthe 1\ncat 1\n")
    result = glove("merge-vocab", "a.txt", "b.txt", "-o", "c.txt")
    assert (result.exit_code, result.stdout) == (0, "c.txt: 3 words, 11 tokens\n")
    assert (folder / "c.txt").read_bytes() == b"the 5\ncat 3\ndog 3\n"
    result = glove("merge-vocab", "a.txt", "b.txt", "--min-count", "3", "--max-vocab", "2", "-o", "-")
    assert result.stdout == "the 5\ncat 3\n"
    fails(glove("merge-vocab", "a.txt", "--min-count", "9", "-o", "d.txt"), 2, "--min-count: no word occurs 9 times")
    fails(glove("merge-vocab", "a.txt", "--max-vocab", "0", "-o", "d.txt"), 2, "--max-vocab: 0 is not a positive")
    fails(glove("merge-vocab", "a.txt", "b.txt", "a.txt", "-o", "d.txt"), 2, r"a\.txt: is named twice")
    (folder / "many.txt").write_bytes(b"the 9223372036854775807\n")
    with pytest.raises(OptionError, match="beyond"):
        merge_vocabs([Vocab.load("many.txt"), Vocab.load("a.txt")])


def test_shards_are_merged_to_the_whole(folder: Path) -> None:
    (folder / "corpus.txt").write_bytes(TEXT * 50)
    for i in (1, 2, 3):
        assert glove("build-cooc", "corpus.txt", "--shard", f"{i}/3", "-o", f"part{i}").exit_code == 0
    result = glove("merge-cooc", "part3", "part1", "part2")
    assert result.exit_code == 0, result.output
    assert "matrices    3" in result.stdout
    assert glove("build-cooc", "corpus.txt", "-o", "whole").exit_code == 0
    assert file_hashes(folder / "glove-run/cooc", leave_out=()) == file_hashes(folder / "whole", leave_out=())


def test_shards_are_told_from_the_whole(folder: Path) -> None:
    for shard in ("1/3", "3/3"):
        assert glove("build-cooc", "corpus.txt", "--min-count", "1", "--shard", shard, "-o", shard[0]).exit_code == 0
    assert "shard            3 of 3" in glove("info", "3").stdout
    assert "shards      only 1, 3 of 3" in glove("merge-cooc", "1", "3", "-o", "both").stdout


def test_bytes_that_are_not_utf8_are_counted_in_the_report(folder: Path) -> None:
    (folder / "corpus.txt").write_bytes(b"good \xff\xfe good b\xe9 \xff\xfe\n")
    for way, said, V in [
        ("keep", "kept as they are", 3),
        ("replace", "replaced by U+FFFD", 3),
        ("skip-token", "left out", 1),
    ]:
        result = glove("build-cooc", "corpus.txt", "--min-count", "1", "--encoding-errors", way, "--force")
        assert result.exit_code == 0, result.output
        assert f"3 tokens were not UTF-8, {said}" in result.stdout
        assert load_cooc("glove-run/cooc").V == V
        assert (
            f"3 tokens were not UTF-8, {said}"
            in glove("vocab", "corpus.txt", "--min-count", "1", "--encoding-errors", way, "--force").stdout
        )
    fails(
        glove("build-cooc", "corpus.txt", "--encoding-errors", "strict", "--force"),
        1,
        r"corpus\.txt: is not UTF-8 at byte 5",
    )


def test_special_tokens_do_not_collide_with_words(folder: Path) -> None:
    (folder / "corpus.txt").write_bytes(b"<unk> the <unk> cat the\n" * 9)
    assert glove("build-cooc", "corpus.txt").exit_code == 0
    assert load_cooc("glove-run/cooc").vocab.words == ["<unk>", "the", "cat"]

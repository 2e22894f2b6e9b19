"""How commands read files of vectors: bad lines, bad bytes, packed files and members of archives."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from test_cli_build_cooc import fails, glove

from glove_cli.vectors.load import load_vectors

GOOD = b"a 1 2.5\nb 3 4\nc 5 6\n"
BAD = b"a 1 2.5\nb 3\nc nan 6\na 7 8\nd 1 1\nb\xff 3 4\n"


@pytest.fixture(autouse=True)
def _in_a_folder(in_a_folder: None) -> None:
    Path("good.txt").write_bytes(GOOD)
    Path("bad.txt").write_bytes(BAD)


def test_bad_lines_refuse_a_file_or_are_left_out_and_counted() -> None:
    fails(glove("nearest", "a", "--model", "bad.txt"), 1, r"bad\.txt: line 2 has 1 numbers, 2 were expected: 'b 3'\.")
    result = glove("nearest", "a", "--model", "bad.txt", "--skip-bad-lines", "--tsv", "-n", "1")
    assert (result.exit_code, result.stdout.split("\t")[:2]) == (0, ["a", "1"])
    notes = result.stderr.splitlines()
    assert len(notes) == 3
    assert all(note.startswith("Note: bad.txt: left out 1 line") for note in notes)
    assert glove("export", "mended.kv", "--model", "bad.txt", "--skip-bad-lines").exit_code == 0
    assert list(load_vectors("mended.kv").words) == ["a", "d", "b\udcff"]


def test_bytes_that_are_not_utf8_follow_the_option() -> None:
    options = ["--model", "bad.txt", "--skip-bad-lines"]
    assert glove("export", "kept.txt", *options).exit_code == 0
    assert b"b\xff " in Path("kept.txt").read_bytes()
    assert glove("export", "replaced.txt", *options, "--encoding-errors", "replace").exit_code == 0
    assert "b\ufffd " in Path("replaced.txt").read_text("utf-8")
    assert glove("export", "strict.txt", *options, "--encoding-errors", "strict").exit_code == 0
    assert b"\nb" not in Path("strict.txt").read_bytes()


def test_packed_files_and_members_of_archives_are_read_by_every_command() -> None:
    Path("good.txt.gz").write_bytes(gzip.compress(GOOD))
    with zipfile.ZipFile("two.zip", "w") as archive:
        archive.write("good.txt")
        archive.write("bad.txt")
    expected = glove("nearest", "a", "--model", "good.txt").stdout
    assert glove("nearest", "a", "--model", "good.txt.gz").stdout == expected
    assert glove("nearest", "a", "--model", "two.zip/good.txt").stdout == expected
    fails(glove("nearest", "a", "--model", "two.zip"), 1, r"two\.zip: holds good\.txt, bad\.txt\. Name one of them")
    assert glove("export", "back.txt", "--model", "two.zip/good.txt").exit_code == 0
    assert load_vectors("back.txt").matrix.tolist() == load_vectors("good.txt").matrix.tolist()
    told = json.loads(glove("info", "good.txt.gz", "--json").stdout)
    assert (told["format"], told["packing"], told["V"], told["dim"]) == ("glove", "gzip", 3, 2)

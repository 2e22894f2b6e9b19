"""Packed files of vectors: told by their content, read whole or refused, of every format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from glove_cli.errors import FormatError, OptionError
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.formats import FORMATS
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors, read_vectors
from glove_cli.vectors.npy import words_path

WORDS = ["the", "caf\u00e9", "\udcff"]
MATRIX = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
FORMAT_NAMES = ["glove", "word2vec", "word2vec-binary"]


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/vectors", data)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "zip": zipped,
}


def written(tmp_path: Path, name: str) -> bytes:
    path = tmp_path / "plain"
    FORMATS[name].write(path, WORDS, MATRIX, force=True)
    return path.read_bytes()


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_packed_files_are_read_as_plain_ones(tmp_path: Path, packing: str, name: str) -> None:
    data = written(tmp_path, name)
    path = tmp_path / "misleading.npy"
    path.write_bytes(PACKERS[packing](data))
    found, report = read_vectors(path)
    plain = load_vectors(tmp_path / "plain")
    assert found.words == plain.words == WORDS
    assert found.matrix.tobytes() == plain.matrix.tobytes()
    assert (report.format, report.packing) == (name, packing)
    assert load_vectors(path, format=name).matrix.tobytes() == plain.matrix.tobytes()


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_what_is_cut_short_is_never_fewer_rows(tmp_path: Path, packing: str, name: str) -> None:
    packed = PACKERS[packing](written(tmp_path, name))
    path = tmp_path / "v.txt"
    for size in (len(packed) - 1, len(packed) // 2, 12):
        path.write_bytes(packed[:size])
        with pytest.raises(FormatError, match=r"v\.txt: "):
            load_vectors(path)


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    for packing in ("gzip", "zip"):
        packed = bytearray(PACKERS[packing](written(tmp_path, "glove")))
        packed[len(packed) // 2] ^= 64
        (tmp_path / "v").write_bytes(packed)
        with pytest.raises(FormatError, match=r"v.*(damaged|can't be read|twice)"):
            load_vectors(tmp_path / "v")


def test_members_of_gzip_follow_each_other(tmp_path: Path) -> None:
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"a 1 2\nb 3 ") + gzip.compress(b"4\nc 5 6\n"))
    assert load_vectors(tmp_path / "v.gz").matrix.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_errors_within_a_packed_file_name_it_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"a 1 2\nb 3\nc 5 6\n"))
    with pytest.raises(FormatError, match=r"v\.gz: line 2 has 1 numbers, 2 were expected"):
        load_vectors(tmp_path / "v.gz")
    (tmp_path / "v.bin.gz").write_bytes(gzip.compress(b"2 1\naaaaa \0\0\0\0\nb \0"))
    with pytest.raises(FormatError, match=r"v\.bin\.gz: ends within word 2 of 2"):
        load_vectors(tmp_path / "v.bin.gz")


@pytest.mark.parametrize("packing", ["gzip", "xz"])
def test_an_array_brings_its_words_from_beside_the_packed_file(tmp_path: Path, packing: str) -> None:
    FORMATS["npy"].write(tmp_path / "v.npy", WORDS, MATRIX)
    (tmp_path / "v.npy.gz").write_bytes(PACKERS[packing]((tmp_path / "v.npy").read_bytes()))
    (tmp_path / "v.npy").unlink()
    found = load_vectors(tmp_path / "v.npy.gz")
    assert found.words == WORDS
    assert found.matrix.tobytes() == MATRIX.tobytes()
    words_path(tmp_path / "v.npy").unlink()
    with pytest.raises(FormatError, match=r"v\.words\.txt: can't be read"):
        load_vectors(tmp_path / "v.npy.gz")


def test_an_archive_holds_an_array_and_its_words(tmp_path: Path) -> None:
    FORMATS["npy"].write(tmp_path / "v.npy", WORDS, MATRIX)
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as archive:
        for name in ("v.npy", "v.words.txt"):
            archive.write(tmp_path / name, name)
    assert load_vectors(tmp_path / "v.zip").words == WORDS


def archive_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def test_the_member_that_can_be_meant_is_read(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "v.zip", README__txt=b"see", LICENSE=b"", v__txt=b"a 1\n", __MACOSX=b"")
    assert load_vectors(path).words == ["a"]


def test_several_members_are_listed_and_one_can_be_named(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "v.zip", a__50d__txt=b"a 1\n", a__100d__txt=b"a 1 2\n")
    with pytest.raises(FormatError, match=r"v\.zip: holds a\.50d\.txt, a\.100d\.txt\. Name one of them, as .*/a\.50"):
        load_vectors(path)
    assert load_vectors(path / "a.100d.txt").dim == 2
    with pytest.raises(FormatError, match=r"v\.zip/b\.txt: is not in the archive, which holds a\.50d\.txt"):
        load_vectors(path / "b.txt")
    (tmp_path / "plain").write_bytes(b"a 1\n")
    with pytest.raises(FormatError, match=r"plain/b\.txt: does not exist"):
        load_vectors(tmp_path / "plain" / "b.txt")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(b"")[:0] + b"PK\x05\x06" + bytes(18), "is an empty ZIP archive"),
        (gzip.compress(gzip.compress(b"a 1\n")), "is compressed twice"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(b"a 1\n") + b"more", "other bytes follow its gzip data"),
        (gzip.compress(b"7z\xbc\xaf\x27\x1c"), "is a 7z archive, within gzip"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(9), "is a 7z archive"),
        ("a 1 2\n".encode("utf-16"), r"is no plain text \(UTF-16\)"),
    ],
    ids=["empty zip", "twice", "empty gzip", "more", "7z in gzip", "7z", "UTF-16"],
)
def test_what_holds_no_vectors_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "v").write_bytes(data)
    with pytest.raises(FormatError, match=message) as raised:
        load_vectors(tmp_path / "v")
    assert "text file" not in str(raised.value)


def test_no_room_to_unpack_is_an_error_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "v.gz").write_bytes(gzip.compress(written(tmp_path, "word2vec-binary")))
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path / "missing"))
    with pytest.raises(FormatError, match=r"v\.gz: can't be unpacked.*TMPDIR"):
        load_vectors(tmp_path / "v.gz")


def test_an_archive_whose_members_begin_before_it_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(b"a 1 2\n"))
    at = data.rfind(b"PK\x05\x06") + 16  # where its list of members begins
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") + 1000).to_bytes(4, "little")
    (tmp_path / "v.zip").write_bytes(data)
    with pytest.raises(FormatError, match=r"v\.zip: its zip data are cut short, damaged or locked"):
        load_vectors(tmp_path / "v.zip")


@pytest.mark.parametrize(
    ("suffix", "unpack"), [(".gz", gzip.decompress), (".bz2", bz2.decompress), (".XZ", lzma.decompress)]
)
@pytest.mark.parametrize("name", ["v.txt", "v", "v.vec", "v.bin"])
def test_vectors_are_written_packed_as_the_name_says(
    tmp_path: Path, suffix: str, unpack: Callable[[bytes], bytes], name: str
) -> None:
    vectors = WordVectors(WORDS, MATRIX)
    export_vectors(vectors, tmp_path / name)
    for again in (False, True):
        export_vectors(vectors, tmp_path / (name + suffix), force=again)
        packed = (tmp_path / (name + suffix)).read_bytes()
        assert unpack(packed) == (tmp_path / name).read_bytes()
    export_vectors(vectors, tmp_path / ("other-" + name + suffix))
    assert (tmp_path / ("other-" + name + suffix)).read_bytes() == packed


@pytest.mark.parametrize("name", ["v.npy.gz", "v.kv.bz2", "v.safetensors.xz", "v.parquet.gz", "v.npy.zip"])
def test_what_is_not_written_packed_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"isn't written packed\. Leave out \.(gz|bz2|xz|zip)\.$"):
        export_vectors(WordVectors(WORDS, MATRIX), tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["v.txt.zst", "v.zip", "v.bin.zip"])
def test_ways_to_pack_that_are_only_read_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"can't be packed so\. Choose \.gz, \.bz2, \.xz, or write to -"):
        export_vectors(WordVectors(WORDS, MATRIX), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_packed_file_that_could_not_be_written_is_not_there(tmp_path: Path) -> None:
    matrix = MATRIX.copy()
    matrix[2, 1] = np.nan
    with pytest.raises(FormatError, match="isn't finite"):
        export_vectors(WordVectors(WORDS, matrix), tmp_path / "v.txt.gz")
    assert os.listdir(tmp_path) == []

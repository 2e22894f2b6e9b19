"""Outputs appear complete or not at all; result folders and models come back as they were saved."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import change_meta, describe_again, file_hashes

from glove_cli import files, temporary
from glove_cli.errors import FormatError, OutputError
from glove_cli.files import check_output, output_file, output_folder, scratch_folder
from glove_cli.folder import FolderWriter, ResultFolder, npy_header
from glove_cli.model import GloveModel
from glove_cli.vocab import Vocab

ARRAYS = ("W", "C", "b_w", "b_c", "gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")


def make_model(V: int = 3, d: int = 2, seed: int = 0, dtype: str = "float32") -> GloveModel:
    rng = np.random.default_rng(seed)
    shapes = {name: (V, d) if name[-1] in "WC" else (V,) for name in ARRAYS}
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    vocab = Vocab([f"w{i}" for i in range(V)], np.arange(V, 0, -1))
    return GloveModel(vocab, **arrays, meta={"options": {"dim": d}, "history": [{"epoch": 1, "cost": 0.5}]})


def only(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# --- single files ---------------------------------------------------------------------------------------------------


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "out.txt"
    with output_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert only(path.parent) == ["out.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_file_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes(b"before")

    def interrupted() -> None:
        with output_file(path, force=True) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == b"before"
    assert only(tmp_path) == ["out.txt"]


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes(b"before")
    with pytest.raises(OutputError, match="already exists"), output_file(path):
        pass
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="already exists"):
        check_output(dangling)


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"), output_file(tmp_path, force=True):
        pass


def test_a_pipe_is_written_straight_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with output_file(pipe) as file:
        file.write(b"through")
    reader.join(10)
    assert got == [b"through"]
    assert only(tmp_path) == ["pipe"]


def test_a_device_is_written_straight_through() -> None:
    with output_file(os.devnull) as file:
        file.write(b"gone")
    assert not Path(os.devnull).is_file()


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="the system has no names for open files")
def test_the_name_of_an_open_file_is_written_straight_through(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes(b"before\n")
    with path.open("ab") as opened, output_file(f"/dev/fd/{opened.fileno()}") as file:
        file.write(b"whole\n")
    assert path.read_bytes() == b"before\nwhole\n"
    assert only(tmp_path) == ["out.txt"]


def test_a_socket_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(OutputError, match="socket: can't be written: "), output_file("socket"):
            pass


def test_a_file_in_the_way_of_the_parent_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"file is not a folder"):
        check_output(tmp_path / "file" / "out.txt")


def test_the_longest_names_are_written(tmp_path: Path) -> None:
    with output_file(tmp_path / ("é" * 127)) as file:
        file.write(b"whole")
    make_model().save(tmp_path / ("x" * 255))
    assert only(tmp_path) == ["x" * 255, "é" * 127]


def test_a_name_that_cannot_be_is_named(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(OutputError, match="x: can't be written: File name too long"), output_file(path):
        pass
    with pytest.raises(OutputError, match="x: can't be written: File name too long"), output_folder(path):
        pass
    with pytest.raises(FormatError, match="x: can't be read: File name too long"):
        GloveModel.load(path)


def test_a_folder_that_cannot_be_written_is_refused_beforehand(as_ordinary_user: Path) -> None:
    locked = as_ordinary_user / "locked"
    locked.mkdir(mode=0o555)
    with pytest.raises(OutputError, match="can't be written"):
        check_output(locked / "new" / "out.txt")


def test_a_full_disk_names_the_output_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with (
        pytest.raises(OutputError, match=r"out\.txt: can't be written: No space left"),
        output_file(tmp_path / "out.txt") as file,
    ):
        file.write(b"data")
    with pytest.raises(OutputError, match=r"result: can't be written: No space left"):
        make_model().save(tmp_path / "result")
    assert only(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk")
@pytest.mark.parametrize("size", [4, 10_000_000])
def test_a_full_device_is_an_error_that_names_it(size: int) -> None:
    with (
        pytest.raises(OutputError, match="/dev/full: can't be written: No space left"),
        output_file("/dev/full") as file,
    ):
        file.write(bytes(size))


# --- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result"
    with output_folder(path) as temporary:
        (temporary / "meta.json").write_text("{}")
        assert not path.exists()
    assert only(path) == ["meta.json"]
    assert only(path.parent) == ["result"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_folder_leaves_the_old_result(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "result"
    make_model(seed=1).save(path)
    before = file_hashes(path, leave_out=())

    def interrupted() -> None:
        with output_folder(path, force=True) as temporary:
            (temporary / "W.npy").write_bytes(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert file_hashes(path, leave_out=()) == before
    assert only(tmp_path) == ["result"]


@pytest.mark.parametrize("exchange", [True, False])
def test_force_replaces_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:  # a system without the call that swaps two names
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    path = tmp_path / "result"
    make_model(seed=1).save(path)
    with pytest.raises(OutputError, match="already exists"):
        make_model(seed=2).save(path)
    make_model(seed=2).save(path, force=True)
    assert np.array_equal(GloveModel.load(path).W, make_model(seed=2).W)
    assert only(tmp_path) == ["result"]


def test_force_does_not_replace_what_is_not_a_result(tmp_path: Path) -> None:
    path = tmp_path / "thesis"
    path.mkdir()
    (path / "chapter1.txt").write_text("years of work")
    for target in (path, path / "chapter1.txt"):
        with pytest.raises(OutputError, match="is not a result of glove"):
            make_model().save(target, force=True)
    link = tmp_path / "link"
    make_model().save(tmp_path / "result")
    link.symlink_to(tmp_path / "result")
    with pytest.raises(OutputError, match="is not a result of glove"):
        make_model().save(link, force=True)
    assert (path / "chapter1.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    make_model().save(tmp_path / "empty", force=True)


@pytest.mark.parametrize("meta", ['{"lang": "en", "name": "core_web_md"}', '{"format": 1}', "[]", "text"])
def test_force_does_not_replace_another_programs_folder(tmp_path: Path, meta: str) -> None:
    (tmp_path / "meta.json").write_text(meta)
    with pytest.raises(OutputError, match="is not a result of glove"):
        make_model().save(tmp_path, force=True)
    assert (tmp_path / "meta.json").read_text() == meta


@pytest.mark.parametrize("name", [".", "", "here"])
def test_the_current_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(OutputError, match="is the folder you are in"):
        make_model().save(tmp_path / "here" if name == "here" else name, force=True)
    assert only(tmp_path) == ["here"]


def test_a_result_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "result"
    make_model(seed=1).save(path)
    before = file_hashes(path, leave_out=())
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if target == path and (source / "meta.json").read_bytes() != meta:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        rename(source, target)

    meta = (path / "meta.json").read_bytes()
    monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OutputError, match="can't be written: Permission denied"):
        make_model(V=4).save(path, force=True)
    assert file_hashes(path, leave_out=()) == before
    assert only(tmp_path) == ["result"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("exchange", [True, False])
def test_a_name_that_cannot_be_seen_to_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    path = tmp_path / "result"
    if before:
        make_model(seed=1).save(path)
    hashes = file_hashes(path, leave_out=()) if before else {}
    sync = files._sync_folder

    def failing(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(folder)

    monkeypatch.setattr(files, "_sync_folder", failing)
    with pytest.raises(OutputError, match="result: can't be written: Input/output error"):
        make_model(seed=2).save(path, force=before)
    assert only(tmp_path) == ["result"] * before
    assert not before or file_hashes(path, leave_out=()) == hashes
    (tmp_path / "old.txt").write_text("before")
    for name in ("old.txt", "new.txt") if exchange else ("new.txt",):  # else there is no way back, but a whole file
        with pytest.raises(OutputError, match="can't be written"), output_file(tmp_path / name, force=True) as file:
            file.write(b"after")
    assert only(tmp_path) == ["old.txt", *["result"] * before]
    assert (tmp_path / "old.txt").read_text() == "before"


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    hours_ago = 1_000_000_000
    names = [
        ".out.0123456789ab.tmp",
        ".out.bbbbbbbbbbbb.tmp",
        ".out.ffffffffffff.tmp",
        ".other.0123456789ab.tmp",
        ".out.tmp",
    ]
    dead, folder, young, *others = (tmp_path / name for name in names)
    folder.mkdir()
    (folder / "part").write_text("half")
    for path in (dead, young, *others):
        path.write_text("half")
    for path in (dead, folder, *others):
        os.utime(path, (hours_ago, hours_ago))
    with dead.open() as writer:
        assert temporary.lock(writer.fileno())
        with output_file(tmp_path / "out") as file:
            file.write(b"whole")
        assert only(tmp_path) == sorted({*names, "out"} - {folder.name})  # somebody writes to `dead`
    with output_folder(tmp_path / "out.kv"), output_file(tmp_path / "out", force=True) as file:
        file.write(b"whole")
    assert only(tmp_path) == sorted({*names, "out", "out.kv"} - {folder.name, dead.name})


# --- results --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_kill_left_of_a_scratch_folder_is_removed_by_the_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary, "_YOUNGEST", 0.0)
    path = tmp_path / "result"
    with scratch_folder(path) as folder:
        (folder / "part").write_bytes(b"1")
        with output_file(path) as file:  # doesn't take it away: it is locked
            file.write(b"2")
        assert (folder / "part").exists()
    assert only(tmp_path) == ["result"]
    child = os.fork()
    if child == 0:
        with scratch_folder(path) as folder:
            (folder / "part").write_bytes(b"1")
            os._exit(9)
    os.waitpid(child, 0)
    assert len(only(tmp_path)) == 2
    with output_file(path, force=True) as file:
        file.write(b"3")
    assert only(tmp_path) == ["result"]


@pytest.mark.parametrize(
    ("dtype", "shape"), [(np.float32, (3, 2)), (np.int64, (5,)), (np.int32, (0,)), (np.float64, (10**12,))]
)
def test_the_header_is_numpys(dtype: type, shape: tuple[int, ...]) -> None:
    ours = npy_header(np.dtype(dtype), shape)
    assert len(ours) == 128
    file = io.BytesIO(ours)
    assert np.lib.format.read_magic(file) == (1, 0)
    assert np.lib.format.read_array_header_1_0(file) == (shape, False, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_comes_back_as_it_was_saved(tmp_path: Path, dtype: str) -> None:
    model = make_model(5, 3, dtype=dtype)
    model.save(tmp_path / "model")
    loaded = GloveModel.load(tmp_path / "model")
    assert loaded.vocab == model.vocab
    assert loaded.meta == model.meta
    assert (loaded.dim, loaded.dtype) == (3, np.dtype(dtype))
    for name in ARRAYS:
        assert getattr(loaded, name).dtype == ("float64" if name in ("gradsq_b_w", "gradsq_b_c") else dtype)
        assert np.array_equal(getattr(loaded, name), getattr(model, name))
        assert np.array_equal(np.load(tmp_path / "model" / f"{name}.npy"), getattr(model, name))
    loaded.save(tmp_path / "again")
    assert file_hashes(tmp_path / "again", leave_out=()) == file_hashes(tmp_path / "model", leave_out=())


def test_only_another_data_type_than_float32_is_written_down(tmp_path: Path) -> None:
    for dtype in ("float32", "float64"):
        make_model(dtype=dtype).save(tmp_path / dtype)
    assert "dtype" not in json.loads((tmp_path / "float32" / "meta.json").read_text())
    assert json.loads((tmp_path / "float64" / "meta.json").read_text())["dtype"] == "float64"


def test_an_older_model_keeps_its_float32_sums_of_the_biases(tmp_path: Path) -> None:
    model = make_model()
    (tmp_path / "model").mkdir()
    writer = FolderWriter(tmp_path / "model")
    writer.vocab(model.vocab)
    for name in ARRAYS:
        writer.array(name, getattr(model, name))
    writer.finish("glove-model", 1, V=3, dim=2)
    loaded = GloveModel.load(tmp_path / "model")
    for name in ARRAYS:
        assert getattr(loaded, name).dtype == np.float32
        assert np.array_equal(getattr(loaded, name), getattr(model, name))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W": "float16"}, "W is float16, W float16"),
        ({"C": "float64"}, "C is float64, W float32"),
        ({"b_c": "float64"}, "b_c is float64, W float32"),
        ({"gradsq_b_w": "int32"}, "gradsq_b_w is int32, W float32"),
        (dict.fromkeys(ARRAYS[:-1], "float64"), "gradsq_b_c is float32, W float64"),
    ],
)
def test_a_model_of_mixed_data_types_is_not_saved(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    model = make_model()
    changed = {name: getattr(model, name).astype(dtype) for name, dtype in changes.items()}
    with pytest.raises(OutputError, match=rf"model: {message}\. Give all arrays as float32, or all as float64\."):
        dataclasses.replace(model, **changed).save(tmp_path / "model")
    assert only(tmp_path) == []


def test_rows_in_pieces_are_the_same_file(tmp_path: Path) -> None:
    array = np.arange(10.0).reshape(5, 2)
    (tmp_path / "a").mkdir()
    writer = FolderWriter(tmp_path / "a")
    writer.array("whole", array)
    with writer.growing("pieces", array.dtype, (2,)) as growing:
        for piece in (array[:3], array[3:3], array[3:]):
            growing.append(piece)
    assert (tmp_path / "a" / "pieces.npy").read_bytes() == (tmp_path / "a" / "whole.npy").read_bytes()


def test_an_array_in_pieces_is_the_same_file(tmp_path: Path) -> None:
    array = np.arange(10, dtype=np.int64)
    for name, pieces in (("a", [array]), ("b", [array[:3], array[3:3], array[3:]])):
        (tmp_path / name).mkdir()
        writer = FolderWriter(tmp_path / name)
        with writer.growing("x", array.dtype) as growing:
            for piece in pieces:
                growing.append(piece)
        writer.finish("test", 1)
    assert file_hashes(tmp_path / "a", leave_out=()) == file_hashes(tmp_path / "b", leave_out=())
    assert np.array_equal(np.load(tmp_path / "a" / "x.npy"), array)


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    make_model().save(tmp_path / "model")
    folder = ResultFolder.open(tmp_path / "model", "glove-model", 1, remedy="")
    folder.verify()
    path = tmp_path / "model" / "W.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"W\.npy: was changed"):
        folder.verify()


@pytest.mark.parametrize("name", [f"{array}.npy" for array in ARRAYS] + ["vocab.txt"])
def test_a_file_cut_short_or_missing_is_refused(tmp_path: Path, name: str) -> None:
    make_model().save(tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=f"{name}: has .* bytes, .* were written"):
        GloveModel.load(tmp_path / "model")
    path.unlink()
    with pytest.raises(FormatError, match=f"{name}: can't be read: No such file"):
        GloveModel.load(tmp_path / "model")


# What NumPy's parser makes of a header that was damaged, in which the quote, the brackets, the magic number are wrong.
HEADERS = [(b"'shape'", b"(shape'"), (b"'descr'", b"'descr("), (b", }", b", :"), (b"\x93NUMPY", b"PK\3\4XX")]


@pytest.mark.parametrize(("part", "wrong"), HEADERS)
def test_a_damaged_header_is_refused(tmp_path: Path, part: bytes, wrong: bytes) -> None:
    make_model().save(tmp_path / "model")
    path = tmp_path / "model" / "C.npy"
    data = path.read_bytes()
    path.write_bytes(data.replace(part, wrong, 1))
    assert path.read_bytes() != data
    describe_again(tmp_path / "model", "C.npy")
    with pytest.raises(FormatError, match=r"C\.npy: is not a NumPy array file"):
        GloveModel.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("saved", "file", "dtype", "expected"),
    [
        ("float32", "b_w", "float64", "float32"),
        ("float32", "gradsq_b_w", "int64", "float64 or float32"),
        ("float64", "gradsq_b_w", "float32", "float64"),
    ],
)
def test_an_array_of_another_data_type_is_refused(
    tmp_path: Path, saved: str, file: str, dtype: str, expected: str
) -> None:
    path = tmp_path / "model"
    make_model(dtype=saved).save(path)
    np.save(path / f"{file}.npy", np.ones(3, dtype))
    describe_again(path, f"{file}.npy")
    with pytest.raises(FormatError, match=rf"{file}\.npy: holds {dtype} \(3,\), {expected} \(3,\) was expected"):
        GloveModel.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "glove-cooc"}, "is a 'glove-cooc', not a 'glove-model'"),
        ({"version": 2}, "has format version 2, this glove reads up to 1"),
        ({"version": "1"}, "has format version '1'"),
        ({"files": None}, "lists no files"),
        ({"files": {"../x": {"bytes": 1}}}, "entry of '../x' is damaged"),
        ({"files": {"W.npy": {}}}, "entry of 'W.npy' is damaged"),
        ({"V": 4}, "its vocabulary has 3 words, its vectors 4"),
        ({"V": None}, "lacks V or dim"),
        ({"dim": 5}, r"holds float32 \(3, 2\), float32 \(3, 5\) was expected"),
        ({"dtype": "float16"}, "says dtype 'float16', not float32 or float64"),
        ({"dtype": ["float64"]}, r"says dtype \['float64'\], not float32 or float64"),
        ({"dtype": "float64"}, r"W\.npy: holds float32 \(3, 2\), float64 \(3, 2\) was expected"),
    ],
)
def test_a_meta_file_that_does_not_fit_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    make_model().save(tmp_path / "model")
    change_meta(tmp_path / "model", lambda meta: meta.update(changes))
    with pytest.raises(FormatError, match=message):
        GloveModel.load(tmp_path / "model")


def test_a_changed_byte_of_what_is_read_is_refused(tmp_path: Path) -> None:
    make_model().save(tmp_path / "model")
    data = bytearray((tmp_path / "model" / "gradsq_W.npy").read_bytes())
    data[-1] ^= 1
    (tmp_path / "model" / "gradsq_W.npy").write_bytes(data)
    with pytest.raises(FormatError, match=r"gradsq_W\.npy: was changed after it was written \(SHA-256 differs\)"):
        GloveModel.load(tmp_path / "model")
    assert GloveModel.load(tmp_path / "model", verify=["W", "C"]).vocab == make_model().vocab  # the rest isn't read
    (tmp_path / "model" / "vocab.txt").write_text("w0 3\nw1 2\nwX 1\n")
    with pytest.raises(FormatError, match=r"vocab\.txt: was changed"):
        GloveModel.load(tmp_path / "model", verify=())


def test_a_changed_word_of_a_meta_file_is_refused(tmp_path: Path) -> None:
    make_model().save(tmp_path / "model")
    meta = tmp_path / "model" / "meta.json"
    meta.write_text(meta.read_text().replace('"cost": 0.5', '"cost": 0.4'))
    with pytest.raises(FormatError, match=r"meta\.json: was changed after it was written"):
        GloveModel.load(tmp_path / "model")


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\x00"])
def test_a_damaged_meta_file_is_refused(tmp_path: Path, text: str) -> None:
    make_model().save(tmp_path / "model")
    (tmp_path / "model" / "meta.json").write_text(text)
    with pytest.raises(FormatError, match=r"meta\.json: is damaged"):
        GloveModel.load(tmp_path / "model")


def test_no_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"model: does not exist\. Train a model with `glove train`"):
        GloveModel.load(tmp_path / "model")
    with pytest.raises(FormatError, match=r"holds no finished result"):
        GloveModel.load(tmp_path)


@pytest.mark.parametrize("at", range(1, 13))
def test_a_file_is_not_written_on_where_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    real, looks = os.stat, 0

    def failing(name: Any, **options: Any) -> os.stat_result:
        nonlocal looks
        looks += name == path
        if name == path and looks == at:
            raise OSError(errno.EIO, "Input/output error", str(name))
        return real(name, **options)

    monkeypatch.setattr(os, "stat", failing)
    with contextlib.suppress(OutputError), output_file(path, force=True) as file:
        file.write(b"new")
    assert path.read_bytes() in (b"old", b"new")

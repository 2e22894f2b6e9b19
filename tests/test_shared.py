"""Files that several machines write or read at a time: what keeps NFS from writing or reading too much is asked for."""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from glove_cli import shared
from glove_cli.cluster import gather, ranges
from glove_cli.cluster.read import vocabulary_of
from glove_cli.cooc.store import RowBlock
from glove_cli.folder import VOCAB_NAME
from glove_cli.shared import open_shared, see_files, see_name
from glove_cli.training.checkpoint import ARRAYS
from glove_cli.training.checkpoint_parts import begin_parts, finish_parts, read_part, write_part
from glove_cli.training.position import Position
from glove_cli.training.state import row_width
from glove_cli.vocab import Vocab
from glove_cli.workspace import workspace

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these locks are Linux's")


def lock_of(path: Path) -> int:
    """Return what keeps an exclusive lock of a whole file from being taken: F_RDLCK, F_WRLCK, or F_UNLCK if nothing."""
    import fcntl

    with path.open("r+b") as file:
        asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        found: int = struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))[0]
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the files that are opened for several machines, by their names."""
    names: list[str] = []
    lock = shared._lock

    def noted(descriptor: int) -> bool:
        names.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        return lock(descriptor)

    monkeypatch.setattr(shared, "_lock", noted)
    return names


@linux
@pytest.mark.parametrize("write", [False, True])
def test_a_lock_is_held_while_a_file_is_open(tmp_path: Path, write: bool) -> None:
    import fcntl

    path = tmp_path / "a"
    path.write_bytes(b"abc")
    with open_shared(path, write=write):
        assert lock_of(path) == fcntl.F_RDLCK
    assert lock_of(path) == fcntl.F_UNLCK


@linux
def test_it_is_held_also_when_another_of_the_process_closes_the_file(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "a"
    with open_shared(path, write=True):
        with open_shared(path, write=True):
            pass
        assert lock_of(path) == fcntl.F_RDLCK


def test_nobody_waits_and_nothing_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with open_shared(path, write=True) as one, open_shared(path, write=True) as other:
        one.write(b"abcd")
        other.seek(4)
        other.write(b"efgh")
    with open_shared(path, write=True) as again:
        again.write(b"AB")
    with open_shared(path) as file:
        assert file.read() == b"ABcdefgh"


@linux
def test_where_there_are_no_locks_each_write_is_sent_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    real = fcntl.fcntl

    def without(descriptor: int, command: int, argument: object = 0) -> object:
        if command == fcntl.F_OFD_SETLK:
            raise OSError(errno.ENOLCK, "No locks available")
        return real(descriptor, command, argument)  # type: ignore[call-overload]

    monkeypatch.setattr(fcntl, "fcntl", without)
    with open_shared(tmp_path / "a", write=True) as file:
        assert real(file, fcntl.F_GETFL) & os.O_DSYNC == os.O_DSYNC
        file.write(b"abc")
    with open_shared(tmp_path / "a") as file:
        assert file.read() == b"abc"


def test_looking_at_names_leaves_nothing(tmp_path: Path) -> None:
    before = tmp_path.stat().st_mtime_ns
    see_name(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns > before
    see_name(tmp_path / "missing" / "model")
    see_files([tmp_path / "missing"])


@linux
def test_ranges_of_rows_are_written_and_read_under_the_lock(tmp_path: Path, opened: list[str]) -> None:
    arrays = ["data.npy", "indices.npy", "indptr.npy"]
    block = RowBlock(np.array([1, 1]), np.array([0, 1], np.int32), np.array([1.0, 2.0]))
    ranges.write_range(ranges.Rows(0, [block]), 0, tmp_path, lower=True)
    assert sorted(opened) == arrays
    opened.clear()
    words = vocabulary_of(tmp_path)
    words.mkdir()
    (words / VOCAB_NAME).write_bytes(b"a 2\nb 1\n")
    gather.finish_matrix(tmp_path, tmp_path, {"stored": 2, "V": 2})
    assert sorted(opened) == arrays  # for the headers, before the checksums are found


@linux
def test_parts_of_a_checkpoint_are_written_and_read_under_the_lock(tmp_path: Path, opened: list[str]) -> None:
    temporary = begin_parts(tmp_path, Position(), 4, 2, np.float32)
    rows = np.ones((2, row_width(2)), np.float32)
    write_part(temporary, "words", iter([(2, rows)]))
    assert opened == ["words.npy"]
    read_part(temporary, "words", 2, rows)
    assert opened == ["words.npy"] * 2
    opened.clear()
    vocab = Vocab.from_bytes(b"a 2\nb 1\n")
    finish_parts(temporary, tmp_path, Position(), np.arange(2, dtype=np.int32), vocab, {}, 2, 1.0)
    assert opened == [f"{name}.npy" for name in ARRAYS]  # before their checksums are found


def test_a_folder_that_a_file_system_keeps_while_a_file_in_it_is_open_goes_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(path: Path) -> None:  # as NFS does, which gives an open file another name until it is closed
        if path.exists():
            for item in path.iterdir():
                item.unlink()

    monkeypatch.setattr("glove_cli.workspace.remove_folder", keep)
    with workspace(tmp_path / "out", {}):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "stays"), [(".nfs0001", False), ("other", True)])
def test_a_folder_is_waited_for_while_nothing_but_such_files_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, stays: bool
) -> None:
    left: list[Path] = []

    def keep(path: Path) -> None:
        if path.exists():
            for item in path.iterdir():
                item.unlink()
            left.append(path / name)
            left[0].write_text("")

    monkeypatch.setattr("glove_cli.workspace.remove_folder", keep)
    monkeypatch.setattr("glove_cli.workspace.time.sleep", lambda seconds: left[0].unlink())
    with workspace(tmp_path / "out", {}):
        pass
    assert left[0].exists() == left[0].parent.exists() == stays

"""The cache: a second reading gives the same, a changed file never the old; where none can be, nothing goes wrong."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from glove_cli.errors import OptionError
from glove_cli.vectors import cache
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors, read_vectors
from glove_cli.vectors.problems import LineProblem

LINES = b"the 1 2\ncaf\xc3\xa9 3 4\n\xff 5 6\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache of its own, which takes small and young files, too."""
    monkeypatch.setenv("GLOVE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_SMALLEST_FILE", 1)
    monkeypatch.setattr(cache, "_YOUNGEST", 0.0)
    return tmp_path / "cache" / "vectors"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "v.txt"
    path.write_bytes(LINES)
    return path


def read(path: Path, **options: object) -> tuple[WordVectors, bool]:
    found, report = read_vectors(path, **options)
    return found, report.cached


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_second_reading_comes_from_the_cache_and_is_the_same(source: Path, folder: Path) -> None:
    first, cached = read(source)
    assert not cached
    second, cached = read(source)
    assert cached
    assert second.words == first.words == ["the", "caf\u00e9", "\udcff"]
    assert second.matrix.tobytes() == first.matrix.tobytes()
    assert second.matrix.dtype == np.float32
    assert [path.name for path in sorted(entries(folder)[0].iterdir())] == ["matrix.npy", "meta.json", "words.txt"]
    assert np.array_equal(np.load(entries(folder)[0] / "matrix.npy"), first.matrix)


def test_what_is_written_to_a_cached_matrix_stays_out_of_the_cache(source: Path) -> None:
    read(source)
    changed, _ = read(source)
    changed.matrix[:] = 9
    again, cached = read(source)
    assert cached
    assert again.matrix.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_packed_file_and_a_member_are_cached(tmp_path: Path) -> None:
    (tmp_path / "v.gz").write_bytes(gzip.compress(LINES))
    assert [read(tmp_path / "v.gz")[1] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("keeps_its_time", [False, True])
def test_a_changed_file_is_read_again_and_its_old_entry_goes(source: Path, folder: Path, keeps_its_time: bool) -> None:
    read(source)
    before = source.stat()
    source.write_bytes(LINES.replace(b"6", b"7"))  # of the same size
    if keeps_its_time:
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    found, cached = read(source)
    assert not cached
    assert found.matrix[2].tolist() == [5, 7]
    assert len(entries(folder)) == 1
    assert read(source)[1]


def test_another_file_of_the_same_name_and_times_is_read(source: Path, tmp_path: Path) -> None:
    read(source)
    before = source.stat()
    other = tmp_path / "other"
    other.write_bytes(LINES.replace(b"6", b"8"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(source)
    assert read(source)[0].matrix[2].tolist() == [5, 8]


def test_a_file_that_changes_while_it_is_read_is_not_cached(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glove_cli.vectors import load

    call = load._call

    def change_meanwhile(*arguments: object) -> object:
        result = call(*arguments)
        source.write_bytes(LINES.replace(b"6", b"9"))
        return result

    monkeypatch.setattr(load, "_call", change_meanwhile)
    read(source)
    assert entries(folder) == []


def test_a_file_younger_than_the_clock_can_tell_is_not_cached(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_YOUNGEST", 1000.0)
    read(source)
    assert entries(folder) == []


def test_options_that_change_the_result_have_entries_of_their_own(source: Path) -> None:
    assert not read(source)[1]
    assert not read(source, encoding_errors="replace")[1]
    assert not read(source, format="glove")[1]
    found, cached = read(source, encoding_errors="replace")
    assert cached
    assert found.words[2] == "\ufffd"


def test_what_was_left_out_is_told_again(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_bytes(b"a 1 2\nb 3\na 5 6\n")
    first = read_vectors(path, on_problem="skip")[1]
    second = read_vectors(path, on_problem="skip")[1]
    assert second.cached
    assert (
        second.problems
        == first.problems
        == (
            LineProblem("of another length", 1, (2,)),
            LineProblem("that repeat a word", 1, (3,)),
        )
    )
    assert second.notes == first.notes
    with pytest.warns(UserWarning, match=r"v\.txt: left out 1 line (of another length|that repeats a word)"):
        load_vectors(path, on_problem="skip")


@pytest.mark.parametrize("name", ["matrix.npy", "words.txt", "meta.json"])
@pytest.mark.parametrize("damage", ["cut", "missing", "begin", "end"])
def test_a_damaged_entry_is_noticed_and_made_again(source: Path, folder: Path, name: str, damage: str) -> None:
    read(source)
    path = entries(folder)[0] / name
    data = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "begin":
        path.write_bytes(b"x" + data[1:])
    elif damage == "end":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    found, cached = read(source)
    assert not cached
    assert found.matrix.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert read(source)[1]


def test_an_entry_of_another_version_is_not_looked_at(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(source)
    monkeypatch.setattr(cache, "_VERSION", cache._VERSION + 1)
    assert not read(source)[1]


@pytest.mark.parametrize("size", ["0", "10"])
def test_nothing_is_kept_where_the_cache_is_off_or_too_small(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    monkeypatch.setenv("GLOVE_CACHE_SIZE", size)
    assert not read(source)[1]
    assert not read(source)[1]
    assert entries(folder) == []


def test_nothing_is_kept_of_a_small_file_or_where_not_wanted(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(source, cache=False)
    monkeypatch.setattr(cache, "_SMALLEST_FILE", len(LINES) + 1)
    read(source)
    assert not folder.exists()


def test_a_wrong_size_of_the_cache_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOVE_CACHE_SIZE", "much")
    with pytest.raises(OptionError, match=r"GLOVE_CACHE_SIZE: 'much' is not a size\. Give one such as 500M"):
        read(source)


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(4)]
    for path in paths:
        path.write_bytes(LINES)
    for path in paths[:3]:
        read(path)
    places = {path: cache.find_entry(path, _default_options()).path for path in paths}
    for age, path in enumerate((paths[1], paths[2], paths[0])):
        os.utime(places[path], (1e9 - age, 1e9 - age))
    assert read(paths[0])[1]  # the oldest is used
    size = sum(file.stat().st_size for file in places[paths[0]].iterdir())
    monkeypatch.setenv("GLOVE_CACHE_SIZE", str(3 * size))
    read(paths[3])
    assert set(entries(folder)) == {places[paths[number]] for number in (0, 1, 3)}


def _default_options() -> dict[str, object]:
    return {"vectors": "sum", "member": None, "format": None, "on_problem": "error", "encoding_errors": "keep"}


def test_what_a_killed_process_left_goes_after_a_day(source: Path, folder: Path) -> None:
    for name, age in (("old.tmp", 90_000), ("new.tmp", 10)):
        (folder / name).mkdir(parents=True)
        (folder / name / "matrix.npy").write_bytes(b"half")
        when = os.path.getmtime(folder) - age
        os.utime(folder / name, (when, when))
    read(source)
    assert [path.name for path in entries(folder) if path.suffix == ".tmp"] == ["new.tmp"]
    assert read(source)[1]


def test_a_cache_that_cannot_be_written_is_no_error(as_ordinary_user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = as_ordinary_user / "v.txt"
    source.write_bytes(LINES)
    locked = as_ordinary_user / "locked"
    locked.mkdir(mode=0o500)
    monkeypatch.setenv("GLOVE_CACHE_DIR", str(locked / "cache"))
    assert not read(source)[1]
    assert not read(source)[1]
    monkeypatch.setenv("GLOVE_CACHE_DIR", str(source))  # a file
    assert read(source)[0].words[0] == "the"


def test_a_full_disk_leaves_nothing_and_is_no_error(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes, matrix: object = None) -> None:
        path.write_bytes(data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache, "_write", full)
        assert read(source)[0].words[0] == "the"
        assert entries(folder) == []
        patch.undo()
    usage = shutil.disk_usage(source)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    read(source)
    assert entries(folder) == []


def test_readers_at_the_same_time_make_one_whole_entry(source: Path, folder: Path) -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(list(read(source)[0].words))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["the", "caf\u00e9", "\udcff"]] * 6
    assert len(entries(folder)) == 1
    assert read(source)[1]


def test_the_folder_is_where_the_system_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("GLOVE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_folder() == tmp_path / "xdg" / "glove"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.cache_folder() == tmp_path / ".cache" / "glove"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.cache_folder() == tmp_path / "Library" / "Caches" / "glove"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache.cache_folder() == tmp_path / "local" / "glove" / "cache"


def test_what_comes_from_the_cache_needs_no_compiled_code(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_bytes(LINES)
    read(path)
    code = (
        "import sys\nfrom glove_cli.vectors import cache\ncache._SMALLEST_FILE = 1\n"
        "from glove_cli import load_vectors\nassert len(load_vectors(sys.argv[1])) == 3\n"
        "sys.exit(', '.join({'numba', 'scipy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_entry_says_what_it_was_made_from(source: Path, folder: Path) -> None:
    read(source)
    check, _, text = (entries(folder)[0] / "meta.json").read_bytes().partition(b"\n")
    assert set(json.loads(check)) == {"sha256"}
    assert json.loads(text)["source"] == str(source)
    assert os.stat(entries(folder)[0]).st_mode & 0o077 == 0

"""Sizes, limits of memory, room on the disk, and the plan that is made with them."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glove_cli import memory
from glove_cli.cooc import merge, passes, plan
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import positions_by_word
from glove_cli.cooc.store import CoocMatrix
from glove_cli.corpus.chunks import Chunk
from glove_cli.errors import OptionError, OutputError
from glove_cli.memory import allowed_memory, check_disk, in_words, memory_limit, used_memory


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("4G", 4 << 30),
        ("500M", 500 << 20),
        ("1.5GiB", 3 << 29),
        ("64kb", 64 << 10),
        ("123", 123),
        (99, 99),
        ("2 T", 2 << 40),
    ],
)
def test_sizes_are_read_in_units_of_1024(size: object, expected: int) -> None:
    assert memory_limit(size) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["", "much", "-1G", "4X", "0", 0, -5, True, 1.5, "1e9", "4G4"])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(OptionError, match=r"--memory: .* is not a size"):
        memory_limit(size)  # type: ignore[arg-type]


def test_half_of_what_is_allowed_is_used() -> None:
    assert memory_limit(None) == allowed_memory() // 2
    assert 0 < allowed_memory() <= memory._machine_memory()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_what_the_process_holds_is_known() -> None:
    before = used_memory()
    held = np.ones(1 << 23)
    assert (50 << 20) < used_memory() - before < (80 << 20)
    del held


def test_where_the_system_does_not_say_a_usual_amount_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: "Name: python")
    assert used_memory() == memory._USUAL_MEMORY


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a/b\n", {"a/memory.max": "max\n", "a/b/memory.max": "3000000\n"}, 3_000_000),
        ("0::/a/b\n", {"a/memory.max": "2000000\n", "a/b/memory.max": "3000000\n"}, 2_000_000),
        ("5:memory:/x\n4:cpu:/y\n", {"memory/x/memory.limit_in_bytes": "1000000\n"}, 1_000_000),
        ("0::/\n", {}, None),
    ],
)
def test_a_control_group_limits_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    read = Path.read_text
    monkeypatch.setattr(memory, "_CGROUP_ROOT", tmp_path)
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: groups if str(path) == "/proc/self/cgroup" else read(path, **how)
    )
    assert allowed_memory() == (expected or memory._machine_memory())


def test_a_disk_that_is_too_small_is_refused_with_figures(tmp_path: Path) -> None:
    check_disk(tmp_path, 1, "it")
    with pytest.raises(OutputError, match=r"the matrix needs about .* TiB, .* are free"):
        check_disk(tmp_path, 10**17, "the matrix")


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1 << 20, "1 MiB"), (3 << 29, "1.5 GiB")])
def test_sizes_are_written_in_units_of_1024(size: int, text: str) -> None:
    assert in_words(size) == text


def zipf_text(n: int, words: int, *, ends: int = 50) -> bytes:
    rng = np.random.default_rng(n)
    ids = np.minimum(rng.zipf(1.2, n), words).astype(str)
    return b"".join(f"w{i}{chr(10) if k % ends == ends - 1 else ' '}".encode() for k, i in enumerate(ids))


@pytest.mark.parametrize("context", ["symmetric", "left"])
def test_the_estimated_pairs_are_near_the_real_ones(tmp_path: Path, context: str) -> None:
    config = CoocConfig(window=10, context=context)
    rng = np.random.default_rng(5)
    V = 3000
    ids = np.sort(np.minimum(rng.zipf(1.2, 100_000) - 1, V - 1).astype(np.int32))
    counts = np.bincount(ids, minlength=V)
    ids = np.argsort(np.argsort(-counts, kind="stable")).astype(np.int32)[rng.permutation(ids)]
    chunk = Chunk(np.concatenate((np.full(10, V, np.int32), ids, np.full(10, V, np.int32))), 10, 100_010)
    starts, positions = positions_by_word(chunk, V, 1)
    pairs = set()
    for k in range(1, 11):
        pairs |= set((ids[:-k].astype(np.int64) * V + ids[k:]).tolist())
    if context == "symmetric":
        pairs = {max(p // V, p % V) * V + min(p // V, p % V) for p in pairs}
    real = len(pairs)
    entries, whole = plan.estimate_entries(chunk, starts, positions, config, 1.0)
    assert abs(entries / real - 1) < 0.15
    assert whole == entries
    twice = plan.estimate_entries(chunk, starts, positions, config, 2.0)
    assert twice[0] == entries
    assert entries < twice[1] < 2 * entries


def test_a_plan_is_told_before_a_long_job_and_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_PLAN_VISITS", 0)
    said: list[str] = []
    how: dict[str, Any] = {"_chunk_tokens": 5_000, "_block_bytes": 4_000, "note": said.append}
    cooc: CoocMatrix = build_cooc(io.BytesIO(zipf_text(20_000, 300)), tmp_path / "out", **how)
    build_cooc(io.BytesIO(zipf_text(20_000, 300)), tmp_path / "spooled", _spool_memory=0, **how)
    text, spooled = said
    assert text.startswith("Plan: 20,000 tokens in 4 parts, about ")
    more, ids_too = (float(plan.split(" of disk and ")[1].split(" KiB more meanwhile")[0]) for plan in said)
    assert abs(ids_too - more - 4 * 20_000 / 1024) < 4  # with ends of documents, and rounded
    assert spooled.split(" of disk and ")[0] == text.split(" of disk and ")[0]
    pairs = int(text.split("about ")[1].split(" pairs")[0].replace(",", ""))
    assert abs(pairs / cooc.nnz - 1) < 0.5
    assert "of memory" in text


def test_a_job_that_the_disk_cannot_hold_is_refused_before_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = memory.shutil.disk_usage
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda path: real(path)._replace(free=1000))
    monkeypatch.setattr(passes, "count_chunk", None)
    with pytest.raises(OutputError, match=r"counting needs about .* KiB, .* are free"):
        build_cooc(io.BytesIO(zipf_text(20_000, 300)), tmp_path / "run" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_short_job_that_fits_is_not_refused_for_its_upper_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b" ".join(b"%d" % (i % 7) for i in range(3000))  # 28 pairs, which no more than their words bound
    real = memory.shutil.disk_usage
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda path: real(path)._replace(free=500))
    assert build_cooc(io.BytesIO(text), tmp_path / "out").stored == 28


def test_ids_that_the_disk_cannot_hold_are_refused_when_they_go_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(zipf_text(200_000, 300))
    real = memory.shutil.disk_usage
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda path: real(path)._replace(free=30_000))
    with pytest.raises(OutputError, match=r"the temporary file for the ids of all tokens needs about .* are free"):
        build_cooc(text, tmp_path / "out", _spool_memory=9_000, _block_bytes=9_000)
    assert list(tmp_path.iterdir()) == [text]


def test_more_different_words_than_the_memory_holds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match=r"--memory: [\d,]+ different words, and more to come, take .* half of the memory"
    ):
        build_cooc(io.BytesIO(zipf_text(20_000, 300)), tmp_path / "out", memory="3M", _spool_memory=0, _segment_bytes=9)
    assert list(tmp_path.iterdir()) == []


def test_gathering_many_parts_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "MAX_PARTS", 3)
    said: dict[str, list[tuple[int, int | None]]] = {}
    build_cooc(
        io.BytesIO(zipf_text(5_000, 100)),
        tmp_path / "out",
        _chunk_tokens=500,
        _block_bytes=400,
        progress=lambda stage, done, total, unit: said.setdefault(stage, []).append((done, total)),
    )
    assert list(said) == ["reading", "counting", "gathering", "merging"]
    for steps in said.values():
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        assert all(total is None or done <= total for done, total in steps)


def test_too_little_memory_for_the_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--memory: 8 MiB are not enough to count \d+ words with 2 threads"):
        build_cooc(io.BytesIO(b"a b c"), tmp_path / "out", memory="8M", threads=2, min_count=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_the_memory_limit_holds_and_changes_nothing(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(zipf_text(400_000, 20_000) * 10)
    run = (
        "import sys\n"
        "from glove_cli.cooc.build import build_cooc\n"
        "build_cooc(sys.argv[1], sys.argv[2], memory=sys.argv[3], threads=2)\n"
        # Not the resource usage: that begins with the peak of the process which started this one.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    peaks = {}
    for size in ("100M", "4G"):
        done = subprocess.run(
            [sys.executable, "-c", run, str(text), str(tmp_path / size), size],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks[size] = int(done.stdout) * 1024
    assert peaks["100M"] < (100 << 20) + (300 << 20)
    for name in ("indptr.npy", "indices.npy", "data.npy", "vocab.txt"):
        assert (tmp_path / "100M" / name).read_bytes() == (tmp_path / "4G" / name).read_bytes()

"""Interrupted runs: killed at any moment, gone on with, and what is said and left behind."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import file_hashes

from glove_cli.cooc import merge, passes
from glove_cli.cooc.build import build_cooc
from glove_cli.errors import OptionError, OutputError

CUT = {"threads": 2, "_block_bytes": 300, "_chunk_tokens": 250, "_spool_memory": 400, "_segment_bytes": 2000}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Write a thousand tokens in short documents."""
    rng = np.random.default_rng(3)
    words = [f"w{i}" for i in np.minimum(rng.zipf(1.5, 1000), 60).tolist()]
    ends = rng.choice([" ", " ", " ", " ", "\n", "\n\n"], 1000).tolist()
    path = tmp_path / "corpus.txt"
    path.write_text("".join(word + end for word, end in zip(words, ends, strict=True)))
    return path


class Killed(BaseException):
    """Ends a run; what tidies up is kept from running."""


def leave(
    corpus: Path | io.BytesIO, out: Path, monkeypatch: pytest.MonkeyPatch, *, after_parts: int, **options: object
) -> None:
    """Leave what a run leaves that is killed after some parts."""
    parts = 0

    def killing(*arguments: object) -> object:
        nonlocal parts
        parts += 1
        if parts > after_parts:
            raise Killed
        return positions(*arguments)

    positions = passes.positions_by_word
    with monkeypatch.context() as patch:
        patch.setattr(passes, "positions_by_word", killing)
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        patch.setattr("glove_cli.workspace._clear_files", lambda folder: None)
        with pytest.raises(Killed):
            build_cooc(corpus, out, **CUT, **options)


def test_a_run_killed_at_any_moment_ends_with_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    command = [sys.executable, str(Path(__file__).with_name("crash.py")), str(corpus), str(tmp_path / "runs"), "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


def test_a_part_that_was_half_removed_is_not_taken_for_one(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build_cooc(corpus, tmp_path / "whole")
    monkeypatch.setattr(merge, "MAX_PARTS", 3)
    removed = []

    def killed(folder: Path, **options: object) -> None:
        if (folder / "indptr.npy").exists():
            (folder / "indptr.npy").unlink()
            removed.append(folder.name)
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(Killed):
            build_cooc(corpus, tmp_path / "out", **CUT)
    assert len(removed) == 1
    made = build_cooc(corpus, tmp_path / "out", resume=True, **CUT)
    assert file_hashes(made.path) == file_hashes(whole.path)


def test_an_interrupted_run_is_gone_on_with_not_begun_again(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build_cooc(corpus, tmp_path / "whole", min_count=2, threads=1)
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=2, min_count=2)
    assert sorted(os.listdir(tmp_path / ".out.work" / "parts")) == ["part-00000", "part-00001"]
    corpus.rename(tmp_path / "away")  # what was read is not read again
    (tmp_path / "away").rename(corpus)
    said: list[str] = []
    read: list[str] = []
    build_cooc(
        corpus,
        tmp_path / "out",
        min_count=2,
        resume=True,
        note=said.append,
        progress=lambda stage, done, total, unit: read.append(stage),
        **CUT,
    )
    assert (
        said[0] == "Going on with an interrupted run: 1,000 tokens read, the whole corpus, and 2 parts of it counted."
    )
    assert "reading" not in read
    assert file_hashes(tmp_path / "out", leave_out=()) == file_hashes(whole.path, leave_out=())
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "out", "whole"]


def test_other_threads_and_memory_may_go_on(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_cooc(corpus, tmp_path / "whole", min_count=2, threads=1)
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=1, min_count=2)
    build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, threads=1, memory="1G", _chunk_tokens=90)
    assert file_hashes(tmp_path / "out", leave_out=()) == file_hashes(whole.path, leave_out=())


def test_without_resume_it_is_said_what_was_found(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=2, min_count=2)
    before = sorted(os.listdir(tmp_path / ".out.work"))
    with pytest.raises(
        OutputError, match=r"out: an interrupted run left 1,000 tokens read, .* 2 parts of it counted in .*--resume"
    ):
        build_cooc(corpus, tmp_path / "out", min_count=2)
    assert sorted(os.listdir(tmp_path / ".out.work")) == before
    build_cooc(corpus, tmp_path / "out", min_count=2, force=True)
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "out"]


def test_another_job_is_not_gone_on_with(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=2, min_count=2)
    with pytest.raises(OptionError, match=r"--resume: .* had another window: 15, not 3\. Give the same"):
        build_cooc(corpus, tmp_path / "out", min_count=2, window=3, resume=True)
    corpus.write_text("another text\n" * 100)
    with pytest.raises(OptionError, match=r"--resume: .* had another corpus"):
        build_cooc(corpus, tmp_path / "out", min_count=2, resume=True)
    assert (tmp_path / ".out.work").exists()


def test_resuming_what_was_finished_is_no_error(corpus: Path, tmp_path: Path) -> None:
    first = build_cooc(corpus, tmp_path / "out", min_count=2, resume=True)
    before = file_hashes(first.path, leave_out=())
    said: list[str] = []
    again = build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, note=said.append)
    assert said == [f"{tmp_path / 'out'} was finished already."]
    assert again.meta == first.meta
    with pytest.raises(OutputError, match="already exists"):
        build_cooc(corpus, tmp_path / "out", min_count=3, resume=True)
    assert file_hashes(first.path, leave_out=()) == before


def test_a_finished_result_that_is_older_than_its_text_is_not_taken_for_it(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_text("w1\n")
    build_cooc(corpus, tmp_path / "out", min_count=2, stop_words=tmp_path / "stop.txt", resume=True)
    for changed in (corpus, tmp_path / "stop.txt"):
        later = changed.stat().st_mtime_ns + 10**9
        os.utime(tmp_path / "out" / "meta.json", ns=(later, later))
        build_cooc(corpus, tmp_path / "out", min_count=2, stop_words=tmp_path / "stop.txt", resume=True)
        changed.write_text("w2\nw3\n")
        os.utime(changed, ns=(later + 1, later + 1))
        with pytest.raises(OutputError, match="already exists"):
            build_cooc(corpus, tmp_path / "out", min_count=2, stop_words=tmp_path / "stop.txt", resume=True)
    build_cooc(io.BytesIO(b"a b"), tmp_path / "stream", min_count=1)
    with pytest.raises(OutputError, match="already exists"):
        build_cooc(io.BytesIO(b"a b"), tmp_path / "stream", min_count=1, resume=True)


@pytest.mark.parametrize("read_at_all", [True, False])
def test_a_stream_has_to_give_the_same_text_again(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_at_all: bool
) -> None:
    data = corpus.read_bytes()
    whole = build_cooc(io.BytesIO(data), tmp_path / "whole", min_count=2)
    out = tmp_path / "out"
    if read_at_all:
        leave(io.BytesIO(data), out, monkeypatch, after_parts=2, min_count=2)
    else:
        blocks: list[int] = []

        def killing(stage: str, done: int, total: int | None, unit: str) -> None:
            blocks.append(done)
            if len(blocks) > 9:  # of 300 bytes; what was read is written down every 2000
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
            patch.setattr("glove_cli.workspace._clear_files", lambda folder: None)
            with pytest.raises(Killed):
                build_cooc(io.BytesIO(data), out, min_count=2, progress=killing, **CUT)
    others = {"other": b"w7" + data[2:], "short": data[:100], "none": b""}
    if read_at_all:
        others["longer"] = data + b" w1"
    for name, text in others.items():
        with pytest.raises(OptionError, match=r"--resume: .*(doesn't give the text|holds .* but .* were read)"):
            build_cooc(io.BytesIO(text), out, min_count=2, resume=True, **CUT)
        assert (tmp_path / ".out.work").exists(), name
    said: list[str] = []
    build_cooc(io.BytesIO(data), out, min_count=2, resume=True, note=said.append, **CUT)
    assert said[0].startswith("Going on with an interrupted run")
    assert file_hashes(out, leave_out=()) == file_hashes(whole.path, leave_out=())
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "out", "whole"]


def test_two_runs_at_once_are_kept_apart(corpus: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def second(*step: object) -> None:
        if not refused:
            with pytest.raises(OutputError, match=r"out: another run is making it now") as error:
                build_cooc(corpus, tmp_path / "out", min_count=2)
            refused.append(str(error.value))

    build_cooc(corpus, tmp_path / "out", min_count=2, progress=second)
    assert refused
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
def test_nothing_stays_behind_when_a_run_fails(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | type[BaseException]
) -> None:
    (tmp_path / "tmp").mkdir()

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(passes, "count_chunk", fail)
    kind = OutputError if isinstance(error, OSError) else error
    with pytest.raises(kind):  # type: ignore[arg-type]
        build_cooc(corpus, tmp_path / "run" / "out", tmp=tmp_path / "tmp", min_count=2, **CUT)
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "tmp"]
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_with_resume_what_was_counted_stays_when_a_run_fails(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | type[BaseException]
) -> None:
    whole = build_cooc(corpus, tmp_path / "whole", min_count=2)
    calls = []
    count = passes.count_chunk

    def fail(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 3:
            raise error
        return count(*arguments, **options)

    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(passes, "count_chunk", fail)
        kind = OutputError if isinstance(error, OSError) else error
        with pytest.raises(kind):  # type: ignore[arg-type]
            build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, note=said.append, **CUT)
    assert re.fullmatch(r"Kept: 1,000 tokens .*\. The same command goes on from there\.", said[-1])
    assert len(os.listdir(tmp_path / ".out.work" / "parts")) >= 1
    build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, note=said.append, **CUT)
    assert any(text.startswith("Going on") for text in said)
    assert file_hashes(tmp_path / "out", leave_out=()) == file_hashes(whole.path, leave_out=())
    assert not os.path.exists(tmp_path / ".out.work")


def test_temporary_files_go_where_they_are_wanted(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    whole = build_cooc(corpus, tmp_path / "whole", min_count=2)
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=3, min_count=2, tmp=tmp_path / "tmp")
    assert sorted(os.listdir(tmp_path / ".out.work")) == ["job.json", "lock", "place", "result"]
    (work,) = (tmp_path / "tmp").iterdir()
    assert len(os.listdir(work / "parts")) == 3
    for resume in (True, False):
        with pytest.raises(OutputError, match=r"an interrupted run left 1,000 tokens .* the --tmp that it had"):
            build_cooc(corpus, tmp_path / "out", min_count=2, resume=resume, **CUT)
    build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, tmp=tmp_path / "tmp", **CUT)
    assert file_hashes(tmp_path / "out", leave_out=()) == file_hashes(whole.path, leave_out=())
    assert os.listdir(tmp_path / "tmp") == []
    with pytest.raises(OutputError, match=r"--tmp: .*nowhere is not a folder"):
        build_cooc(corpus, tmp_path / "more", tmp=tmp_path / "nowhere")
    leave(corpus, tmp_path / "again", monkeypatch, after_parts=3, min_count=2, tmp=tmp_path / "tmp")
    build_cooc(corpus, tmp_path / "again", min_count=2, force=True)
    assert os.listdir(tmp_path / "tmp") == []


def test_a_vanished_temporary_folder_is_one_error(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    rmtree = shutil.rmtree

    def vanish(*arguments: object) -> object:
        rmtree(tmp_path / ".out.work")
        return positions(*arguments)

    positions = passes.positions_by_word
    monkeypatch.setattr(passes, "positions_by_word", vanish)
    with pytest.raises(OutputError, match=r"out.*: can't be written: No such file"):
        build_cooc(corpus, tmp_path / "out", min_count=2, **CUT)
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_an_option_that_cannot_work_costs_no_finished_part(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=2, min_count=2)
    with pytest.raises(OptionError, match=r"--memory: .* Give more"):
        build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, memory="1M", threads=1)
    assert sorted(os.listdir(tmp_path / ".out.work" / "parts")) == ["part-00000", "part-00001"]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("part-00001/cursor.json", b"{"),
        ("part-00001/carried.npy", b""),
        ("part-00000/indptr.npy", None),
        ("part-00001/indptr.npy", None),
    ],
)
def test_a_damaged_part_is_one_error(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: bytes | None
) -> None:
    leave(corpus, tmp_path / "out", monkeypatch, after_parts=2, min_count=2)
    path = tmp_path / ".out.work" / "parts" / name
    path.write_bytes(path.read_bytes()[:-64] if damage is None else damage)
    with pytest.raises(OutputError, match=r"damaged.*--force"):
        build_cooc(corpus, tmp_path / "out", min_count=2, resume=True, **CUT)

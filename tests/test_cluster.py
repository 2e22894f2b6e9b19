"""A cluster of real processes: the same bytes as one machine, also if a worker is killed; clear errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import file_hashes, zipf_text

from glove_cli import build_cooc
from glove_cli.cluster import build, engine
from glove_cli.cluster.build import build_cooc_on
from glove_cli.errors import ClusterError, CorpusError, OptionError, OutputError

distributed = pytest.importorskip("distributed", reason="Dask is not installed (the extra cluster)")
PACKAGE_ROOT = Path(engine.__file__).parents[2]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Give a client of two workers with two threads each."""
    with (
        engine._quiet(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Give two files, which are cut into about eight parts."""
    monkeypatch.setattr(build, "LEAST_SPAN", 1 << 16)
    names = [tmp_path / "a.txt", tmp_path / "b.txt"]
    names[0].write_bytes(zipf_text(60_000, 2000, 1))
    names[1].write_bytes(zipf_text(30_000, 2000, 2).replace(b"\n", b" "))
    return names


def same(one: Path, other: Path) -> bool:
    return file_hashes(one, leave_out=()) == file_hashes(other, leave_out=())


@pytest.fixture(params=["by rows", "by parts"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count as a small corpus is, and as one that no worker can hold."""
    if request.param == "by parts":
        monkeypatch.setattr(build.count, "plan_rows", never)


def never(*given: Any) -> None:
    """Say that the corpus is too large."""


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("options", [{}, {"window": 3, "context": "left", "subsample": 0.01, "document": "none"}])
def test_the_matrix_is_that_of_one_machine(client: Any, texts: list[Path], tmp_path: Path, options: Any) -> None:
    told: list[tuple[str, int, int | None, str]] = []
    made = build_cooc_on(client, texts, tmp_path / "many", progress=lambda *step: told.append(step), **options)
    build_cooc(texts, tmp_path / "one", **options)
    assert same(tmp_path / "one", tmp_path / "many")
    assert made.V == build_cooc(texts, tmp_path / "again", **options).V
    by_parts = build.count.plan_rows is never
    assert {stage for stage, *_ in told} == {"reading", "counting", *(["adding"] if by_parts else [])}
    for stage in {stage for stage, *_ in told}:
        steps = [(done, total) for name, done, total, _ in told if name == stage]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]
    assert not list(tmp_path.glob(".*"))
    assert not client.futures  # nothing stays with the workers


@pytest.mark.usefixtures("_way")
def test_words_of_many_parts_are_merged_by_a_tree(client: Any, tmp_path: Path) -> None:
    texts = [tmp_path / f"{k:02}.txt" for k in range(40)]  # more than 2 * 16
    for k, text in enumerate(texts):
        text.write_bytes(zipf_text(300, 50 + k, k))
    build_cooc_on(client, texts, tmp_path / "many")
    build_cooc(texts, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")


def test_names_are_those_that_were_typed(
    client: Any, texts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build_cooc_on(client, "*.txt", "many")
    build_cooc("*.txt", "one")
    assert same(tmp_path / "one", tmp_path / "many")


def test_addresses_are_read_in_parts_by_the_workers(client: Any, texts: list[Path], tmp_path: Path) -> None:
    addresses = [f"file://{name}" for name in texts]
    told: list[str] = []
    build_cooc_on(client, addresses, tmp_path / "many", progress=lambda stage, *_: told.append(stage))
    assert told.count("reading") > len(texts)
    build_cooc(addresses, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")


@pytest.mark.parametrize("stage", ["reading", "counting", "reading of parts", "counting of parts", "adding of parts"])
def test_a_worker_that_is_killed_changes_nothing(
    client: Any, texts: list[Path], tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, _, parts = stage.partition(" of ")
    if parts:
        monkeypatch.setattr(build.count, "plan_rows", never)
    killed: list[int] = []

    def kill(now: str, done: int, total: int | None, unit: str) -> None:
        if now == stage and not killed:
            pids = client.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    build_cooc_on(client, texts, tmp_path / "many", progress=kill)
    assert killed
    build_cooc(texts, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")


def choose_when_lost(paths: Any, made: Any, work: Path, *given: Any) -> tuple[int, int]:
    """Choose the words, but not before the test says that something was lost."""
    while not (work / "lost").exists():
        time.sleep(0.001)
    return build.read.choose_words(paths, made, work, *given)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("name", ["ids", "words-0.npz"])
def test_a_part_that_a_machine_took_with_it_is_read_again(
    client: Any, texts: list[Path], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build.read, "choose_words", choose_when_lost)  # here, not at the workers, who are to do it
    lost: list[Path] = []

    def lose(now: str, done: int, total: int | None, unit: str) -> None:
        if done == total and not lost:
            lost.append(tmp_path / ".many.work" / "read" / "000001" / name)
            lost[0].write_bytes(bytes(lost[0].stat().st_size))  # as after a power cut
            (tmp_path / ".many.work" / "lost").touch()

    notes: list[str] = []
    build_cooc_on(client, texts, tmp_path / "many", progress=lose, note=notes.append)
    assert lost
    assert notes.count("A part of what was read was lost, and is read again.") == 1
    build_cooc(texts, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")


def test_an_interrupted_counting_goes_on_with_what_is_there(
    client: Any, texts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build.count, "plan_rows", never)

    def stop(now: str, done: int, total: int | None, unit: str) -> None:
        if now == "counting":
            raise KeyboardInterrupt

    notes: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        build_cooc_on(client, texts, tmp_path / "many", progress=stop, note=notes.append)
    assert any("Kept: " in text and "counted" in text for text in notes)
    with pytest.raises(OutputError, match=r"an interrupted run left \d+ parts read"):
        build_cooc_on(client, texts, tmp_path / "many")
    read = {path: path.stat().st_mtime_ns for path in (tmp_path / ".many.work" / "read").iterdir()}
    with (
        distributed.LocalCluster(n_workers=1, dashboard_address=":0", silence_logs=50) as cluster,
        distributed.Client(cluster) as other,
    ):
        build_cooc_on(other, texts, tmp_path / "many", resume=True, progress=lambda *step: check(read))
    build_cooc(texts, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")


def check(before: dict[Path, int]) -> None:
    """What was read is not read again."""
    assert all(path.stat().st_mtime_ns == time for path, time in before.items() if path.exists())


def test_errors_of_tasks_come_back_in_one_line(client: Any, texts: list[Path], tmp_path: Path) -> None:
    bad, alone = tmp_path / "bad.txt", tmp_path / "alone.txt"
    alone.write_bytes(b"a\nb\n" * 1000)
    bad.write_bytes(b"a b c\n" * 20_000 + b"\xff\xfe d\n")
    with pytest.raises(CorpusError, match=r"bad.txt: is not UTF-8 at byte 120,000"):
        build_cooc_on(client, [bad], tmp_path / "many", encoding_errors="strict")
    with pytest.raises(CorpusError, match="nowhere: can't be read: No such file"):
        build_cooc_on(client, [tmp_path / "nowhere"], tmp_path / "many")
    with pytest.raises(CorpusError, match="standard input: can't be read by the workers"):
        build_cooc_on(client, "-", tmp_path / "many")
    with pytest.raises(OptionError, match="--max-doc-share: can't be combined with --cluster"):
        build_cooc_on(client, texts, tmp_path / "many", max_doc_share=0.5)
    with pytest.raises(CorpusError, match="no word occurs 100000 times"):
        build_cooc_on(client, texts, tmp_path / "many", min_count=100_000)
    with pytest.raises(CorpusError, match="no two words of the vocabulary stand in one document"):
        build_cooc_on(client, [alone], tmp_path / "many")
    assert not (tmp_path / "many").exists()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("local:0", "'local:0' is no number of workers. Give 1 to 1024"),
        ("local:x", "is no number of workers"),
        ("nowhere", "'nowhere' is no cluster. Give local:4"),
        (3, "3 names no cluster"),
    ],
)
def test_what_names_no_cluster_is_refused(where: Any, message: str, texts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"--cluster: {message}" if message[0] != "i" else message):
        build_cooc_on(where, texts, tmp_path / "many")


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, texts: list[Path], tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"--cluster: needs the package distributed.*'glove-cli\[cluster\]'"):
        build_cooc_on("local:2", texts, tmp_path / "many")


def test_a_scheduler_that_is_not_there_is_one_line(
    texts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_CONNECT_SECONDS", 1)
    with pytest.raises(ClusterError, match=r"--cluster: tcp://127.0.0.1:1 can't be reached: .*Start it"):
        build_cooc_on("tcp://127.0.0.1:1", texts, tmp_path / "many")


class Answers:
    """Stands for a client whose workers answer so when they are asked for their version."""

    def __init__(self, *answers: object) -> None:
        self.answers = answers

    def wait_for_workers(self, number: int, timeout: float) -> None:
        """Wait for nothing."""

    def run(self, work: object, *given: object, on_error: str) -> dict[int, object]:
        assert on_error == "return"
        return dict(enumerate(self.answers))

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {}}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            ModuleNotFoundError("No module named 'glove_cli'"),
            "here: workers lack a package: No module named 'glove_cli'",
        ),
        ("0.0.1", f"here: workers have version 0.0.1 of glove-cli, here is {engine.__version__}. Install the same."),
    ],
)
def test_workers_that_cannot_help_are_named(answer: object, message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        engine._check_workers(Answers(engine.__version__, answer), "here")  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [OSError("Stream is closed"), TimeoutError("no answer")])
def test_workers_that_are_lost_when_they_are_asked_do_no_harm(answer: Exception) -> None:
    engine._check_workers(Answers(engine.__version__, answer), "here")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="another"):
        engine._check_workers(Answers(engine.__version__, ValueError("another")), "here")  # type: ignore[arg-type]


def test_a_folder_that_a_worker_cannot_write_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert engine._find_problem(tmp_path) == ""
    assert engine._find_problem(tmp_path / "none") == engine._find_problem(tmp_path / "file") == "isn't there"
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        assert engine._find_problem(tmp_path) == "can't be written"
    engine.check_folder(Answers("", OSError("Stream is closed")), tmp_path)  # type: ignore[arg-type]
    wanted = rf"^{tmp_path}: isn't there on the worker 1\. Choose a folder that all workers see and may write to\.$"
    with pytest.raises(OutputError, match=wanted):
        engine.check_folder(Answers("", "isn't there"), tmp_path)  # type: ignore[arg-type]


def test_counting_asks_all_workers_for_its_folder(
    texts: list[Path], tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_find_problem", _nowhere)
    with pytest.raises(OutputError, match=r"\.work: isn't there on the worker tcp://"):
        build_cooc_on(client, texts, tmp_path / "many")
    assert not list(tmp_path.glob(".many*"))


def _nowhere(folder: Path) -> str:
    return "isn't there"


def test_a_worker_with_too_little_memory_is_refused(texts: list[Path], tmp_path: Path) -> None:
    with (
        engine._quiet(),
        distributed.LocalCluster(
            n_workers=1, processes=False, memory_limit="300MB", dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as other,
        pytest.raises(ClusterError, match=r"a worker may take 286 MiB of memory, 512 MiB are needed\. Start it with"),
    ):
        build_cooc_on(other, texts, tmp_path / "many")


def test_a_cluster_without_workers_is_named(texts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_CONNECT_SECONDS", 1)
    with (
        engine._quiet(),
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0", silence_logs=50) as cluster,
        pytest.raises(ClusterError, match=r"^--cluster: .*: no worker has come: .+[^.]\. Start some\.$"),
    ):
        build_cooc_on(cluster.scheduler_address, texts, tmp_path / "many")


@pytest.mark.parametrize("stage", ["reading", "counting"])
def test_a_scheduler_that_dies_leaves_what_can_be_resumed(texts: list[Path], tmp_path: Path, stage: str) -> None:
    script = tmp_path / "scheduler.json"
    scheduler, worker = (
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + kind, "--scheduler-file", str(script), *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        )
        for kind, more in (("scheduler", ["--port", "0", "--no-dashboard"]), ("worker", ["--nworkers", "1"]))
    )  # fmt: skip
    try:
        while not script.exists():
            assert scheduler.poll() is None

        def kill(now: str, done: int, total: int | None, unit: str) -> None:
            if now == stage and (done == total or now == "counting"):
                scheduler.kill()

        with pytest.raises(ClusterError, match=r"is gone: .*the same command with --resume"):
            build_cooc_on(str(script), texts, tmp_path / "many", progress=kill)
    finally:
        scheduler.kill()
        worker.kill()
        scheduler.wait()
        worker.wait()
    build_cooc_on("local:1", texts, tmp_path / "many", resume=True)
    build_cooc(texts, tmp_path / "one")
    assert same(tmp_path / "one", tmp_path / "many")

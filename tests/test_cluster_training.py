"""Training on a cluster: the same bytes as on one machine, whatever happens to its workers."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import zipf_text
from training_runs import QUICK, equal, leave

from glove_cli.cluster import training_lead
from glove_cli.cluster.ring import Ring
from glove_cli.cluster.training import train_on
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError, OptionError, OutputError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training.checkpoint import describe_checkpoints
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train
from glove_cli.training.schedule import rounds

if TYPE_CHECKING:
    from distributed import Client

pytestmark = pytest.mark.usefixtures("in_a_folder")


@contextlib.contextmanager
def cluster(workers: int, threads: int = 1) -> Iterator[Client]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=threads, processes=True, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def three() -> Iterator[Client]:
    """Give a client of a cluster of three workers."""
    with cluster(3) as client:
        yield client


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> CoocMatrix:
    """Give a matrix whose tiles are worked on in groups of two by two, in more than twenty rounds."""
    ids = np.random.default_rng(3).integers(700, size=60_000)
    text = "\n".join(" ".join(f"w{i}" for i in ids[k : k + 100]) for k in range(0, len(ids), 100))
    return build_cooc(io.BytesIO(text.encode()), tmp_path_factory.mktemp("dense") / "cooc", window=10, min_count=1)


# --- who holds what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "threads"), [(1, [1]), (4, [1, 1]), (7, [1, 2, 1]), (16, [8, 1, 1, 4]), (3, [1] * 3)]
)
def test_positions_are_shared_out_by_threads(groups: int, threads: list[int]) -> None:
    ring = Ring.of(groups, 1, threads)
    sizes = np.diff(ring.edges)
    assert ring.edges[0] == 0
    assert sizes.sum() == groups
    assert sizes.min() >= 1
    ideal = np.array(threads) * (groups - len(threads)) / sum(threads) + 1
    assert np.abs(sizes - ideal).max() <= 1


@pytest.mark.parametrize("threads", [[1], [1, 1], [1, 2, 1], [1] * 6])
def test_every_tile_is_met_by_whoever_holds_its_blocks_and_one_group_moves_a_round(threads: list[int]) -> None:
    ring = Ring.of(6, 5, threads)
    for epoch in (1, 2):
        met = set()
        for number, tiles in enumerate(rounds(12, 2, 5, epoch)):
            for h in range(ring.holders):
                words, contexts = ring.words(h, epoch), ring.contexts(h, epoch, number)
                mine = tiles[ring.edges[h] : ring.edges[h + 1]]
                assert (mine // 12 // 2 == words[:, None, None]).all()
                assert (mine % 12 // 2 == contexts[:, None, None]).all()
                met.update(mine.ravel().tolist())
                if number + 1 < ring.groups:
                    after = ring.contexts(h, epoch, number + 1)
                    given = ring.contexts((h + 1) % ring.holders, epoch, number)[0]
                    assert set(after) == set(contexts[1:]) | {given}
        assert met == set(range(144))


def test_contexts_stay_where_they_are_when_an_epoch_ends() -> None:
    ring = Ring.of(8, 1, [1, 1, 1])
    for h in range(3):
        assert (ring.contexts(h, 2, 8) == ring.contexts(h, 2, 7)).all()
        assert set(ring.contexts(h, 2, 8)) == set(np.flatnonzero(ring.whose(1, 2) == h))
        assert set(ring.words(h, 2)) == set(np.flatnonzero(ring.whose(0, 2) == h))


# --- the same bytes -------------------------------------------------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {},
    {"min_weight": 0.1, "holdout": 0.1},
    {"dtype": "float64", "seed": 2, "init_biases": "fit"},
    {"x_max": "auto", "bias_eta": 0.0, "patience": 1, "min_improvement": 0.9},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options), "usual"))
def test_three_workers_make_the_bytes_of_one_machine(three: Client, dense: CoocMatrix, options: dict[str, Any]) -> None:
    notes: list[list[str]] = [[], []]
    reports: list[list[EpochReport]] = [[], []]
    steps: list[tuple[Any, ...]] = []
    options = {**QUICK, **options}
    one = train(dense, out="here/model", note=notes[0].append, on_epoch=reports[0].append, **options)
    many = train_on(
        three, dense, "there/model", note=notes[1].append, on_epoch=reports[1].append,
        progress=lambda *step: steps.append(step), **options,
    )  # fmt: skip
    entries = reports[1][-1].entries
    assert steps[-1] == ("training", len(reports[1]) * entries, QUICK["epochs"] * entries, "entry")
    whole = 2 * dense.nnz
    assert ("preparing", whole, whole, "entry") in steps
    assert equal("here/model", "there/model")
    assert sorted(os.listdir("there")) == sorted(os.listdir("here"))  # and no work is left
    assert [text for text in notes[0] if not text.startswith("Memory")] == notes[1]
    assert [(r.epoch, r.epochs, r.cost, r.entries, r.holdout_cost) for r in reports[0]] == [
        (r.epoch, r.epochs, r.cost, r.entries, r.holdout_cost) for r in reports[1]
    ]
    assert actors_left(three) == 0
    metas = [{k: v for k, v in model.meta.items() if k not in ("seconds", "history", "files")} for model in (one, many)]
    metas = [{k: v for k, v in meta.items() if k != "sha256"} for meta in metas]
    assert metas[0] == metas[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_fewer_workers_make_the_same_bytes(
    three: Client, dense: CoocMatrix, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    find = training_lead.find_workers
    monkeypatch.setattr(training_lead, "find_workers", lambda client: dict(sorted(find(client).items())[:workers]))
    train(dense, out="one/model", **QUICK)
    train_on(three, dense.path, "many/model", **QUICK)
    assert equal("one/model", "many/model")


def test_workers_with_several_threads_make_the_same_bytes(three: Client, dense: CoocMatrix) -> None:
    def set_threads(threads: int, dask_worker: Any) -> None:
        dask_worker.state.nthreads = threads

    three.run(set_threads, 8)  # more than half of the groups that each has, so that they take steps of groups
    try:
        train(dense, out="one/model", **QUICK)
        train_on(three, dense.path, "many/model", **QUICK)
    finally:
        three.run(set_threads, 1)
    assert equal("one/model", "many/model")


def test_more_workers_than_groups_are_too_many_and_do_no_harm(three: Client) -> None:
    matrix = build_cooc(io.BytesIO(zipf_text(3000, 40, 1)), "tiny", window=3)  # all in one block
    train(matrix, out="one/model", **QUICK)
    train_on(three, "tiny", "many/model", **QUICK)
    assert equal("one/model", "many/model")


def test_it_starts_from_a_model_and_keeps_its_tiles_where_it_is_told(three: Client, cooc: CoocMatrix) -> None:
    train(cooc, out="first", **QUICK)
    for name, run in (("one", train), ("many", lambda *a, **o: train_on(three, *a, **o))):
        run(cooc, out=f"{name}/model", init="first", process="mean,unit", tiles="kept", seed=3, **QUICK)
    assert equal("one/model", "many/model")
    assert GloveModel.load("many/model").meta["init"] == "first"
    assert os.listdir("many") == ["model"]


def actors_left(client: Client) -> int:
    """Return how many actors workers have, when those that are let go of have had some seconds to go."""
    left = 0
    for _ in range(50):
        gc.collect()
        left = sum(client.run(lambda dask_worker: len(dask_worker.state.actors)).values())
        if not left:
            break
        time.sleep(0.1)
    return left


# --- going on -------------------------------------------------------------------------------------------------------


def test_a_cluster_goes_on_from_what_one_machine_left(
    three: Client, cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cooc, out="whole", **QUICK)
    leave(cooc, "model", monkeypatch, rounds=6)
    said: list[str] = []
    with pytest.raises(OutputError, match="an interrupted run left"):
        train_on(three, cooc, "model", **QUICK)
    train_on(three, cooc, "model", resume=True, note=said.append, **QUICK)
    assert "Going on with an interrupted run: a checkpoint after 2 rounds of epoch 2." in said
    assert equal("model", "whole")
    assert not os.path.exists(".model.work")


@pytest.mark.parametrize("where", ["between rounds", "after an epoch"])
def test_one_machine_goes_on_from_what_a_cluster_left(three: Client, dense: CoocMatrix, where: str) -> None:
    train(dense, out="whole", **QUICK)
    said: list[str] = []
    steps = 0

    def progress(stage: str, *step: Any) -> None:
        nonlocal steps
        steps += stage == "training"
        if steps == 3 and where == "between rounds":
            os.kill(os.getpid(), signal.SIGINT)

    def on_epoch(report: EpochReport) -> None:
        if report.epoch == 2 and where == "after an epoch":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_on(
            three, dense, "model", checkpoint_every="1s", note=said.append, progress=progress, on_epoch=on_epoch,
            **QUICK,
        )  # fmt: skip
    assert said[-1].endswith("; go on from there with --resume.")
    assert describe_checkpoints(Path(".model.work"))
    train(dense, out="model", resume=True, **QUICK)
    assert equal("model", "whole")


def test_a_finished_training_goes_on_with_more_epochs(three: Client, cooc: CoocMatrix) -> None:
    train(cooc, out="whole", **{**QUICK, "epochs": 6})
    train(cooc, out="model", **{**QUICK, "epochs": 2})
    said: list[str] = []
    train_on(three, cooc, "model", resume=True, **{**QUICK, "epochs": 6})
    train_on(three, cooc, "model", resume=True, note=said.append, **{**QUICK, "epochs": 6})
    assert equal("model", "whole")
    assert said == ["model was finished already (6 epochs)."]


# --- failures -------------------------------------------------------------------------------------------------------


def kill_one(client: Client) -> None:
    """Kill one of the workers; its nanny starts another."""
    client.wait_for_workers(3, timeout=60)
    os.kill(random.choice(list(client.run(os.getpid).values())), signal.SIGKILL)


@pytest.mark.parametrize(("every", "when"), [("0.2s", "anywhere"), ("never", "at the end")])
def test_workers_killed_at_any_moment_change_nothing(three: Client, dense: CoocMatrix, every: str, when: str) -> None:
    options = {**QUICK, "holdout": 0.05}
    train(dense, out="whole", **options)
    share = random.random() * 0.9 if when == "anywhere" else 1.0
    said: list[str] = []
    reports: list[EpochReport] = []
    killed: list[int] = []

    def progress(stage: str, done: int, total: int | None, unit: str) -> None:
        if stage == "training" and total is not None and done >= share * total and not killed:
            killed.append(done)
            kill_one(three)

    train_on(
        three, dense, "model", checkpoint_every=every, progress=progress, note=said.append, on_epoch=reports.append,
        **options,
    )  # fmt: skip
    assert any(text.startswith("A worker was lost (") for text in said), killed
    assert equal("model", "whole")
    assert [report.epoch for report in reports] == [1, 2, 3, 4]


def note_looks(places: Iterable[str]) -> None:
    """Have a worker note in its environment which files and names it looks at anew."""
    for place in places:
        module, name = importlib.import_module(place.rpartition(".")[0]), place.rpartition(".")[2]
        look = getattr(module, name)

        def noted(path: Path, place: str = place, look: Callable[[Path], None] = look) -> None:
            os.environ["LOOKS"] = os.environ.get("LOOKS", "") + f"{place} {path.name}\n"
            look(path)

        setattr(module, name, noted)


def test_every_machine_looks_anew_at_what_others_make(
    cooc: CoocMatrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks, holder = "glove_cli.cluster.training_tasks", "glove_cli.cluster.holder"
    here: list[Path] = []
    monkeypatch.setattr("glove_cli.cluster.training.see_name", here.append)
    with cluster(2) as client:
        client.run(note_looks, [f"{tasks}.see_name", f"{tasks}.see_parts", f"{holder}.see_name"])
        train_on(client, cooc, tmp_path / "model", **QUICK)
        looks = [text.splitlines() for text in client.run(lambda: os.environ["LOOKS"]).values()]
    assert here == [tmp_path / "model"]
    assert all(f"{holder}.see_name tiles" in each for each in looks)
    of_tasks = {line for each in looks for line in each if line.startswith(tasks)}
    assert {f"{tasks}.see_name tiles", f"{tasks}.see_name checkpoint"} < of_tasks
    parts = sorted(line for line in of_tasks if "see_parts" in line)
    assert parts[0].endswith(" checkpoint-00-000001-000000")  # before it is trained on
    assert len(parts) == 2  # and the last one, before a model is made of it


def test_blocks_that_memory_cannot_hold_are_refused(three: Client, cooc: CoocMatrix) -> None:
    def widen(by: int) -> None:
        from glove_cli.cluster import holder
        from glove_cli.training import state

        holder.row_width = lambda dim: state.row_width(dim) << by  # type: ignore[attr-defined]

    three.run(widen, 40)
    try:
        with pytest.raises(TrainingError, match=r"--dim: the blocks of the worker .* of memory, it has .* Add workers"):
            train_on(three, cooc, "model", **QUICK)
    finally:
        three.run(widen, 0)
    train(cooc, out="whole", **QUICK)
    train_on(three, cooc, "model", resume=True, **QUICK)
    assert equal("model", "whole")


def test_a_training_that_diverges_ends_as_on_one_machine(three: Client, cooc: CoocMatrix) -> None:
    for run in (train, lambda *a, **o: train_on(three, *a, **o)):
        with pytest.raises(TrainingError, match=r"--eta: training has diverged in epoch \d: .* Lower --eta \(50\)"):
            run(cooc, out="model", force=True, **{**QUICK, "eta": 50.0, "bias_eta": 50.0})


def test_a_checkpoint_that_cannot_be_written_costs_only_itself(
    three: Client, cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> Path:
        raise OutputError("x: can't be written: No space left on device. Free space or choose another place.")

    said: list[str] = []
    train(cooc, out="whole", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("glove_cli.cluster.training_lead.begin_parts", full)
        with pytest.raises(OutputError, match="No space left"):  # what is trained has to be written in the end
            train_on(three, cooc, "model", checkpoint_every="0.0001s", note=said.append, **QUICK)
    assert said[0].startswith("Warning: no checkpoint: x: can't be written: No space left on device.")
    train_on(three, cooc, "model", resume=True, **QUICK)
    assert equal("model", "whole")


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluate": len}, "--evaluate: isn't possible with --cluster"),
        ({"anchor_strength": 0.1, "init": "x"}, "--anchor-strength: 0.1 isn't possible with --cluster"),
        ({"on_divergence": "halve-eta"}, "--on-divergence: 'halve-eta' isn't possible"),
        ({"init": np.ones(3)}, "--init: a ndarray in memory isn't possible"),
        ({"out": None}, "out: a cluster needs a folder"),
        ({"matrix": np.ones((2, 2))}, "matrix: a ndarray in memory isn't possible"),
        ({"dim": 0}, "--dim: 0 is not a positive integer"),
        ({"much": 1}, "much: is not an option of training"),
        ({"checkpoint_every": "often"}, "--checkpoint-every: 'often' is no interval"),
        ({"memory": "much"}, "--memory: 'much' is not a size"),
    ],
)
def test_what_is_not_possible_is_refused_before_any_work(
    cooc: CoocMatrix, options: dict[str, Any], message: str
) -> None:
    client: Any = None
    with pytest.raises(OptionError, match=message):
        train_on(client, **{"matrix": cooc, "out": "model", **QUICK, **options})
    assert os.listdir() == []


def test_workers_that_are_threads_of_one_process_are_refused(cooc: CoocMatrix) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0", silence_logs=50) as local,
        distributed.Client(local) as client,
        pytest.raises(OptionError, match="--cluster: its workers are threads of one process"),
    ):
        train_on(client, cooc, "model", **QUICK)
    assert os.listdir() == []


def test_a_matrix_that_is_not_there_is_refused() -> None:
    client: Any = None
    with pytest.raises(FormatError, match="nowhere"):
        train_on(client, "nowhere", "model", **QUICK)

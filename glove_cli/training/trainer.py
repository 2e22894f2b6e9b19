"""GloVe, trained: find vectors w, c and biases b such that w_i . c_j + b_i + b_j comes near log X_ij.

    draw small numbers for all vectors and biases
    cut the entries of X into tiles                          tiles
    for each epoch:
        for each round of tiles that touch nothing in common:    schedule
            several threads at once, for each entry of a tile:   kernels
                diff = w_i . c_j + b_i + b_j - log X_ij
                move w_i, c_j, b_i, b_j against the gradient of f(X_ij) diff^2, by AdaGrad

The result depends on the matrix, the options and the seed alone, not on the number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.parallel import Progress, thread_count
from glove_cli.training import kernels
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.objective import entry_weights
from glove_cli.training.schedule import rounds
from glove_cli.training.state import PARAMETERS, State
from glove_cli.training.tiles import ENTRY, MAX_BLOCK, Tiles, build_tiles

if TYPE_CHECKING:
    from glove_cli.training.counts import CountsLike

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EpochReport:
    """How an epoch went.

    Attributes
    ----------
    epoch, epochs : int
        Its number, from 1, and how many there will be.
    cost : float
        Mean of 1/2 f(x) diff^2 over the entries, each as it was when it was met.
    entries : int
        Entries trained in an epoch.
    seconds : float
        Time that it took.
    """

    epoch: int
    epochs: int
    cost: float
    entries: int
    seconds: float

    @property
    def entries_per_second(self) -> float:
        """Speed, in entries per second."""
        return self.entries / self.seconds

    @property
    def seconds_left(self) -> float:
        """Time that the epochs to come will take at this speed, in seconds."""
        return (self.epochs - self.epoch) * self.seconds


def train(
    matrix: CountsLike,
    words: Sequence[str] | None = None,
    *,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
    threads: int | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> GloveModel:
    """Train word vectors on co-occurrence counts.

    Parameters
    ----------
    matrix : CoocMatrix, path-like, or SciPy sparse matrix (V, V)
        What `build_cooc` made, its folder, or positive counts of your own.
    words : sequence of str, length V, optional
        The words of a SciPy matrix.
    counts : sequence of int, length V, optional
        How often each word of a SciPy matrix occurs; without it, its row sums stand in.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    on_epoch : callable, optional
        Called with an `EpochReport` after each epoch.
    progress : callable, optional
        Called with (stage, done, total, unit): ("preparing", ..., "entry"), then ("training", ..., "entry").
    **options
        The fields of `TrainConfig`: dim, epochs, x_max, alpha, eta, bias_eta, grad_clip, seed.

    Returns
    -------
    GloveModel

    Raises
    ------
    OptionError
        If an option's value cannot work.
    TrainingError
        If there are no entries, one is not positive and finite, or the cost stops being a finite number.
    FormatError
        If the matrix can't be opened.

    Notes
    -----
    The rule is that of the reference implementation (AdaGrad; Duchi, Hazan and Singer 2011). The order of the entries
    is not: they are mixed within tiles, and the order of the tiles is drawn anew for each epoch.
    """
    config = make_config(options)
    threads = thread_count(threads)
    source = find_counts(matrix, words, counts)
    begin = time.perf_counter()

    def show(stage: str, total: int, before: int, done: int) -> None:
        if progress:
            progress(stage, before + done, total, "entry")

    tiles = build_tiles(source, config, threads=threads, on_entries=partial(show, "preparing", source.nnz, 0))
    parameters = first_parameters(source.V, config)
    state = State.pack(parameters, tiles.deal.place, tiles.deal.rows, eta=config.eta, bias_eta=config.bias_eta)
    history: list[dict[str, Any]] = []
    with Trainer(tiles, state, config, threads) as trainer:
        for epoch in range(1, config.epochs + 1):
            before = (epoch - 1) * source.nnz
            report = trainer.run_epoch(epoch, partial(show, "training", config.epochs * source.nnz, before))
            _check_finite(f"the cost of epoch {epoch}", report.cost, config)
            history.append({"epoch": epoch, "cost": report.cost})
            if on_epoch:
                on_epoch(report)
    state.unpack(parameters)
    for name, array in zip(PARAMETERS, parameters, strict=True):
        _check_finite(f"a number of {name}", array, config)
    meta = {
        "options": asdict(config),
        "cooc": source.meta,
        "history": history,
        "seconds": round(time.perf_counter() - begin, 3),
    }
    return GloveModel(source.vocab, **dict(zip(PARAMETERS, parameters, strict=True)), meta=meta)


def make_config(options: dict[str, Any]) -> TrainConfig:
    """Make a `TrainConfig` of keyword arguments, with a clear error for one that doesn't exist."""
    unknown = sorted(set(options) - set(asdict(TrainConfig())))
    if unknown:
        raise OptionError(
            f"{unknown[0]}: is not an option of training. Choose from {', '.join(asdict(TrainConfig()))}."
        )
    return TrainConfig(**options)


def _check_finite(what: str, values: float | Floats, config: TrainConfig) -> None:
    """Stop when training has diverged."""
    if not np.isfinite(values).all():
        raise TrainingError(
            f"--eta: {what} is not finite: training has diverged. "
            f"Lower --eta ({config.eta:g}) or --bias-eta ({config.bias_eta:g})."
        )


def first_parameters(V: int, config: TrainConfig) -> list[Floats]:
    """Return what training starts from, in the order of PARAMETERS.

    Parameters
    ----------
    V : int
        Number of words.
    config : TrainConfig

    Returns
    -------
    list of float32 arrays
        (V, d) twice, (V,) twice: uniform in +-1/(2 d), as in the reference; then as many arrays of ones.
    """
    d = config.dim
    rng = np.random.default_rng([config.seed, 0])
    shapes = ((V, d), (V, d), (V,), (V,))
    drawn = [rng.random(shape, np.float32) for shape in shapes]
    for array in drawn:
        array -= np.float32(0.5)
        array /= np.float32(d)
    return [*drawn, *(np.ones(shape, np.float32) for shape in shapes)]


class Trainer:
    """Runs epochs over tiles, with threads that live for a `with` block."""

    def __init__(self, tiles: Tiles, state: State, config: TrainConfig, threads: int) -> None:
        self._tiles, self._state, self._config = tiles, state, config
        self._pool = ThreadPoolExecutor(threads)
        self._lengths: SimpleQueue[NDArray[np.float32]] = SimpleQueue()
        for _ in range(threads):
            self._lengths.put(np.empty((2, tiles.deal.block_size), np.float32))

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def run_epoch(self, epoch: int, on_entries: Callable[[int], None]) -> EpochReport:
        """Train on every entry once.

        Parameters
        ----------
        epoch : int
            From 1; draws the order of the tiles.
        on_entries : callable
            Called after each round with the number of entries done so far.

        Returns
        -------
        EpochReport
        """
        tiles = self._tiles
        begin = time.perf_counter()
        cost, done = 0.0, 0
        for together in rounds(tiles.deal.blocks, self._config.seed, epoch):
            # The largest first, so that threads end at about the same time. Costs are added in an order of their own.
            sizes = {tile: len(tiles.tile(*tile)) for tile in together}
            running = {t: self._pool.submit(self._run_tile, *t) for t in sorted(together, key=lambda t: -sizes[t])}
            cost += sum(running[tile].result() for tile in together)
            done += sum(sizes.values())
            on_entries(done)
        seconds = time.perf_counter() - begin
        return EpochReport(epoch, self._config.epochs, cost / done, done, seconds)

    def _run_tile(self, row_block: int, col_block: int) -> float:
        """Train on the entries of one tile; return their cost."""
        size = self._tiles.deal.block_size
        words = self._state.words[row_block * size : (row_block + 1) * size]
        contexts = self._state.contexts[col_block * size : (col_block + 1) * size]
        lengths = self._lengths.get()
        try:
            return _update(words, contexts, self._tiles.tile(row_block, col_block), self._config, lengths)
        finally:
            self._lengths.put(lengths)


def run_entries(
    W: Floats,
    C: Floats,
    b_w: Floats,
    b_c: Floats,
    gradsq_W: Floats,
    gradsq_C: Floats,
    gradsq_b_w: Floats,
    gradsq_b_c: Floats,
    row: NDArray[np.integer],
    col: NDArray[np.integer],
    x: NDArray[np.floating],
    config: TrainConfig,
) -> float:
    """Train on entries in the order in which they stand, as the reference does with one thread.

    Parameters
    ----------
    W, C : float32 arrays (V, d)
        Word and context vectors; changed in place, as all that follow.
    b_w, b_c : float32 arrays (V,)
        Biases.
    gradsq_W, gradsq_C : float32 arrays (V, d)
        Sums of squared steps, at least 1.
    gradsq_b_w, gradsq_b_c : float32 arrays (V,)
        Those of the biases.
    row, col : integer arrays (n,)
        Words and contexts, from 0; V is at most 65,536.
    x : array (n,)
        Counts, positive and finite.
    config : TrainConfig

    Returns
    -------
    float
        Mean cost, 1/2 f(x) diff^2.

    Raises
    ------
    TrainingError
        If the arrays don't fit together, or an entry is out of range or not positive and finite.
    """
    parameters = (W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c)
    V = len(b_w)
    shapes = {name: (V, config.dim) if name.endswith(("W", "C")) else (V,) for name in PARAMETERS}
    for name, array in zip(PARAMETERS, parameters, strict=True):
        if array.shape != shapes[name] or array.dtype != np.float32:
            raise TrainingError(f"{name}: is {array.dtype} {array.shape}. Give float32 {shapes[name]}.")
    row, col, x = (np.asarray(array) for array in (row, col, x))
    if not 0 < V <= MAX_BLOCK or not len(row) == len(col) == len(x) > 0:
        raise TrainingError(f"entries: {len(row)}, {len(col)}, {len(x)} of {V} words. Give as many of each, and words.")
    for ids in (row, col):
        if ids.min() < 0 or ids.max() >= V:
            raise TrainingError(f"entries: words {ids.min()} to {ids.max()} of {V}. Give numbers from 0 to {V - 1}.")
    if not (np.isfinite(x) & (x > 0)).all():
        raise TrainingError("entries: some are not positive and finite. Leave them out.")
    entries = np.empty(len(x), ENTRY)
    entries["row"], entries["col"], entries["log_x"] = row, col, np.log(x)
    entries["weight"] = entry_weights(x, config.x_max, config.alpha)
    state = State.pack(parameters, np.arange(V, dtype=np.int32), V, eta=config.eta, bias_eta=config.bias_eta)
    cost = _update(state.words, state.contexts, entries, config, np.empty((2, V), np.float32))
    state.unpack(parameters)
    return cost / len(x)


def _update(words: Floats, contexts: Floats, entries: NDArray[np.void], config: TrainConfig, lengths: Floats) -> float:
    """Call the kernel; `lengths` float32 (2, rows) is overwritten."""
    eta, clip = np.float32(config.eta), np.float32(config.grad_clip)
    return float(kernels.train_entries(words, contexts, entries, config.dim, eta, clip, lengths[0], lengths[1]))

"""From the state of training to a model, in memory or on the disk, a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import TrainingError
from glove_cli.folder import FolderWriter, ResultFolder
from glove_cli.model import MODEL_FORMAT, MODEL_VERSION, GloveModel, finish_model
from glove_cli.training.history import HISTORY_NAME
from glove_cli.training.state import Rows, State, row_steps
from glove_cli.vocab import Vocab

PACKED_SUMS = "packed_bias_sums"
# Arrays of a model by side, in the order of `Rows`.
_NAMES = (("W", "b_w", "gradsq_W", "gradsq_b_w"), ("C", "b_c", "gradsq_C", "gradsq_b_c"))


def check_finite(state: State) -> None:
    """Refuse parameters that aren't all finite.

    Parameters
    ----------
    state : State

    Raises
    ------
    TrainingError
        It names the kind of parameter.
    """
    for side in (0, 1):
        for rows in _pieces(state, side):
            for name, values in zip(_NAMES[side], rows, strict=True):
                if not np.isfinite(values).all():
                    raise TrainingError(
                        f"--eta: a number of {name} is not finite: training has diverged. Lower --eta or --bias-eta."
                    )


def to_model(state: State, vocab: Vocab, meta: dict[str, Any]) -> GloveModel:
    """Return a model whose arrays are in memory.

    Parameters
    ----------
    state : State
    vocab : Vocab
    meta : dict
    """
    ids = np.arange(len(vocab))
    arrays: dict[str, NDArray[Any]] = {}
    for side in (0, 1):
        arrays |= dict(zip(_NAMES[side], state.take(side, ids), strict=True))
    return GloveModel(vocab, **arrays, meta=meta)


def write_model(folder: Path, state: State, vocab: Vocab, meta: dict[str, Any]) -> None:
    """Write a model's files into a folder, which `GloveModel.load` reads.

    Parameters
    ----------
    folder : Path
    state : State
    vocab : Vocab
    meta : dict
        Its "history" also becomes `history.jsonl`.
    """
    writer = FolderWriter(folder)
    writer.vocab(vocab)
    V, d = len(vocab), state.dim
    dtype = state.words.dtype
    for side in (0, 1):
        kinds = ((V, d), dtype), ((V,), dtype), ((V, d), dtype), ((V,), np.dtype(np.float64))
        for part, (name, (shape, kind)) in enumerate(zip(_NAMES[side], kinds, strict=True)):
            writer.rows(name, kind, shape, (rows[part] for rows in _pieces(state, side)))
    if dtype == np.float64:  # float32 comes back exactly from gradsq_b_*, float64 does not
        writer.array(PACKED_SUMS, np.stack([state.bias_sums(side) for side in (0, 1)]))
    writer.text(HISTORY_NAME, history_lines(meta["history"]))
    finish_model(writer, V, d, dtype, meta)


def restore_bias_sums(folder: Path, state: State) -> None:
    """Give the biases of a state their sums of squares to the last bit, where `write_model` kept them apart.

    Parameters
    ----------
    folder : Path
        The model.
    state : State
        Filled from it.
    """
    if state.words.dtype == np.float64:
        opened = ResultFolder.open(folder, MODEL_FORMAT, MODEL_VERSION, remedy="Train again with --force.")
        sums = opened.array(PACKED_SUMS, np.float64, (2, len(state.place)))
        for side in (0, 1):
            state.set_bias_sums(side, sums[side])


def history_lines(history: Sequence[dict[str, Any]]) -> str:
    """Return a history as JSON, a line an epoch.

    Parameters
    ----------
    history : sequence of dict
    """
    return "".join(json.dumps(entry) + "\n" for entry in history)


def sum_vectors(state: State) -> NDArray[np.float32]:
    """Return w + c of every word, float32 (V, d).

    Parameters
    ----------
    state : State
    """
    vectors = np.empty((len(state.place), state.dim), np.float32)
    first = 0
    for words, contexts in zip(_pieces(state, 0), _pieces(state, 1), strict=True):
        vectors[first : first + len(words.vectors)] = words.vectors + contexts.vectors
        first += len(words.vectors)
    return vectors


def _pieces(state: State, side: int) -> Iterator[Rows]:
    for ids in row_steps(len(state.place), state.dim):
        yield state.take(side, ids)

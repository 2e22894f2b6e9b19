"""Checkpoints: all that training needs to go on from the end of a round, to the last bit.

A checkpoint is a result folder like others: it appears under its name when it is complete and on the disk. The last two
are kept, so that where there are two, a damaged one costs no more than the time since the one before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.files import META_NAME, output_folder
from glove_cli.folder import FolderWriter, ResultFolder
from glove_cli.inputs import parse_json
from glove_cli.model import GloveModel
from glove_cli.temporary import remove_folder
from glove_cli.training.position import Position
from glove_cli.training.result import to_model
from glove_cli.training.state import State
from glove_cli.vocab import Vocab

FORMAT = "glove-checkpoint"
VERSION = 1
DEFAULT_INTERVAL = "10m"
_NAME = "checkpoint-{:02}-{:06}-{:06}"  # what comes later is sorted behind
_KEPT = 2
_PATTERN = re.compile(r"checkpoint-(\d+)-(\d+)-(\d+)")
_INTERVAL = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|h|d|epochs?)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
ARRAYS = ("words", "contexts", "word_lengths", "context_lengths")
_REMEDY = "Begin again with --force."
Result = TypeVar("Result")


@dataclass(frozen=True)
class Interval:
    """How often to write a checkpoint: every so many seconds or epochs; never, if both are None."""

    seconds: float | None = None
    epochs: int | None = None

    @classmethod
    def parse(cls, text: str | None) -> Interval:
        """Read "90s", "10m", "2h", "1d", "1 epoch", "5 epochs" or "never".

        Raises
        ------
        OptionError
            If it is none of these.
        """
        if text is None or text == "never":
            return cls()
        match = _INTERVAL.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is not None and float(match[1]) > 0:
            if match[2] in _SECONDS:
                return cls(seconds=float(match[1]) * _SECONDS[match[2]])
            if "." not in match[1]:
                return cls(epochs=int(match[1]))
        raise OptionError(
            f"--checkpoint-every: {text!r} is no interval. Give one such as 90s, 10m, 2h, '5 epochs' or never."
        )


def save_checkpoint(
    folder: Path,
    state: State,
    vocab: Vocab,
    position: Position,
    good: tuple[NDArray[Any], ...] = (),
    job: dict[str, Any] | None = None,
) -> Path:
    """Write a checkpoint; then drop all but the last two.

    Parameters
    ----------
    folder : Path
        Where checkpoints are.
    state : State
    vocab : Vocab
        The words of the state.
    position : Position
    good : tuple of arrays
        A copy of the arrays of the state as they were at the beginning of the epoch, if there is one.
    job : dict, optional
        Options and hashes of the training.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it can't be written; those before it stand.
    """
    path = checkpoint_path(folder, position)
    with output_folder(path, force=True) as temporary:
        writer = FolderWriter(temporary)
        for name in ARRAYS:
            writer.array(name, getattr(state, name))
        for name, array in zip(ARRAYS, good, strict=False):
            writer.array(f"good_{name}", array)
        finish_checkpoint(writer, state.place, vocab, position, job, state.dim, state.bias_scale, has_good=bool(good))
    drop_old(folder)
    return path


def checkpoint_path(folder: Path, position: Position) -> Path:
    """Return where the checkpoint of a position is.

    Parameters
    ----------
    folder : Path
    position : Position
    """
    return folder / _NAME.format(position.halvings, position.epoch, position.round)


def finish_checkpoint(
    writer: FolderWriter,
    place: NDArray[np.int32],
    vocab: Vocab,
    position: Position,
    job: dict[str, Any] | None,
    dim: int,
    bias_scale: float,
    *,
    has_good: bool = False,
) -> None:
    """Write what a checkpoint holds beside the arrays of the state.

    Parameters
    ----------
    writer : FolderWriter
        Has written the arrays.
    place : int32 array (V,)
    vocab : Vocab
    position : Position
    job : dict, optional
    dim : int
    bias_scale : float
    has_good : bool
        See `save_checkpoint` and `State`.
    """
    writer.array("place", place)
    writer.vocab(vocab)
    what = {"dim": dim, "bias_scale": bias_scale, "has_good": has_good}
    writer.finish(FORMAT, VERSION, **what, position=asdict(position), job=job)


def drop_old(folder: Path) -> None:
    """Remove all checkpoints but the last two.

    Parameters
    ----------
    folder : Path
    """
    for old in _names(folder)[:-_KEPT]:
        remove_folder(folder / old)


def load_checkpoint(
    folder: Path,
    state: State,
    note: Callable[[str], None] = lambda text: None,
    job: dict[str, Any] | None = None,
) -> tuple[Position, tuple[NDArray[Any], ...]]:
    """Fill a state from the last checkpoint that is as it was written.

    Parameters
    ----------
    folder : Path
    state : State
    note : callable
        Called with a word about each that is damaged.
    job : dict, optional
        Options and hashes of the training: a checkpoint of another one is refused.

    Returns
    -------
    position : Position
    good : tuple of arrays
        See `save_checkpoint`.

    Raises
    ------
    FormatError
        If none is whole.
    """

    def fill(opened: ResultFolder) -> tuple[Position, tuple[NDArray[Any], ...]]:
        arrays = {array: getattr(state, array) for array in ARRAYS}
        for array, target in arrays.items():
            opened.read_into(array, target)
        good: tuple[NDArray[Any], ...] = ()
        if opened.meta.get("has_good"):
            good = tuple(np.array(opened.array(f"good_{n}", a.dtype, a.shape)) for n, a in arrays.items())
        return Position.read(opened.meta["position"]), good

    return use_checkpoint(folder, fill, note, job)


def use_checkpoint(
    folder: Path,
    use: Callable[[ResultFolder], Result],
    note: Callable[[str], None] = lambda text: None,
    job: dict[str, Any] | None = None,
) -> Result:
    """Do something with the last checkpoint that is as it was written; return what `use` returns of it.

    Parameters
    ----------
    folder : Path
    use : callable
        Called with a checkpoint that is whole; where it raises an error of damage, with the one before.
    note, job
        See `load_checkpoint`.

    Raises
    ------
    FormatError
        If none is whole.
    """
    for left in folder.glob(".checkpoint-*"):  # of a run that was killed while it wrote one
        remove_folder(left)
    problem: FormatError | None = None
    names = _names(folder)
    for name in reversed(names):
        try:
            opened = ResultFolder.open(folder / name, FORMAT, VERSION, remedy=_REMEDY)
            opened.verify()
            if opened.meta.get("job") != json.loads(json.dumps(job)):
                raise FormatError(f"{folder / name}: is of another matrix or other options. {_REMEDY}")
            return use(opened)
        except FormatError as error:
            problem = error
        except (TypeError, KeyError, ValueError, OSError) as error:
            problem = FormatError(f"{folder / name}: is damaged: {error}. {_REMEDY}")
        if name != names[0]:
            note(f"{problem} Going back to the one before.")
    raise problem or FormatError(f"{folder}: holds no checkpoint. {_REMEDY}")


def is_checkpoint(path: Path) -> bool:
    """Tell whether a folder says that it is a checkpoint.

    Parameters
    ----------
    path : Path
    """
    try:
        return bool(parse_json((path / META_NAME).read_bytes())["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_checkpoint(path: Path) -> GloveModel:
    """Return the parameters of a checkpoint as a model, to start another training from.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FormatError
        If it is no checkpoint, or damaged.
    """
    opened = ResultFolder.open(path, FORMAT, VERSION, remedy="Name a checkpoint of this version.")
    opened.verify()
    vocab = opened.vocab()
    try:
        words, contexts, place = (
            np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ("words", "contexts", "place")
        )
        none = np.empty(0, words.dtype)
        state = State(words, contexts, none, none, place, int(opened.meta["dim"]), float(opened.meta["bias_scale"]))
        return to_model(state, vocab, {})
    except (ValueError, KeyError, IndexError) as error:
        raise FormatError(f"{path}: is damaged: {error}. Name another checkpoint.") from error


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last finished checkpoint in a folder, or None.

    Parameters
    ----------
    folder : Path
    """
    names = _names(folder)
    return folder / names[-1] if names else None


def epochs_done(folder: Path) -> int:
    """Return how many epochs the last checkpoint in a folder has behind it; 0 without one.

    Parameters
    ----------
    folder : Path
    """
    names = _names(folder)
    match = _PATTERN.fullmatch(names[-1]) if names else None
    return int(match[2]) - 1 if match is not None else 0


def describe_checkpoints(folder: Path) -> str | None:
    """Say what the last checkpoint in a folder is, or return None if there is none.

    Parameters
    ----------
    folder : Path
    """
    names = _names(folder)
    match = _PATTERN.fullmatch(names[-1]) if names else None
    if match is None:
        return None
    epoch, round_ = int(match[2]), int(match[3])
    if round_:
        return f"a checkpoint after {round_} rounds of epoch {epoch}"
    return f"a checkpoint after epoch {epoch - 1}" if epoch > 1 else "a checkpoint of the first values"


def _names(folder: Path) -> list[str]:
    """Return the names of the finished checkpoints, the last one last."""
    try:
        return sorted(path.name for path in folder.iterdir() if _PATTERN.fullmatch(path.name))
    except OSError:
        return []

"""How a training went, epoch by epoch: the file `history.jsonl` of a model, one JSON object a line.

While a training runs or after it was interrupted, the file stands in the workspace beside the model, and its last line
may be cut short. Models made before there was such a file keep epoch and cost in their `meta.json`. No compiled code is
needed to look at a history.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glove_cli.errors import FormatError
from glove_cli.files import META_NAME, is_our_meta
from glove_cli.folder import check_exists, read_meta
from glove_cli.inputs import parse_json
from glove_cli.model import MODEL_FORMAT
from glove_cli.workspace import home_of

HISTORY_NAME = "history.jsonl"
_MODEL_NAME = "model"
_NAME_A_MODEL = "Train one with `glove train`, or name the folder of a run or a model."
_RESTORE = "Restore the file, or train the model again."
# Keys of an epoch beside its number: whether it must be there, the words for its range, and the range.
_KEYS: dict[str, tuple[bool, str, Callable[[float], bool]]] = {
    "cost": (True, "a finite number", math.isfinite),
    "eta": (False, "a positive number", lambda value: 0 < value < math.inf),
    "seconds": (False, "a number of seconds", lambda value: 0 <= value < math.inf),
    "holdout_cost": (False, "a finite number", math.isfinite),
    "accuracy": (False, "a share from 0 to 1", lambda value: 0 <= value <= 1),
}


@dataclass(frozen=True)
class History:
    """A history, and whose it is.

    Attributes
    ----------
    model : Path
        Folder of the model; not there yet while its first training runs.
    epochs : list of dict
        What `read_history` returns.
    ended : bool
        Whether it is that of the finished model, not of a training that runs or was interrupted.
    other : bool
        Whether there is also the other one of these two.
    """

    model: Path
    epochs: list[dict[str, Any]]
    ended: bool
    other: bool


def read_history(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return how the training of a model went, epoch by epoch.

    Parameters
    ----------
    path : path-like
        Folder of a model, or of a run that holds one named `model`.

    Returns
    -------
    list of dict
        For each epoch, in the order of training: "epoch" (int, from 1) and "cost" (float, mean per entry; None if the
        epoch diverged). Where they were written down: "eta" (float, learning rate), "seconds" (float, time of the
        epoch), "holdout_cost" (float), "accuracy" (float, share of analogy questions), "event" (str).

    Raises
    ------
    FormatError
        If there is no model, or its history is missing, empty or damaged.

    Notes
    -----
    If a training of this model runs or was interrupted, this is its history so far. An epoch that was rolled back
    stands there, too, and its number again in what follows; `standing_epochs` leaves it out.
    """
    return find_history(path).epochs


def find_history(path: str | os.PathLike[str]) -> History:
    """Find the newest history of a model.

    Parameters
    ----------
    path : path-like
        As for `read_history`.

    Returns
    -------
    History

    Raises
    ------
    FormatError
        As `read_history`.
    """
    model = _find_model(Path(path))
    home = _workspace_of(model)
    # The workspace first: if the training ends meanwhile, the model stands there before the workspace goes away.
    running = _read_unfinished(home / HISTORY_NAME) if home else None
    finished = os.path.lexists(model / META_NAME)
    if running:
        return History(model, running, ended=False, other=finished)
    if home and not finished and home.is_dir():
        raise FormatError(f"{model}: its training has finished no epoch yet. Look again when one is done.")
    return History(model, _read_finished(model), ended=True, other=running is not None)


def standing_epochs(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the epochs that count: each number once, without those that were rolled back or done again.

    Parameters
    ----------
    history : sequence of dict
        What `read_history` returns.

    Returns
    -------
    list of dict
        Their numbers ascend.
    """
    kept: list[dict[str, Any]] = []
    for epoch in reversed(history):
        if epoch.get("cost") is not None and (not kept or epoch["epoch"] < kept[-1]["epoch"]):
            kept.append(epoch)
    return kept[::-1]


def _find_model(path: Path) -> Path:
    """Return the model that a path means: itself, or the one named `model` in a run."""
    if _is_trained(path):
        return path
    check_exists(path, remedy=_NAME_A_MODEL)
    if not path.is_dir():
        raise FormatError(f"{path}: is a file, not the folder of a run or a model. {_NAME_A_MODEL}")
    if os.path.lexists(path / META_NAME):
        return path
    if os.path.lexists(path / _MODEL_NAME) or _is_trained(path / _MODEL_NAME):
        return path / _MODEL_NAME
    others = _models_in(path)
    if others:
        raise FormatError(
            f"{path}: holds no model named {_MODEL_NAME}, but {', '.join(others)}. "
            f"Name one of them, as in {path / others[0]}."
        )
    raise FormatError(f"{path}: holds no model. {_NAME_A_MODEL}")


def _workspace_of(model: Path) -> Path | None:
    """Return the folder in which a training of a model works, unless the model is the root of all folders."""
    named = model if model.name not in ("", "..") else Path(os.path.abspath(model))
    return home_of(named) if named.name else None


def _is_trained(model: Path) -> bool:
    """Tell whether a training of a model runs or was interrupted."""
    home = _workspace_of(model)
    return home is not None and os.path.lexists(home / HISTORY_NAME)


def _models_in(run: Path) -> list[str]:
    """Return the names of the models in a run, also of those in training."""
    try:
        items = list(run.iterdir())
    except OSError as error:
        raise FormatError(f"{run}: can't be read: {error.strerror}. Change its permissions.") from error
    names = set()
    for item in items:
        if item.name.startswith(".") and item.name.endswith(".work") and os.path.lexists(item / HISTORY_NAME):
            names.add(item.name.removeprefix(".").removesuffix(".work"))
        elif is_our_meta(item / META_NAME) and read_meta(item, remedy="")["format"] == MODEL_FORMAT:
            names.add(item.name)
    return sorted(names)


def _read_unfinished(path: Path) -> list[dict[str, Any]] | None:
    """Read a history that may be written to at this moment; None if there is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror}. Change its permissions.") from error
    return _parse_lines(path, data[: data.rfind(b"\n") + 1])


def _read_finished(model: Path) -> list[dict[str, Any]]:
    """Read the history of a model that is complete."""
    meta = read_meta(model, remedy=_NAME_A_MODEL)
    if meta.get("format") != MODEL_FORMAT:
        raise FormatError(f"{model}: is a {meta.get('format')!r}, not a {MODEL_FORMAT!r}. {_NAME_A_MODEL}")
    path = model / HISTORY_NAME
    files = meta.get("files")
    if os.path.lexists(path) or (isinstance(files, dict) and HISTORY_NAME in files):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FormatError(f"{path}: can't be read: {error.strerror}. {_RESTORE}") from error
        if not data:
            raise FormatError(f"{path}: is empty. {_RESTORE}")
        noted = files.get(HISTORY_NAME) if isinstance(files, dict) else None
        if isinstance(noted, dict) and noted.get("sha256") != hashlib.sha256(data).hexdigest():
            raise FormatError(f"{path}: was changed after it was written (SHA-256 differs). {_RESTORE}")
        return _parse_lines(path, data)
    entries = meta.get("history")
    if not entries and meta.get("imported"):
        raise FormatError(f"{model}: was imported, without a history of its training. Name another model.")
    if not entries and meta.get("method"):
        raise FormatError(f"{model}: was made by {meta['method']}, which has no epochs. Name another model.")
    if not entries:
        raise FormatError(f"{model}: says nothing about its training, there is no {HISTORY_NAME}. Train a model again.")
    return check_history(model, entries)


def check_history(model: Path, entries: Any) -> list[dict[str, Any]]:
    """Return the history that a model's `meta.json` has.

    Parameters
    ----------
    model : Path
    entries : list of dict, if it is right

    Raises
    ------
    FormatError
        If it is something else.
    """
    if not isinstance(entries, list):
        raise FormatError(f"{model / META_NAME}: its history is not a list: {_short(entries)}. {_RESTORE}")
    return [_checked(f"{model / META_NAME}: epoch {n} of its history", entry) for n, entry in enumerate(entries, 1)]


def _parse_lines(path: Path, data: bytes) -> list[dict[str, Any]]:
    epochs = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else [], 1):
        where = f"{path}: line {number}"
        try:
            entry = parse_json(line)
        except ValueError as error:
            text = line.decode("utf-8", "backslashreplace")
            raise FormatError(f"{where} is damaged: {_short(text)}. {_RESTORE}") from error
        epochs.append(_checked(where, entry))
    return epochs


def _checked(where: str, entry: Any) -> dict[str, Any]:
    """Return an epoch after checking its values; the cost of one that diverged becomes None."""
    if not isinstance(entry, dict):
        raise FormatError(f"{where} is not an object: {_short(entry)}. {_RESTORE}")
    number = entry.get("epoch")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise FormatError(f"{where} has the epoch {_short(number)}, not a number from 1. {_RESTORE}")
    event = entry.get("event")
    if event is not None and not isinstance(event, str):
        raise FormatError(f"{where} has the event {_short(event)}, not a text. {_RESTORE}")
    checked = {key: value for key, value in entry.items() if value is not None}
    for key, (needed, kind, fits) in _KEYS.items():
        value = checked.get(key)
        if value is None and not (needed and event is None):
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if fits(value):
                continue
            if event is not None and not math.isfinite(value):
                del checked[key]
                continue
        raise FormatError(f"{where} has the {key} {_short(value)}, not {kind}. {_RESTORE}")
    checked.setdefault("cost", None)
    return checked


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

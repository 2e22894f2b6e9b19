"""gensim's pickles of word vectors, read and written without gensim.

A pickle can call anything, so nothing of its own is run here: every class and function that it names is looked up in a
short list, whose entries stand in for NumPy's and gensim's own and do no more than keep what they are given. All else
is refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError

_ADVICE = "Load it in the program that made it, and save its vectors in another format."
_TYPE = re.compile(r"([<>|=]?)([iuf][1248])")


_NUMBERS = ("PUT", "BINPUT", "LONG_BINPUT")  # give an object its number; each object takes a byte at least


class StandIn:
    """Stands for an object of gensim: keeps its state and does nothing.

    Attributes
    ----------
    name : str
        The class that it stands for.
    state : dict
        Its attributes.
    """

    name: str = ""
    state: dict[str, Any]

    def __new__(cls, *args: Any, **options: Any) -> StandIn:
        """Make one, whatever its class would have asked for."""
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        """Keep the attributes."""
        self.state = state if isinstance(state, dict) else {}


class StoredType:
    """Stands for a NumPy data type."""

    def __init__(self, name: object = "", *rest: object) -> None:
        self.name, self.order = name, "|"

    def __setstate__(self, state: object) -> None:
        """Keep the order of bytes."""
        if isinstance(state, tuple) and len(state) > 1 and isinstance(state[1], str):
            self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        """Return it as a data type; only plain numbers are known."""
        found = _TYPE.fullmatch(self.name) if isinstance(self.name, str) else None
        if not found:
            raise ValueError(f"an array of type {self.name!r}")
        order = self.order if self.order in "<>" else found[1].replace("=", "<") or "<"
        return np.dtype(order.replace("|", "<") + found[2])


class StoredArray:
    """Stands for a NumPy array: its bytes, and how they are to be understood."""

    def __init__(self, shape: object = (), dtype: object = None, data: object = None, *rest: object) -> None:
        self.shape, self.dtype, self.data, self.fortran = shape, dtype, data, False

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Keep shape, type, order and bytes."""
        _, self.shape, self.dtype, self.fortran, self.data = state

    def numpy(self) -> NDArray[Any]:
        """Return it as an array.

        Raises
        ------
        ValueError
            If it isn't one of plain numbers.
        """
        dtype = self.dtype if isinstance(self.dtype, StoredType) else StoredType(self.dtype)
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data  # so Python 2 wrote bytes
        if not isinstance(data, (bytes, bytearray)) or not isinstance(self.shape, tuple):
            raise ValueError("an array without its bytes")
        return np.frombuffer(data, dtype.numpy()).reshape(self.shape, order="F" if self.fortran else "C")


def _reconstruct(*args: object) -> StoredArray:
    return StoredArray()


def _from_buffer(data: object, dtype: object, shape: object, order: object = "C", *rest: object) -> StoredArray:
    array = StoredArray(shape, dtype, data)
    array.fortran = order == "F"
    return array


def _encode(text: object, *coding: object) -> bytes:
    return text.encode("latin1") if isinstance(text, str) else b""


def _bytes_as_they_are(data: object = b"", *rest: object) -> bytes:
    return data if isinstance(data, bytes) else _encode(data)


def _nothing(*args: object) -> None:
    """Stand for what vectors don't need."""


_BUILTINS = ("builtins", "__builtin__")  # in Python 3 and 2
_BUILT_IN: dict[str, Callable[..., Any]] = {
    "set": set,
    "frozenset": frozenset,
    "bytes": _bytes_as_they_are,
    "bytearray": _bytes_as_they_are,
    **dict.fromkeys(("hash", "int", "object"), _nothing),
}
_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): StoredArray,
    ("numpy", "dtype"): StoredType,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): lambda *args: {},
    **{(module, name): made for module in _BUILTINS for name, made in _BUILT_IN.items()},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _nothing for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}
_STOOD_IN_FOR = ("gensim.", "numpy.random.")


class _Unpickler(pickle.Unpickler):
    """Loads a pickle with stand-ins, and refuses what has none."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path
        self._classes: dict[tuple[str, str], Callable[..., Any]] = dict(_KNOWN)

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a class or function."""
        key = (module, name)
        if key not in self._classes:
            if not module.startswith(_STOOD_IN_FOR):
                raise FormatError(
                    f"{self._path}: is a pickle that would call {f'{module}.{name}'[:80]!r}, which no word vectors "
                    f"need; nothing of it was run. {_ADVICE}"
                )
            self._classes[key] = type("StandIn", (StandIn,), {"name": name})
        return self._classes[key]


def load_pickle(path: Path) -> StandIn:
    """Return the object of gensim in a file.

    Raises
    ------
    FormatError
        If the file is damaged, or asks for anything but NumPy's arrays and gensim's own classes.
    """
    try:
        with path.open("rb") as file:
            _check_memo(file)
            file.seek(0)
            found = _Unpickler(file, path).load()
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror or error}. Name a file of word vectors.") from error
    except Exception as error:  # a damaged pickle can raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(
            f"{path}: is a pickle that is cut short or damaged ({reason[:80]}). Make the file again."
        ) from error
    if not isinstance(found, StandIn):
        raise FormatError(f"{path}: is a pickle, but not of gensim's word vectors. {_ADVICE}")
    return found


def _check_memo(file: BinaryIO) -> None:
    """Refuse a pickle that numbers an object higher than it could: Python makes a list of that length.

    Raises
    ------
    ValueError
        If it does, or is no pickle.
    """
    for opcode, number, place in pickletools.genops(file):
        if opcode.name in _NUMBERS and int(number or 0) > (place or 0):
            raise ValueError(f"{opcode.name} {number} at {place}")


class _Pickler(pickle.Pickler):
    """Writes arrays in a way that every version of NumPy reads."""

    def reducer_override(self, obj: Any) -> Any:
        """Say how an array is made."""
        if isinstance(obj, np.ndarray):
            return np.ndarray, (obj.shape, obj.dtype.str, bytearray(obj.tobytes()))
        return NotImplemented


def keyed_vectors_pickle(words: Sequence[str], dim: int, counts: NDArray[np.int64] | None) -> bytes:
    """Return the pickle of gensim's KeyedVectors whose vectors stand in a `.vectors.npy` file beside it.

    Parameters
    ----------
    words : sequence of str, length V
    dim : int
    counts : int64 array (V,), optional

    Notes
    -----
    The class is named, not imported; what follows its name is an ordinary pickle of its attributes, those of gensim 4,
    whose last byte, "stop", becomes "set the attributes", and a new "stop" comes after it.
    """
    state = {
        "vector_size": dim,
        "index_to_key": list(words),
        "next_index": len(words),
        "key_to_index": {word: i for i, word in enumerate(words)},
        "norms": None,
        "expandos": {} if counts is None else {"count": counts.astype("<i8")},
        "mapfile_path": None,
        "__numpys": ["vectors"],
        "__scipys": [],
        "__ignoreds": [],
        "__recursive_saveloads": [],
    }
    body = io.BytesIO()
    _Pickler(body, 4).dump(state)
    name = b"".join(
        pickle.SHORT_BINUNICODE + len(part).to_bytes(1, "little") + part
        for part in (b"gensim.models.keyedvectors", b"KeyedVectors")
    )
    begin = pickle.PROTO + b"\x04" + name + pickle.STACK_GLOBAL + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    return begin + body.getvalue()[2:-1] + pickle.BUILD + pickle.STOP

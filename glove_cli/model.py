"""A trained model: word and context vectors, biases, and the squared-gradient sums that let training go on."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OutputError
from glove_cli.files import output_folder
from glove_cli.folder import FolderWriter, ResultFolder
from glove_cli.vocab import Vocab

MODEL_FORMAT = "glove-model"
MODEL_VERSION = 1
_REMEDY = "Train a model with `glove train`, or name its folder with --model."
DTYPES = ("float32", "float64")
_MATRICES = ("W", "C", "gradsq_W", "gradsq_C")
_BIASES = ("b_w", "b_c")
_BIAS_SUMS = ("gradsq_b_w", "gradsq_b_c")
_TYPES: dict[str, Any] = {
    "options": dict,
    "cooc": dict,
    "seconds": (int, float),
    "init": str,
    "method": str,
    "explained": (int, float),
}
_DESCRIBED = ("format", "version", "glove", "V", "dim", "dtype", "files", "sha256")

Floats = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GloveModel:
    """The parameters of a trained model. V words, d dimensions.

    All numbers are float32 or all are float64, but for the biases' sums of squares: those of a float32 model may be
    either. They are saved as float64, because training keeps them in another unit, and float32 would round on the
    way there and back.

    Attributes
    ----------
    vocab : Vocab
        The V words, in the order of the rows.
    W, C : float32 or float64 arrays (V, d)
        Word vectors and context vectors.
    b_w, b_c : float32 or float64 arrays (V,)
        Biases of words and of contexts.
    gradsq_W, gradsq_C : float32 or float64 arrays (V, d)
        1 plus the sum of squared steps of each component (AdaGrad).
    gradsq_b_w, gradsq_b_c : float32 or float64 arrays (V,)
        The same for the biases; float64 if the rest is.
    meta : dict
        Options, matrix, seed and cost per epoch of the training; or the files that the model was imported from.
    """

    vocab: Vocab
    W: Floats
    C: Floats
    b_w: Floats
    b_c: Floats
    gradsq_W: Floats
    gradsq_C: Floats
    gradsq_b_w: Floats
    gradsq_b_c: Floats
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.W.shape if self.W.ndim == 2 and self.W.size else (len(self.vocab), 1)
        for name in (*_MATRICES, *_BIASES, *_BIAS_SUMS):
            array, expected = getattr(self, name), shape if name in _MATRICES else shape[:1]
            if array.shape != expected or len(array) != len(self.vocab):
                raise FormatError(
                    f"model: {name} has the shape {array.shape}, its vocabulary {len(self.vocab):,} words, W "
                    f"{self.W.shape}. Give arrays that fit together."
                )

    @property
    def dim(self) -> int:
        """Number of dimensions, d."""
        return int(self.W.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers: float32 or float64."""
        return self.W.dtype

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the model as a folder of `.npy` arrays.

        Parameters
        ----------
        path : path-like
            The folder to make.
        force : bool
            Whether a result that stands there may be replaced.

        Raises
        ------
        OutputError
            If `path` exists and may not be replaced, or can't be written; or if the arrays' types don't fit together.
        """
        self._check_dtypes(path)
        with output_folder(path, force=force, format=MODEL_FORMAT) as temporary:
            writer = FolderWriter(temporary)
            writer.vocab(self.vocab)
            for name in (*_MATRICES, *_BIASES):
                writer.array(name, getattr(self, name))
            for name in _BIAS_SUMS:
                writer.array(name, getattr(self, name).astype(np.float64, copy=False))
            finish_model(writer, len(self.vocab), self.dim, self.dtype, self.meta)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, verify: Iterable[str] | None = None) -> GloveModel:
        """Open a model; its arrays are mapped into memory, read only.

        Parameters
        ----------
        path : path-like
            The folder.
        verify : iterable of str, optional
            Names of the arrays, such as "W", whose files are read and compared with their checksums: all that the
            model has, unless given.

        Raises
        ------
        FormatError
            If there is no model, or its files disagree, are cut short or were changed.
        """
        folder = ResultFolder.open(path, MODEL_FORMAT, MODEL_VERSION, remedy=_REMEDY, types=_TYPES)
        meta = folder.meta
        if not math.isfinite(meta.get("seconds") or 0):
            raise FormatError(f"{path}: its meta.json has the seconds {meta['seconds']}. {_REMEDY}")
        V, d = meta.get("V"), meta.get("dim")
        if not isinstance(V, int) or not isinstance(d, int):
            raise FormatError(f"{path}: its meta.json lacks V or dim. {_REMEDY}")
        dtype = meta.get("dtype", DTYPES[0])
        if dtype not in DTYPES:
            raise FormatError(f"{path}: its meta.json says dtype {dtype!r}, not {' or '.join(DTYPES)}. {_REMEDY}")
        folder.verify(None if verify is None else [f"{name}.npy" for name in verify])
        vocab = folder.vocab()
        if len(vocab) != V:
            raise FormatError(f"{path}: its vocabulary has {len(vocab):,} words, its vectors {V:,}. {_REMEDY}")
        arrays = {name: folder.array(name, dtype, (V, d)) for name in _MATRICES}
        arrays |= {name: folder.array(name, dtype, (V,)) for name in _BIASES}
        arrays |= {name: folder.array(name, np.float64, (V,), or_dtype=dtype) for name in _BIAS_SUMS}
        extra = {k: v for k, v in meta.items() if k not in _DESCRIBED}
        return cls(vocab, **arrays, meta=extra)

    def _check_dtypes(self, path: str | os.PathLike[str]) -> None:
        """Refuse to save what could not be loaded."""
        for name in (*_MATRICES, *_BIASES, *_BIAS_SUMS):
            dtype = getattr(self, name).dtype
            allowed = {self.dtype, np.dtype(np.float64)} if name in _BIAS_SUMS else {self.dtype}
            if dtype not in allowed or dtype not in map(np.dtype, DTYPES):
                raise OutputError(
                    f"{path}: {name} is {dtype}, W {self.dtype}. Give all arrays as float32, or all as float64."
                )


def finish_model(writer: FolderWriter, V: int, dim: int, dtype: np.dtype[Any], meta: dict[str, Any]) -> None:
    """Write the `meta.json` of a model whose arrays are written.

    Parameters
    ----------
    writer : FolderWriter
    V, dim : int
        Numbers of words and of dimensions.
    dtype : dtype
        Type of the model's numbers; float32 goes without saying.
    meta : dict
        What else to write down.
    """
    said = {} if dtype == np.float32 else {"dtype": dtype.name}
    writer.finish(MODEL_FORMAT, MODEL_VERSION, V=V, dim=dim, **said, **meta)

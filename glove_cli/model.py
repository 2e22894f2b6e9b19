"""A trained model: word and context vectors, biases, and the squared-gradient sums that let training go on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.files import output_folder
from glove_cli.folder import FolderWriter, ResultFolder
from glove_cli.vocab import Vocab

MODEL_FORMAT = "glove-model"
MODEL_VERSION = 1
_REMEDY = "Train a model with `glove train`, or name its folder with --model."
_MATRICES = ("W", "C", "gradsq_W", "gradsq_C")
_VECTORS = ("b_w", "b_c", "gradsq_b_w", "gradsq_b_c")


@dataclass(frozen=True, eq=False)
class GloveModel:
    """The parameters of a trained model. V words, d dimensions.

    Attributes
    ----------
    vocab : Vocab
        The V words, in the order of the rows.
    W, C : float32 arrays (V, d)
        Word vectors and context vectors.
    b_w, b_c : float32 arrays (V,)
        Biases of words and of contexts.
    gradsq_W, gradsq_C : float32 arrays (V, d)
        1 plus the sum of squared steps of each component (AdaGrad).
    gradsq_b_w, gradsq_b_c : float32 arrays (V,)
        The same for the biases.
    meta : dict
        Options, matrix, seed and cost per epoch of the training.
    """

    vocab: Vocab
    W: NDArray[np.float32]
    C: NDArray[np.float32]
    b_w: NDArray[np.float32]
    b_c: NDArray[np.float32]
    gradsq_W: NDArray[np.float32]
    gradsq_C: NDArray[np.float32]
    gradsq_b_w: NDArray[np.float32]
    gradsq_b_c: NDArray[np.float32]
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """Number of dimensions, d."""
        return int(self.W.shape[1])

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
            If `path` exists and may not be replaced, or can't be written.
        """
        with output_folder(path, force=force) as temporary:
            writer = FolderWriter(temporary)
            writer.vocab(self.vocab)
            for name in (*_MATRICES, *_VECTORS):
                writer.array(name, getattr(self, name))
            writer.finish(MODEL_FORMAT, MODEL_VERSION, V=len(self.vocab), dim=self.dim, **self.meta)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> GloveModel:
        """Open a model; its arrays are mapped into memory, read only.

        Raises
        ------
        FormatError
            If there is no model, or its files disagree or are cut short.
        """
        folder = ResultFolder.open(path, MODEL_FORMAT, MODEL_VERSION, remedy=_REMEDY)
        meta = dict(folder.meta)
        V, d = meta.get("V"), meta.get("dim")
        if not isinstance(V, int) or not isinstance(d, int):
            raise FormatError(f"{path}: its meta.json lacks V or dim. {_REMEDY}")
        vocab = folder.vocab()
        if len(vocab) != V:
            raise FormatError(f"{path}: its vocabulary has {len(vocab):,} words, its vectors {V:,}. {_REMEDY}")
        arrays = {name: folder.array(name, np.float32, (V, d)) for name in _MATRICES}
        arrays |= {name: folder.array(name, np.float32, (V,)) for name in _VECTORS}
        extra = {k: v for k, v in meta.items() if k not in ("format", "version", "glove", "V", "dim", "files")}
        return cls(vocab, **arrays, meta=extra)

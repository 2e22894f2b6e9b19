"""Singular vectors of a matrix of counts as word vectors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, TrainingError
from glove_cli.files import check_folder
from glove_cli.memory import allowed_memory, in_words, used_memory
from glove_cli.model import MODEL_FORMAT, GloveModel
from glove_cli.parallel import Progress
from glove_cli.spectral.config import SpectralConfig
from glove_cli.spectral.names import PPMI_SVD
from glove_cli.spectral.transform import Transformed
from glove_cli.training.counts import Counts, find_counts
from glove_cli.vectors.process import chosen_steps

if TYPE_CHECKING:
    from glove_cli.training.counts import CountsLike

_ENTRY_BYTES = 12  # a float64 and an int32
_TOLERANCE = 1e-6  # of a singular value, relative


def factorize(
    matrix: CountsLike,
    words: Sequence[str] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
    force: bool = False,
    process: str | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    **options: Any,
) -> GloveModel:
    """Make word vectors of the largest singular vectors of a matrix of counts, or of a function of it.

    Parameters
    ----------
    matrix : CoocMatrix, path-like, or SciPy sparse matrix (V, V)
        As in `train`.
    words : sequence of str, length V, optional
        The words of a SciPy matrix.
    out : path-like, optional
        The folder to make of the model.
    counts : sequence of int, length V, optional
        How often each word of a SciPy matrix occurs.
    force : bool
        Whether a result that stands there may be replaced.
    process : str, optional
        As in `train`.
    progress : callable, optional
        Called with ("multiplying", products done, None, "product").
    note : callable, optional
        Called with what a user should know.
    **options
        The fields of `SpectralConfig`: method, dim, eig, shift, smoothing, seed.

    Returns
    -------
    GloveModel
        W = U S**eig and C = V S**(1 - eig), float32, so that W C^T is the closest matrix of rank d (Eckart and Young
        1936); biases of 0, sums of squares of 1. `meta["singular_values"]` has S, `meta["explained"]` the share of
        the sum of squares that they hold.

    Raises
    ------
    OptionError
        If an option's value cannot work.
    TrainingError
        If there are no entries or too few words for d, or the iteration doesn't converge; if memory is too small.
    FormatError
        If the matrix can't be opened, or was changed.
    OutputError
        If `out` exists and may not be replaced, or can't be written.

    Notes
    -----
    By ARPACK's Lanczos iteration (Lehoucq, Sorensen and Yang 1998), as SciPy brings it, on the sparse matrix. The sign
    of each singular vector is chosen so that its largest component is positive. Where several processors multiply
    dense matrices, the last bits may depend on how many there are.
    """
    unknown = sorted(set(options) - set(asdict(SpectralConfig())))
    if unknown:
        raise OptionError(f"{unknown[0]}: is not an option of it. Choose from {', '.join(asdict(SpectralConfig()))}.")
    config = SpectralConfig(**options)
    if process is not None and not chosen_steps(process):
        process = None
    found = find_counts(matrix, words, counts)
    _check(found, config)
    if out is not None:
        check_folder(out, force=force, format=MODEL_FORMAT)
    begin = time.perf_counter()
    found.verify()
    U, S, V, explained = _decompose(found, config, progress or (lambda *step: None), note or (lambda text: None))
    W, C = (U * S**config.eig).astype(np.float32), (V * S ** (1 - config.eig)).astype(np.float32)
    nothing = np.zeros(found.V, np.float32)
    meta = {
        "method": config.method,
        "options": asdict(config),
        "cooc": found.meta,
        "singular_values": S.tolist(),
        "explained": explained,
        "seconds": round(time.perf_counter() - begin, 3),
        **({"process": process} if process is not None else {}),
    }
    model = GloveModel(
        found.vocab, W, C, nothing, nothing, np.ones_like(W), np.ones_like(C), nothing + 1, nothing + 1, meta
    )
    if out is None:
        return model
    model.save(Path(out), force=force)
    return GloveModel.load(out, verify=())


def _check(counts: Counts, config: SpectralConfig) -> None:
    """Refuse what can't be done before it is begun."""
    if config.dim >= counts.V:
        if counts.V < 2:
            raise TrainingError(f"--method: a matrix of {counts.V} word has nothing to tell apart. Count more words.")
        raise TrainingError(
            f"--dim: {config.dim} numbers for {counts.V:,} words: there must be more words. Give --dim "
            f"{counts.V - 1} or less."
        )
    for begin in range(0, len(counts.data), 1 << 22):
        piece = counts.data[begin : begin + (1 << 22)]
        if not (np.isfinite(piece) & (piece > 0)).all():
            raise TrainingError("matrix: has entries that are not positive and finite. Give positive counts only.")
    halves = 2 if counts.symmetric and config.method == PPMI_SVD and config.smoothing != 1 else 1
    lanczos = max(2 * config.dim + 1, 20)
    needed = 2 * halves * len(counts.data) * _ENTRY_BYTES + counts.V * (lanczos + 6 * config.dim) * 8
    allowed = max(0, allowed_memory() - used_memory())
    if needed > allowed:
        raise TrainingError(
            f"--method: {config.method} of {counts.nnz:,} entries and {counts.V:,} words takes {in_words(needed)} of "
            f"memory, there are {in_words(allowed)}. Count fewer words (--max-vocab), or take another machine."
        )


def _decompose(
    counts: Counts, config: SpectralConfig, progress: Progress, note: Callable[[str], None]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return U, S and V, the largest singular value first, and the share of the sum of squares that S holds."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh, svds

    A = Transformed(counts, config)
    if A.nnz <= config.dim:
        raise TrainingError(
            f"--method: {config.method} leaves {A.nnz:,} entries that aren't 0. Give a smaller --dim or --shift."
        )
    done = 0

    def counted(product: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[..., NDArray[np.float64]]:
        def multiply(x: NDArray[np.float64]) -> NDArray[np.float64]:
            nonlocal done
            done += 1
            progress("multiplying", done, None, "product")
            return product(x)

        return multiply

    operator = LinearOperator(
        (counts.V, counts.V), counted(A.times), rmatvec=counted(A.transposed_times), dtype=np.float64
    )
    first = np.random.default_rng([config.seed, 5]).standard_normal(counts.V)
    try:
        if A.symmetric:
            values, U = eigsh(operator, config.dim, which="LM", v0=first, tol=_TOLERANCE)
            V = U * np.where(values < 0, -1, 1)
            S = np.abs(values)
        else:
            U, S, Vt = svds(operator, config.dim, v0=first, tol=_TOLERANCE)
            V = Vt.T
    except ArpackError as error:
        raise TrainingError(f"--method: {config.method} doesn't converge: {error}. Give a smaller --dim.") from error
    order = np.argsort(-S, kind="stable")
    U, S, V = U[:, order], S[order], V[:, order]
    signs = np.where(U[np.abs(U).argmax(axis=0), np.arange(config.dim)] < 0, -1, 1)
    total = A.norm2()
    explained = float(np.square(S).sum() / total)
    note(f"{A.nnz:,} entries aren't 0; {done:,} products with them; {explained:.1%} of their sum of squares is kept.")
    return U * signs, S, V * signs, explained

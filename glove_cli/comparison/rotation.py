"""Turning one set of vectors so that it lies on another as well as it can."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.vectors.scores import scaled

_BLOCK_ROWS = 1 << 14


def rotation_between(A: NDArray[Any], B: NDArray[Any]) -> NDArray[np.float64]:
    """Find the rotation (or reflection) of B that brings its rows nearest to those of A.

    Parameters
    ----------
    A, B : float arrays (n, d)
        A row of A and the same row of B belong together. What counts is their direction: they are scaled to length 1.

    Returns
    -------
    R : float64 array (d, d)
        Orthogonal; the sum of squared distances between the rows of A and of B R is the smallest there is.

    Raises
    ------
    OptionError
        If the arrays differ in shape, or a number isn't finite.

    Notes
    -----
    Orthogonal Procrustes (Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem"), as Hamilton,
    Leskovec and Jurafsky (2016, "Diachronic word embeddings reveal statistical laws of semantic change") use it for
    word vectors: with U S V^T the singular values of B^T A, R = U V^T. B^T A is summed in blocks of rows, so that
    memory is bounded; its last bits may depend on how many processors multiply.
    """
    if A.shape != B.shape:
        raise OptionError(f"vectors: have the shapes {A.shape} and {B.shape}. Give arrays of the same shape.")
    if not (np.isfinite(A).all() and np.isfinite(B).all()):
        raise OptionError("vectors: have numbers that aren't finite. Leave these rows out.")
    from scipy.linalg import orthogonal_procrustes

    d = A.shape[1]
    product = np.zeros((d, d))
    for begin in range(0, len(A), _BLOCK_ROWS):
        rows = slice(begin, begin + _BLOCK_ROWS)
        product += scaled(B[rows]).T @ scaled(A[rows])
    return np.asarray(orthogonal_procrustes(np.eye(d), product)[0])


def turned(B: NDArray[Any], R: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows at length 1, turned.

    Parameters
    ----------
    B : float array (n, d)
    R : float64 array (d, d)
        See `rotation_between`.

    Returns
    -------
    float64 array (n, d)
    """
    return scaled(B) @ R


def cosines_between(A: NDArray[Any], B: NDArray[Any], R: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of each row of A with the same row of B, turned by R.

    Parameters
    ----------
    A, B : float arrays (n, d)
    R : float64 array (d, d)

    Returns
    -------
    float64 array (n,)
        From -1 to 1.
    """
    found = np.empty(len(A))
    for begin in range(0, len(A), _BLOCK_ROWS):
        rows = slice(begin, begin + _BLOCK_ROWS)
        found[rows] = (scaled(A[rows]) * turned(B[rows], R)).sum(axis=1)
    return np.clip(found, -1, 1)

"""The covariance of one word's vectors: weighted least squares with the vectors of its contexts held fixed.

GloVe's objective (Pennington, Socher and Manning 2014, equation 8) as a model of noise (Vallebueno and others 2024):

    log X_ij = w_i . c_j + b_i + b'_j + e_ij        e_ij independent, mean 0, variance s_i^2 / f(X_ij)

so that, given all c_j and biases, w_i is an estimate by weighted least squares over the n_i entries of its row:

    Cov w_i = s_i^2 A_i^-1        A_i = sum_j f(X_ij) c_j c_j^T        s_i^2 = 1 / (n_i - d) sum_j f(X_ij) e_ij^2

The same holds for c_i by its column, given all w_j:

    Cov c_i = t_i^2 B_i^-1        B_i = sum_j f(X_ji) w_j w_j^T        t_i^2 = 1 / (m_i - d) sum_j f(X_ji) e_ji^2

The rows and columns of a matrix with a window to one side are counts of different pairs, and w_i and c_i are taken as
independent. Those of a symmetric matrix are the same numbers, with the same noise: two regressions with common errors
(Zellner 1962, "An efficient method of estimating seemingly unrelated regressions"):

    Cov (w_i, c_i) = r_i A_i^-1 D_i B_i^-1
    D_i = sum_j f(X_ij) c_j w_j^T        r_i = 1 / (n_i - d) sum_j f(X_ij) e_ij e_ji
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.model import GloveModel
from glove_cli.training.objective import entry_weights
from glove_cli.uncertainty.contexts import Entries
from glove_cli.uncertainty.kernels import add_product

_BLOCK = 1 << 10  # contexts at a time
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """What the contexts of a word add up to. k is d for one side, 2 d for both.

    Attributes
    ----------
    n : int
        Entries.
    gram : float64 array (k, k)
        A, B, or [A, D; D^T, B].
    squares : float64 array (1, 1) or (2, 2)
        Sums of f e^2, and of f times both residuals.
    """

    n: int
    gram: Matrix
    squares: Matrix


def add_up(model: GloveModel, row: int, entries: Entries, sides: str, x_max: float, alpha: float) -> Sums:
    """Add up the contexts of a word.

    Parameters
    ----------
    model : GloveModel
    row : int
        The word, i.
    entries : Entries
        X_ij of the word for "w" and "wc", X_ji for "c".
    sides : {"w", "c", "wc"}
        The regression of w_i on c_j, that of c_i on w_j, or both on the same entries.
    x_max, alpha : float
        Of f.
    """
    parts = {"w": (model.W, model.b_w, model.C, model.b_c), "c": (model.C, model.b_c, model.W, model.b_w)}
    d, k = model.dim, len(sides)
    gram, squares = np.zeros((k * d, k * d)), np.zeros((k, k))
    for begin in range(0, len(entries.x), _BLOCK):
        other, x = entries.other[begin : begin + _BLOCK], entries.x[begin : begin + _BLOCK]
        roots = np.sqrt(entry_weights(x, x_max, alpha))
        design, residuals = np.empty((len(x), k * d)), np.empty((len(x), k))
        for side, name in enumerate(sides):
            own, own_bias, others, biases = parts[name]
            part = design[:, side * d : (side + 1) * d]
            part[:] = others[other]
            fitted = np.einsum("nd,d->n", part, own[row].astype(np.float64))
            residuals[:, side] = np.log(x) - fitted - float(own_bias[row]) - biases[other]
        design *= roots[:, np.newaxis]
        residuals *= roots[:, np.newaxis]
        add_product(design, design, gram)
        add_product(residuals, residuals, squares)
    return Sums(len(entries.x), gram, squares)


def covariance(sums: Sums, d: int) -> tuple[Matrix, Matrix] | None:
    """Return the covariance of w_i, of c_i, or of both side by side, and that of the noise.

    Parameters
    ----------
    sums : Sums
    d : int
        Dimensions of w_i.

    Returns
    -------
    covariance : float64 array (k, k)
    noise : float64 array (1, 1) or (2, 2)
        s^2, or s^2, t^2 and r. None instead of both where entries are too few to tell, or too many are alike.
    """
    from scipy.linalg.lapack import dpotrf, dtrtri

    if sums.n <= d:
        return None
    noise = sums.squares / (sums.n - d)
    found = np.empty_like(sums.gram)
    inverses: list[Matrix] = []
    for side in range(len(noise)):
        part = slice(side * d, (side + 1) * d)
        factor, failed = dpotrf(sums.gram[part, part], lower=True)
        root, failed = dtrtri(factor, lower=True) if not failed else (factor, failed)
        if failed:
            return None
        root = np.ascontiguousarray(np.tril(root))
        inverses.append(np.zeros((d, d)))
        add_product(root, root, inverses[-1])
        found[part, part] = noise[side, side] * inverses[side]
    if len(noise) == 2:
        cross, whole = np.zeros((d, d)), np.zeros((d, d))
        add_product(np.ascontiguousarray(sums.gram[d:, :d]), inverses[1], cross)
        add_product(inverses[0], cross, whole)
        found[:d, d:] = noise[0, 1] * whole
        found[d:, :d] = found[:d, d:].T
    return found, noise

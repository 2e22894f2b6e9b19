"""What training makes small: the objective of GloVe and its gradient.

    J = sum over nonzero X_ij of f(X_ij) (w_i . c_j + b_i + b_j - log X_ij)^2      f(x) = min(1, (x / x_max)^alpha)

(Pennington, Socher and Manning 2014, equations 8 and 9.) Plain NumPy in float64, to look at and to test with; the
trainer's kernel takes one entry at a time and leaves out the factor 2 of the gradient, as the reference does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ids = NDArray[np.integer]


def entry_weights(x: Floats, x_max: float, alpha: float) -> NDArray[np.float64]:
    """Return f(x) = min(1, (x / x_max) ** alpha), equation 9.

    Parameters
    ----------
    x : array (n,)
    x_max, alpha : float

    Returns
    -------
    float64 array (n,)
    """
    return np.minimum(1.0, (np.asarray(x, np.float64) / x_max) ** alpha)


def objective(
    W: Floats, C: Floats, b_w: Floats, b_c: Floats, row: Ids, col: Ids, x: Floats, *, x_max: float, alpha: float
) -> float:
    """Return J, equation 8.

    Parameters
    ----------
    W, C : arrays (V, d)
        Word and context vectors.
    b_w, b_c : arrays (V,)
        Their biases.
    row, col : integer arrays (n,)
        Words and contexts of the entries.
    x : array (n,)
        Counts, positive.
    x_max, alpha : float
        Of f.

    Returns
    -------
    float
        Without a factor 1/2; the cost that training reports is J / (2 n).
    """
    diff = _differences(W, C, b_w, b_c, row, col, x)
    return float(np.sum(entry_weights(x, x_max, alpha) * diff * diff))


def gradient(
    W: Floats, C: Floats, b_w: Floats, b_c: Floats, row: Ids, col: Ids, x: Floats, *, x_max: float, alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the gradient of J.

    Parameters
    ----------
    W, C : arrays (V, d)
        Word and context vectors.
    b_w, b_c : arrays (V,)
        Their biases.
    row, col : integer arrays (n,)
        Words and contexts of the entries.
    x : array (n,)
        Counts, positive.
    x_max, alpha : float
        Of f.

    Returns
    -------
    dW, dC : float64 arrays (V, d)
        With g = 2 f diff of each entry (i, j): row i of dW is the sum of g c_j, row j of dC the sum of g w_i.
    db_w, db_c : float64 arrays (V,)
        Sums of g.
    """
    from scipy.sparse import csr_array

    V = len(W)
    g = 2.0 * entry_weights(x, x_max, alpha) * _differences(W, C, b_w, b_c, row, col, x)
    G = csr_array((g, (row, col)), shape=(V, V))
    dW = G @ np.asarray(C, np.float64)
    dC = G.T @ np.asarray(W, np.float64)
    db_w, db_c = (np.bincount(ids, g, minlength=V).astype(np.float64, copy=False) for ids in (row, col))
    return dW, dC, db_w, db_c


def anchor_penalty(W: Floats, C: Floats, vectors: Floats, known: Ids, strength: float) -> float:
    """Return what `--anchor-strength` adds to J: mu sum over known words i of ||w_i + c_i - r_i||^2.

    Parameters
    ----------
    W, C : arrays (V, d)
        Word and context vectors.
    vectors : array (n, d)
        r.
    known : integer array (n,)
        The word of each.
    strength : float
        mu.

    Returns
    -------
    float

    Notes
    -----
    Dingwall and Potts 2018, "Mittens: an extension of GloVe for learning domain-specialized representations".
    """
    apart = np.asarray(W, np.float64)[known] + np.asarray(C, np.float64)[known] - vectors
    return strength * float(np.sum(apart * apart))


def anchor_gradient(
    W: Floats, C: Floats, vectors: Floats, known: Ids, strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gradient of `anchor_penalty`.

    Parameters
    ----------
    W, C : arrays (V, d)
        Word and context vectors.
    vectors : array (n, d)
        r.
    known : integer array (n,)
        The word of each, each once.
    strength : float
        mu.

    Returns
    -------
    dW, dC : float64 arrays (V, d)
        2 mu (w_i + c_i - r_i) in the rows of known words, for both alike; else 0.
    """
    slope = np.zeros(W.shape)
    slope[known] = 2 * strength * (np.asarray(W, np.float64)[known] + np.asarray(C, np.float64)[known] - vectors)
    return slope, slope.copy()


def _differences(W: Floats, C: Floats, b_w: Floats, b_c: Floats, row: Ids, col: Ids, x: Floats) -> NDArray[np.float64]:
    """Return w_i . c_j + b_i + b_j - log x of each entry, float64 (n,)."""
    products = np.einsum("nd,nd->n", np.asarray(W, np.float64)[row], np.asarray(C, np.float64)[col])
    biases = np.asarray(b_w, np.float64)[row] + np.asarray(b_c, np.float64)[col]
    return products + biases - np.log(np.asarray(x, np.float64))

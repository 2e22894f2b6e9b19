"""Places in the plane for vectors: by PCA, t-SNE or UMAP, the same for the same seed.

PCA needs nothing but NumPy; scikit-learn and umap-learn are an extra: `pip install 'glove-cli[plot]'`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, OutputError

METHODS = ("pca", "tsne", "umap")
NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
LEAST_WORDS = 3  # two points have a distance, but no arrangement
_PACKAGES = {"tsne": ("sklearn", "scikit-learn"), "umap": ("umap", "umap-learn")}
_PERPLEXITY = 30.0
_NEIGHBOURS = 15
_START = 1e-4  # standard deviation of the places from which t-SNE starts
_BLOCK_ROWS = 1 << 14
_EQUAL = 1e-6  # vectors whose spread is a smaller share of their length than float32 can tell are equal


def project(
    matrix: NDArray[Any], method: str = "pca", *, seed: int = 0, unit: bool = True, neighbours: int | None = None
) -> NDArray[np.float64]:
    """Give each vector a place in the plane.

    Parameters
    ----------
    matrix : float array (n, d)
        The vectors, at least three; not changed.
    method : {"pca", "tsne", "umap"}
        `pca`: along the two directions in which the vectors differ most. `tsne`, `umap`: so that near vectors get near
        places; distances between groups mean little.
    seed : int
        Of what is random in t-SNE and UMAP.
    unit : bool
        Whether the vectors are scaled to length 1 first, so that near means a large cosine. A vector of zeros stays.
    neighbours : int, optional
        How many near vectors each is held to: the perplexity of t-SNE (30 unless given), the `n_neighbors` of UMAP (15
        unless given). Less where there are too few vectors: (n - 1) / 3 for t-SNE, n - 1 for UMAP.

    Returns
    -------
    places : float64 array (n, 2)

    Raises
    ------
    OptionError
        If the method is unknown, there are fewer than three vectors, some values aren't finite, or all vectors are
        equal.
    OutputError
        If the package that the method needs is not installed.

    Notes
    -----
    t-SNE (van der Maaten and Hinton 2008) is scikit-learn's, UMAP (McInnes, Healy and Melville 2018) is umap-learn's.
    Both start from the places of PCA instead of random ones, which keeps more of how the groups lie to each other
    (Kobak and Linderman 2021), and run on one thread, so that the same vectors and seed give the same places with the
    same versions of the packages.
    """
    check_method(method, seed=seed, neighbours=neighbours)
    if matrix.ndim != 2 or len(matrix) < LEAST_WORDS:
        raise OptionError(
            f"vectors: {len(matrix)} of them, but a picture needs {LEAST_WORDS} or more. Name more words."
        )
    places = principal_places(matrix, unit=unit)[0]
    if method == "pca":
        return places
    rows = unit_rows(matrix) if unit else np.ascontiguousarray(matrix, np.float32)
    return (_tsne if method == "tsne" else _umap)(rows, places, int(seed), neighbours)


def principal_places(matrix: NDArray[Any], *, unit: bool = True) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give vectors their places along the two strongest principal directions.

    Parameters
    ----------
    matrix : float array (n, d)
        The vectors.
    unit : bool
        Whether they are scaled to length 1 first.

    Returns
    -------
    places : float64 array (n, 2)
        Coordinates about the mean. A direction's sign is that which makes its largest component positive. The second
        is 0 where there is no second direction.
    shares : float64 array (2,)
        Share of the whole variance along each direction.

    Raises
    ------
    OptionError
        If some values aren't finite, or all vectors are equal.
    """
    n, d = matrix.shape
    rows = unit_rows(matrix) if unit else matrix
    total, squares = np.zeros(d), 0.0
    for begin in range(0, n, _BLOCK_ROWS):
        block = rows[begin : begin + _BLOCK_ROWS].astype(np.float64)
        total += block.sum(axis=0)
        squares += float((block * block).sum())
    mean = total / n
    if not np.isfinite(squares):
        raise OptionError("vectors: some values are not finite numbers, so they have no place. Leave these words out.")
    covariance = np.zeros((d, d))
    for begin in range(0, n, _BLOCK_ROWS):
        block = rows[begin : begin + _BLOCK_ROWS] - mean
        covariance += block.T @ block
    spread = float(np.trace(covariance))
    if spread <= _EQUAL**2 * squares:
        what = "point in the same direction" if unit and squares else "are equal"
        raise OptionError(f"vectors: all {n:,} {what}, there is nothing to tell apart. Choose other words or vectors.")
    values, directions = np.linalg.eigh(covariance)
    directions = directions[:, ::-1][:, :2]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(directions.shape[1])])
    places, shares = np.zeros((n, 2)), np.zeros(2)
    for begin in range(0, n, _BLOCK_ROWS):
        places[begin : begin + _BLOCK_ROWS, : directions.shape[1]] = (
            rows[begin : begin + _BLOCK_ROWS] - mean
        ) @ directions
    shares[: directions.shape[1]] = values[::-1][:2].clip(min=0) / spread
    return places, shares


def check_method(method: str, *, seed: int = 0, neighbours: int | None = None) -> None:
    """Refuse, before any work, a method that is unknown or whose package is not installed.

    Parameters
    ----------
    method : str
        See `project`, as the others.
    seed : int
        From 0 to 2**32 - 1.
    neighbours : int, optional
        At least 2.

    Raises
    ------
    OptionError
        If it is none of `METHODS`, or a number can't be.
    OutputError
        If it needs a package that is not installed.
    """
    if method not in METHODS:
        raise OptionError(f"--method: {method!r} is unknown. Choose {', '.join(METHODS)}.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise OptionError(f"--seed: {seed!r} is not an integer from 0 to {2**32 - 1}. Give one.")
    if neighbours is not None and neighbours < 2:
        raise OptionError(f"--neighbours: {neighbours} is not an integer of 2 or more. Give one.")
    if method not in _PACKAGES:
        return
    from importlib.util import find_spec

    module, package = _PACKAGES[method]
    if find_spec(module) is None:
        raise OutputError(
            f"--method {method}: needs the package {package}. Install it with: pip install 'glove-cli[plot]'."
        )


def unit_rows(matrix: NDArray[Any]) -> NDArray[np.float32]:
    """Return vectors scaled to length 1.

    Parameters
    ----------
    matrix : float array (n, d)

    Returns
    -------
    float32 array (n, d)
        A vector of zeros stays one.
    """
    unit = np.empty(matrix.shape, np.float32)
    for begin in range(0, len(unit), _BLOCK_ROWS):
        rows = np.asarray(matrix[begin : begin + _BLOCK_ROWS], np.float64)
        # By the largest component first: squares of tiny or huge ones leave the range of numbers.
        largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
        rows = np.divide(rows, largest, out=np.zeros_like(rows), where=largest != 0)
        norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        unit[begin : begin + _BLOCK_ROWS] = np.divide(rows, norms, out=np.zeros_like(rows), where=norms != 0)
    return unit


def _tsne(
    rows: NDArray[np.float32], places: NDArray[np.float64], seed: int, perplexity: int | None
) -> NDArray[np.float64]:
    """Return the places by t-SNE."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    most = (len(rows) - 1) / 3
    start = places * (_START / places[:, 0].std())
    method = TSNE(
        perplexity=min(_PERPLEXITY if perplexity is None else perplexity, most),
        init=start.astype(np.float32),
        learning_rate="auto",
        random_state=seed,
    )
    with threadpool_limits(1):  # sums of several threads come in any order, and t-SNE makes much of the last bit
        return np.asarray(method.fit_transform(rows), np.float64)


def _umap(
    rows: NDArray[np.float32], places: NDArray[np.float64], seed: int, neighbours: int | None
) -> NDArray[np.float64]:
    """Return the places by UMAP."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    with warnings.catch_warnings():
        # Said as it is imported: that TensorFlow, which another of its classes needs, is not there.
        warnings.simplefilter("ignore", ImportWarning)
        import umap

    flat = np.ptp(places[:, 1]) <= _EQUAL * np.ptp(places[:, 0])  # on a line, which UMAP can't stretch to a square
    method = umap.UMAP(
        n_neighbors=max(2, min(_NEIGHBOURS if neighbours is None else neighbours, len(rows) - 1)),
        init="random" if flat else places,
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1):
        return np.asarray(method.fit_transform(rows), np.float64)

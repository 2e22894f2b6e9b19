"""Words in groups of near ones, by k-means."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, OutputError
from glove_cli.plots.projection import unit_rows

MOST_CLUSTERS = 24
_CENTRAL = 3
_STARTS = 10


def check_clusters(clusters: int) -> None:
    """Refuse, before any work, a number of clusters that can't be, or a missing package.

    Parameters
    ----------
    clusters : int

    Raises
    ------
    OptionError
        If it is not from 2 to 24: more can't be told apart by colour and mark.
    OutputError
        If scikit-learn is not installed.
    """
    if isinstance(clusters, bool) or not isinstance(clusters, int) or not 2 <= clusters <= MOST_CLUSTERS:
        raise OptionError(f"--clusters: {clusters!r} is not an integer from 2 to {MOST_CLUSTERS}. Give one.")
    if find_spec("sklearn") is None:
        raise OutputError("--clusters: needs the package scikit-learn. Install it with: pip install 'glove-cli[plot]'.")


def cluster_words(matrix: NDArray[Any], clusters: int, *, seed: int = 0) -> tuple[NDArray[np.int32], list[list[int]]]:
    """Put words into clusters.

    Parameters
    ----------
    matrix : float array (n, d)
        Their vectors; what counts is their direction.
    clusters : int
        How many clusters, from 2 to 24.
    seed : int
        Of the places from which the clusters start.

    Returns
    -------
    cluster : int32 array (n,)
        Of each word; the largest cluster is 0.
    central : list of list of int
        The rows of up to three words of each cluster that are nearest to its middle, the nearest first.

    Raises
    ------
    OptionError
        If there are fewer different vectors than clusters, or the number can't be.
    OutputError
        If scikit-learn is not installed.

    Notes
    -----
    k-means (Lloyd) of the vectors at length 1, the best of ten starts (k-means++), on one thread.
    """
    check_clusters(clusters)
    rows = unit_rows(matrix)
    different = len(np.unique(rows, axis=0))
    if different < clusters:
        raise OptionError(f"--clusters: {clusters} are more than the {different:,} different vectors. Give fewer.")
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    with threadpool_limits(1):
        method = KMeans(clusters, n_init=_STARTS, random_state=seed).fit(rows)
    sizes = np.bincount(method.labels_, minlength=clusters)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(clusters, np.int32)
    rank[order] = np.arange(clusters)
    central = []
    for old in order:
        members = np.flatnonzero(method.labels_ == old)
        near = rows[members] @ method.cluster_centers_[old]
        central.append(members[np.argsort(-near, kind="stable")[:_CENTRAL]].tolist())
    return rank[method.labels_], central

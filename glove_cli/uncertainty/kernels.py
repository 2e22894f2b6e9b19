"""A product of matrices in one thread: each thread has a word of its own, where those of a library would only wait."""

import numba


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def add_product(a, b, out):
    """Add a^T b to out.

    Parameters: a float64 (n, k), b float64 (n, m), out float64 (k, m), all in C order. Four rows at a time, so that
    out is read and written a quarter as often.
    """
    n, k = a.shape
    m = b.shape[1]
    whole = n // 4 * 4
    for e in range(0, whole, 4):
        for i in range(k):
            first, second, third, fourth = a[e, i], a[e + 1, i], a[e + 2, i], a[e + 3, i]
            for j in range(m):
                out[i, j] += first * b[e, j] + second * b[e + 1, j] + third * b[e + 2, j] + fourth * b[e + 3, j]
    for e in range(whole, n):
        for i in range(k):
            first = a[e, i]
            for j in range(m):
                out[i, j] += first * b[e, j]

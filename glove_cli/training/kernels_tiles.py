"""Entries of a matrix dealt out to tiles, and put in order within a tile.

`place` int32 (V,) holds block * block_size + row within the block for each word; the tile of an entry is word block *
blocks + context block. Twice that, and one more for an entry that is held out, is its part. A matrix is `indptr` int64,
`indices` int32, `data` float64; with `mirror` it is the lower half of a symmetric one. Of `indices` and `data` the
kernels get the piece that begins at entry `offset`.
"""

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def check_entries(indptr, indices, data, offset, first, last, mirror, sizes):
    """Check the entries of the rows first <= row < last; add those of each row of the whole matrix to sizes int64 (V,).

    Returns (entries with a column that is out of range, entries that aren't positive and finite).
    """
    outside = 0
    bad = 0
    V = sizes.size
    for row in range(first, last):
        most = row if mirror else V - 1
        for k in range(indptr[row] - offset, indptr[row + 1] - offset):
            column = np.int64(indices[np.uint64(k)])
            if not 0.0 < data[np.uint64(k)] < np.inf:
                bad += 1
            if not 0 <= column <= most:
                outside += 1
            elif mirror and column != row:
                sizes[np.uint64(column)] += 1
        sizes[row] += indptr[row + 1] - indptr[row]
    return outside, bad


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _is_held_out(row, column, threshold):
    """Tell whether a pair of words is held out, either way round: a hash (splitmix64) of it is below the threshold."""
    if threshold == np.uint64(0):
        return False
    state = np.uint64(max(row, column)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(min(row, column) + 1)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (state ^ (state >> np.uint64(31))) < threshold


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_entries(indptr, indices, offset, first, last, mirror, place, block_size, blocks, threshold, counts):
    """Count the entries of the rows first <= row < last by part, in counts int64 (2 * blocks * blocks,)."""
    for row in range(first, last):
        own = np.int64(place[row]) // block_size
        for k in range(indptr[row] - offset, indptr[row + 1] - offset):
            column = np.int64(indices[np.uint64(k)])
            other = np.int64(place[np.uint64(column)]) // block_size
            held = np.int64(_is_held_out(row, column, threshold))
            counts[np.uint64(2 * (own * blocks + other) + held)] += 1
            if mirror and column != row:
                counts[np.uint64(2 * (other * blocks + own) + held)] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _put(entries, next_slot, part, row, col, log_x):
    """Write the next entry of a part."""
    slot = np.uint64(next_slot[part])
    next_slot[part] += 1
    entries[slot].row = row
    entries[slot].col = col
    entries[slot].log_x = log_x


@numba.njit(cache=True, nogil=True, error_model="numpy")
def deal_entries(
    indptr, indices, data, offset, first, last, mirror, place, block_size, blocks, threshold, next_slot, entries
):
    """Write the entries of the rows first <= row < last to their parts.

    Parameters: threshold uint64, of the hash below which an entry is held out; next_slot int64 (2 * blocks * blocks,),
    where the next entry of each part goes, moved on; entries, records of row, col (uint16), log_x.
    """
    for row in range(first, last):
        own = np.int64(place[row]) // block_size
        local = np.uint16(place[row] - own * block_size)
        for k in range(indptr[row] - offset, indptr[row + 1] - offset):
            column = np.int64(indices[np.uint64(k)])
            other = np.int64(place[np.uint64(column)]) // block_size
            other_local = np.uint16(place[np.uint64(column)] - other * block_size)
            held = np.int64(_is_held_out(row, column, threshold))
            log_x = math.log(data[np.uint64(k)])
            _put(entries, next_slot, np.uint64(2 * (own * blocks + other) + held), local, other_local, log_x)
            if mirror and column != row:
                _put(entries, next_slot, np.uint64(2 * (other * blocks + own) + held), other_local, local, log_x)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def copy_runs(source, sizes, slots, target):
    """Copy runs, one after the other in source uint64 (n, parts), to where `slots` says in target uint64 (m, parts)."""
    begin = 0
    for run in range(sizes.size):
        for k in range(sizes[run]):
            for part in range(source.shape[1]):
                target[np.uint64(slots[run] + k), part] = source[np.uint64(begin + k), part]
        begin += sizes[run]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def order_tiles(tiles, edges, begins, steps, group, starts, out):
    """Write the entries of some tiles to `out` in the order in which they are trained.

    Parameters: tiles, out uint64 (n, parts), an entry each, its row in the lowest bits of the first number; edges int64
    (2 * tiles + 1,), where each tile begins and where its entries that are held out do, which stay as they are; begins,
    steps int64 (tiles,), less than a tile's size n, and the step without a common divisor with n; group int, how many
    rows belong together; starts int64 (groups,), overwritten.

    Group by group of rows, so that their states stay in the nearest cache. A group's entries come in the order in which
    steps around the tile meet them, so that neighbours have nothing in common.
    """
    for t in range(begins.size):
        first, last = edges[2 * t], edges[2 * t + 1]
        starts[:] = 0
        for k in range(first, last):
            starts[np.uint64((tiles[np.uint64(k), 0] & np.uint64(0xFFFF)) // np.uint64(group))] += 1
        total = first
        for i in range(starts.size):
            size = starts[i]
            starts[i] = total
            total += size
        k = first + begins[t]
        for _ in range(first, last):
            i = (tiles[np.uint64(k), 0] & np.uint64(0xFFFF)) // np.uint64(group)
            slot = np.uint64(starts[i])
            starts[i] += 1
            for part in range(tiles.shape[1]):
                out[slot, part] = tiles[np.uint64(k), part]
            k += steps[t]
            if k >= last:
                k -= last - first
        for k in range(last, edges[2 * t + 2]):
            for part in range(tiles.shape[1]):
                out[np.uint64(k), part] = tiles[np.uint64(k), part]

"""Entries of a matrix dealt out to tiles, and put in order within a tile.

`place` int32 (V,) holds block * block_size + row within the block for each word; the tile of an entry is word block *
blocks + context block. A matrix is `indptr` int64, `indices` int32, `data` float64; with `mirror` it is the lower half
of a symmetric one.
"""

import math

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_AHEAD = 6  # entries between the prefetch of a place and its use


@intrinsic
def _prefetch(typing_context, array, index):
    """Ask for the cache line of `array[index]`, to be written; the address need not be valid."""

    def generate(context, builder, signature, arguments):
        pointer = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(pointer, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch")
        builder.call(function, [pointer, word(1), word(3), word(1)])  # to write, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@numba.njit(cache=True, nogil=True, error_model="numpy")
def check_entries(indptr, indices, data, first, last, mirror, sizes):
    """Check the entries of the rows first <= row < last; add those of each row of the whole matrix to sizes int64 (V,).

    Returns (entries with a column that is out of range, entries that aren't positive and finite).
    """
    outside = 0
    bad = 0
    V = sizes.size
    for row in range(first, last):
        most = row if mirror else V - 1
        for k in range(indptr[row], indptr[row + 1]):
            column = np.int64(indices[k])
            if not 0.0 < data[k] < np.inf:
                bad += 1
            if not 0 <= column <= most:
                outside += 1
            elif mirror and column != row:
                sizes[column] += 1
        sizes[row] += indptr[row + 1] - indptr[row]
    return outside, bad


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_entries(indptr, indices, first, last, mirror, place, block_size, blocks, counts):
    """Count the entries of the rows first <= row < last by tile, in counts int64 (blocks * blocks,)."""
    for row in range(first, last):
        own = place[row] // block_size
        for k in range(indptr[row], indptr[row + 1]):
            column = np.int64(indices[k])
            other = place[column] // block_size
            counts[own * blocks + other] += 1
            if mirror and column != row:
                counts[other * blocks + own] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _put(entries, next_slot, tile, row, col, log_x, weight):
    """Write the next entry of a tile."""
    slot = next_slot[tile]
    next_slot[tile] = slot + 1
    entries[slot].row = row
    entries[slot].col = col
    entries[slot].log_x = log_x
    entries[slot].weight = weight
    _prefetch(entries, slot + _AHEAD)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def deal_entries(
    indptr, indices, data, first, last, mirror, place, block_size, blocks, x_max, alpha, next_slot, entries
):
    """Write the entries of the rows first <= row < last to their tiles.

    Parameters: next_slot int64 (blocks * blocks,), where the next entry of each tile goes, moved on; entries, records
    of row, col (uint16), log_x, weight (float32).

        log_x = log x     weight = f(x) = min(1, (x / x_max)^alpha)
    """
    log_max = math.log(x_max)
    for row in range(first, last):
        own = place[row] // block_size
        local = np.uint16(place[row] - own * block_size)
        for k in range(indptr[row], indptr[row + 1]):
            column = np.int64(indices[k])
            other = place[column] // block_size
            other_local = np.uint16(place[column] - other * block_size)
            log_x = math.log(data[k])
            weight = math.exp(alpha * (log_x - log_max)) if data[k] < x_max else 1.0
            _put(entries, next_slot, own * blocks + other, local, other_local, log_x, weight)
            if mirror and column != row:
                _put(entries, next_slot, other * blocks + own, other_local, local, log_x, weight)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def order_tile(tile, begin, step, group, starts, out):
    """Write the entries of a tile to `out` in the order in which they are trained.

    Parameters: tile, out uint32 (n, 3), an entry each, its row in the low half of the first number; begin < n and step
    < n int, step without a common divisor with n; group int, how many rows belong together; starts int64 (groups,),
    overwritten.

    Group by group of rows, so that their states stay in the nearest cache. A group's entries come in the order in which
    steps around the tile meet them, so that neighbours have nothing in common.
    """
    n = tile.shape[0]
    starts[:] = 0
    for k in range(n):
        starts[(tile[k, 0] & 0xFFFF) // group] += 1
    total = 0
    for i in range(starts.size):
        size = starts[i]
        starts[i] = total
        total += size
    k = begin
    for _ in range(n):
        i = (tile[k, 0] & 0xFFFF) // group
        slot = starts[i]
        starts[i] = slot + 1
        for part in range(3):
            out[slot, part] = tile[k, part]
        k += step
        if k >= n:
            k -= n

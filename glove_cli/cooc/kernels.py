"""Rows of a co-occurrence matrix, gathered one at a time in a dense accumulator.

`acc` float64 has room for a whole row and is zero between calls. `marks` uint8 has one byte for each GROUP of
neighbouring columns that the current row has touched: a byte is only ever stored, never read back, while neighbours
stream in. Reading the marked groups out in order yields the row's columns sorted.
"""

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

GROUP = 16
_SHIFT = 4
_AHEAD = 16  # positions between a prefetch and its use


@intrinsic
def _prefetch(typing_context, array, index):
    """Ask for the cache line of `array[index]`; the address need not be valid."""

    def generate(context, builder, signature, arguments):
        pointer = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(pointer, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word]), "llvm.prefetch"
        )
        builder.call(function, [pointer, word(0), word(3), word(1)])  # read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sort_positions(ids, begin, end, next_slot, positions):
    """List the positions of every word: `positions[next_slot[word]]` gets the next one of `begin <= p < end`.

    Parameters: ids int32; next_slot int64 (V + 1,), moved on; positions int32. Id V (a document's end) is skipped.
    """
    V = next_slot.size - 1
    for p in range(begin, end):
        word = ids[p]
        if word != V:
            positions[next_slot[word]] = p
            next_slot[word] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_words(ids, begin, end, counts):
    """Add the occurrences of every word in `ids[begin:end]` to counts int64 (V + 1,)."""
    for p in range(begin, end):
        counts[ids[p]] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _read_out(acc, marks, row, lower, indices, data, n):
    """Move the touched columns of `acc` to `indices` and `data` from n on, in order; zero them; return the new n."""
    before = n
    groups = marks.size
    kept = (row >> _SHIFT) + 1 if lower else groups
    for group in range(kept):
        if marks[group]:
            marks[group] = 0
            for column in range(group << _SHIFT, (group + 1) << _SHIFT):
                value = acc[column]
                acc[column] = 0.0
                indices[n] = column
                data[n] = value
                n += value != 0.0
    if lower:
        while n > before and indices[n - 1] > row:
            n -= 1
        for group in range(kept, groups):
            if marks[group]:
                marks[group] = 0
                for column in range(group << _SHIFT, (group + 1) << _SHIFT):
                    acc[column] = 0.0
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_rows(
    ids, positions, starts, first, last, weights, to_right, to_left, lower, acc, marks, sizes, indices, data
):
    """Count rows first <= row < last.

    Parameters: ids int32 with at least `window` times id V (a document's end) before and after what `positions` names;
    positions int32, those of word i at `starts[i]:starts[i + 1]` (int64 (V + 1,)); weights float64 (window + 1,);
    to_right, to_left: which neighbours of a row's word are its columns; lower: keep columns <= row only; acc float64,
    marks uint8.
    Output: sizes int64 (last - first,), entries of each row; indices int32, data float64, with GROUP places more than
    there can be entries.
    Returns the number of entries.
    """
    V = starts.size - 1
    window = weights.size - 1
    n = 0
    for row in range(first, last):
        for q in range(starts[row], starts[row + 1]):
            if q + _AHEAD < positions.size:
                ahead = np.int64(positions[q + _AHEAD])
                _prefetch(ids, ahead)
                _prefetch(ids, ahead + window)
                _prefetch(ids, ahead - window)
            p = np.int64(positions[q])
            if to_right:
                for k in range(1, window + 1):
                    column = np.int64(ids[p + k])
                    if column == V:
                        break
                    acc[column] += weights[k]
                    marks[column >> _SHIFT] = 1
            if to_left:
                for k in range(1, window + 1):
                    column = np.int64(ids[p - k])
                    if column == V:
                        break
                    acc[column] += weights[k]
                    marks[column >> _SHIFT] = 1
        before = n
        n = _read_out(acc, marks, row, lower, indices, data, n)
        sizes[row - first] = n - before
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def merge_rows(bounds, part_indices, part_data, first, lower, acc, marks, sizes, indices, data):
    """Add up the rows that several parts hold, beginning with row `first`.

    Parameters: bounds int64 (parts, rows + 1), row i of part k is `bounds[k, i]:bounds[k, i + 1]` of part_indices int32
    and part_data float64, in which the parts follow one another; the others as in `count_rows`.
    Returns the number of entries.
    """
    n = 0
    for i in range(sizes.size):
        for part in range(bounds.shape[0]):
            for k in range(bounds[part, i], bounds[part, i + 1]):
                column = np.int64(part_indices[k])
                acc[column] += part_data[k]
                marks[column >> _SHIFT] = 1
        before = n
        n = _read_out(acc, marks, first + i, lower, indices, data, n)
        sizes[i] = n - before
    return n

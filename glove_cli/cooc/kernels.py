"""Rows of a co-occurrence matrix: those of the most frequent words all at once, the others one at a time.

The most frequent words make half of a text, and their rows in the lower half of the matrix are short: what they want
of their neighbours are frequent words only. So `count_top` leaves all others out before it looks for neighbours.

Of the other rows, `acc` float64 has room for a whole one, and places to spare behind it for neighbours that aren't
wanted; `bits` uint64 has a bit for each place of it, set where the row has been touched. Both are zero between calls,
but for the spare places. Reading the set bits out in order yields the row's columns sorted.

Inner loops take unsigned indices: with a signed one Numba looks each time whether it counts from the end, which takes
half as long again.
"""

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WORD = 64  # places for each number of `bits`
_SHIFT = np.uint64(6)
_REST = np.uint64(WORD - 1)
_ONE = np.uint64(1)
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


@intrinsic
def _trailing_zeros(typing_context, bits):
    """Return the number of zeros below the lowest one of a uint64 that isn't 0."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sort_positions(ids, begin, end, first, last, next_slot, positions):
    """List the positions of words: `positions[next_slot[word]]` gets the next one of `begin <= p < end`.

    Parameters: ids int32; first <= word < last; next_slot int64 (V + 2,), moved on; positions int32. Ids V
    (a document's end) and V + 1 (a place without a word) are skipped.
    """
    least, number = np.uint64(first), np.uint64(last - first)
    for p in range(begin, end):
        word = np.uint64(ids[np.uint64(p)])
        if word - least < number:
            slot = next_slot[word]
            positions[np.uint64(slot)] = p
            next_slot[word] = slot + 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_words(ids, begin, end, counts):
    """Add the occurrences of every id in `ids[begin:end]` to counts int64 (V + 2,)."""
    for p in range(begin, end):
        counts[np.uint64(ids[np.uint64(p)])] += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_top(ids, begin, end, V, weights, words, places, top):
    """Add up the pairs of two frequent words of which the left one is in `ids[begin:end]`.

    Parameters: ids int32, as in `count_rows`; weights float64 (window + 1,); words int32, places int64, with room for
    an id and its place for each of `ids[begin : end + window]` and one more; top float64 (K, K): a pair of ids below K
    is added where the greater one is the row.
    """
    K = top.shape[0]
    window = weights.size - 1
    n = own = 0
    skipped = np.int64(0)
    for p in range(begin, end + window):
        own = n if p == end else own
        word = ids[np.uint64(p)]
        words[np.uint64(n)] = word
        places[np.uint64(n)] = p + skipped
        n += word < K
        skipped += window if word == V else 0  # farther than any neighbour
    for i in range(own):
        word, place = np.uint64(words[i]), places[i]
        k = np.uint64(i + 1)
        while k < n and places[k] - place <= window:
            other = np.uint64(words[k])
            top[max(word, other), min(word, other)] += weights[np.uint64(places[k] - place)]
            k += _ONE


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _touch(bits, place):
    """Set a bit."""
    bits[place >> _SHIFT] |= _ONE << (place & _REST)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _read_touched(acc, bits, last, indices, data, n):
    """Move the touched columns <= last of `acc` to `indices` and `data` from n on, in order. Return the new n."""
    for word in range((np.uint64(last) >> _SHIFT) + _ONE):
        left = bits[word]
        bits[word] = np.uint64(0)
        while left:
            column = (word << _SHIFT) + np.uint64(_trailing_zeros(left))
            left &= left - _ONE
            indices[np.uint64(n)] = column
            data[np.uint64(n)] = acc[column]
            acc[column] = 0.0
            n += 1
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _read_all(acc, last, indices, data, n):
    """Move the columns <= last of `acc` that aren't 0 to `indices` and `data` from n on. Return the new n."""
    for column in range(last + 1):
        x = acc[column]
        indices[np.uint64(n)] = column
        data[np.uint64(n)] = x
        n += x != 0.0
        acc[column] = 0.0
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _gather(ids, p, step, end, weights, last, spare, acc):
    """Add the weights of the neighbours of p on one side (step 1 or -1); those above `last` go to spare places."""
    for k in range(1, weights.size):
        column = np.int64(ids[np.uint64(p + step * k)])
        if column == end:
            break
        acc[np.uint64(column if column <= last else spare + k)] += weights[k]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _gather_and_touch(ids, p, step, end, weights, last, spare, acc, bits):
    """Do the same, and set the bits of the places."""
    for k in range(1, weights.size):
        column = np.int64(ids[np.uint64(p + step * k)])
        if column == end:
            break
        place = np.uint64(column if column <= last else spare + k)
        acc[place] += weights[k]
        _touch(bits, place)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_rows(ids, positions, starts, first, last, weights, to_right, to_left, lower, acc, bits, sizes, indices, data):
    """Count rows first <= row < last.

    Parameters: ids int32, V where a document ends, V + 1 at a place without a word, with at least `window` ids before
    and after what `positions` names; positions int32, those of word i at `starts[i]:starts[i + 1]` (int64 (V + 1,));
    weights float64 (window + 1,); to_right, to_left: which neighbours of a row's word are its columns; lower: keep
    columns <= row only; acc float64, bits uint64, as `count.Accumulator` makes them. Output: sizes int64 (last -
    first,), entries of each row; indices int32, data float64, with a place more than there can be entries. Returns the
    number of entries.

    A row whose word is so frequent that it has most columns is read out whole, and its columns needn't be remembered.
    """
    V = starts.size - 1
    window = weights.size - 1
    spare = acc.size - weights.size
    right, left = np.int64(1), np.int64(-1)
    n = np.int64(0)
    for row in range(first, last):
        last_column = row if lower else V - 1
        visits = (starts[row + 1] - starts[row]) * window * (to_right + to_left)
        whole = visits > 2 * last_column
        for q in range(starts[row], starts[row + 1]):
            if q + _AHEAD < positions.size:
                ahead = np.int64(positions[q + _AHEAD])
                _prefetch(ids, ahead)
                _prefetch(ids, ahead + window)
                _prefetch(ids, ahead - window)
            p = np.int64(positions[q])
            if whole:
                if to_right:
                    _gather(ids, p, right, V, weights, last_column, spare, acc)
                if to_left:
                    _gather(ids, p, left, V, weights, last_column, spare, acc)
            else:
                if to_right:
                    _gather_and_touch(ids, p, right, V, weights, last_column, spare, acc, bits)
                if to_left:
                    _gather_and_touch(ids, p, left, V, weights, last_column, spare, acc, bits)
        before = n
        if whole:
            n = _read_all(acc, last_column, indices, data, n)
        else:
            n = _read_touched(acc, bits, last_column, indices, data, n)
        sizes[row - first] = n - before
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def merge_rows(bounds, part_indices, part_data, first, lower, acc, bits, sizes, indices, data):
    """Add up the rows that several parts hold, beginning with row `first`.

    Parameters: bounds int64 (parts, rows + 1), row i of part k is `bounds[k, i]:bounds[k, i + 1]` of part_indices int32
    and part_data float64, in which the parts follow one another; the others as in `count_rows`.
    Returns the number of entries.
    """
    n = np.int64(0)
    for i in range(sizes.size):
        for part in range(bounds.shape[0]):
            for k in range(bounds[part, i], bounds[part, i + 1]):
                column = np.int64(part_indices[k])
                acc[column] += part_data[k]
                _touch(bits, np.uint64(column))
        before = n
        n = _read_touched(acc, bits, first + i if lower else acc.size - 1, indices, data, n)
        sizes[i] = n - before
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_row(part_indices, part_data, acc, bits):
    """Add the row of one part."""
    for k in range(part_indices.size):
        column = np.int64(part_indices[k])
        acc[column] += part_data[k]
        _touch(bits, np.uint64(column))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def read_row(acc, bits, last, indices, data):
    """Move the row that was added up, with its columns <= last, to indices and data. Return the number of entries."""
    return _read_touched(acc, bits, last, indices, data, np.int64(0))

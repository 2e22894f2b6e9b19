"""Tokens of a block of bytes to provisional ids, by a hash table that keeps every distinct word.

A table is a handful of arrays, made by `tokenizer.WordTable`. Word i is `arena[starts[i]:starts[i + 1]]`, and
`counts[i]` is how often it was seen; words get their ids in order of first appearance. `slots` int64 (capacity, 2)
holds keys and ids (-1 when free); its capacity is a power of two. A word of up to 7 bytes is its own key: its bytes,
and its length in the eighth one. The key of a longer word is a hash, and its bytes are compared as well.

Bytes are read eight at a time, the first one lowest.
"""

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

DOCUMENT_END = -1
PADDING = 8  # bytes that must follow a block

_SPACE, _TAB, _NEWLINE = 32, 9, 10
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_SPACES, _TABS, _NEWLINES = (np.uint64(byte) * _ONES for byte in (_SPACE, _TAB, _NEWLINE))
_LONG = np.uint64(0xFF) << np.uint64(56)  # the eighth byte of a long word's key
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_AT_ONCE = 64  # tokens found before the first of them is looked up


@intrinsic
def _load(typing_context, array, index):
    """Return the eight bytes of a uint8 array from `index` on as one uint64, at any alignment."""

    def generate(context, builder, signature, arguments):
        pointer = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(pointer, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(array, types.int64), generate


@intrinsic
def _prefetch(typing_context, slots, index):
    """Ask for the cache line of a row of `slots`."""

    def generate(context, builder, signature, arguments):
        pointer = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(pointer, ir.ArrayType(ir.IntType(64), 2).as_pointer())
        pointer = builder.bitcast(builder.gep(pointer, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word]), "llvm.prefetch"
        )
        builder.call(function, [pointer, word(0), word(3), word(1)])  # read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(slots, types.int64), generate


@intrinsic
def _trailing_zeros(typing_context, bits):
    """Return the number of zeros below the lowest one of a uint64 that isn't 0."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _zero_bytes(bits):
    """Return a uint64 whose lowest one lies in the lowest byte of `bits` that is zero; 0 if none is."""
    return (bits - _ONES) & ~bits & _HIGHS


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _separators(bits):
    """Return a uint64 whose lowest one lies in the lowest byte that is a separator; 0 if none is."""
    return _zero_bytes(bits ^ _SPACES) | _zero_bytes(bits ^ _NEWLINES) | _zero_bytes(bits ^ _TABS)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _low_bytes(bits, length):
    """Return the lowest `length` bytes, fewer than eight."""
    return bits & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _slot(key, mask):
    """Return where the search for a key begins."""
    mixed = key * _MIX
    return np.int64(mixed ^ (mixed >> np.uint64(32))) & mask


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _same_bytes(block, p, arena, start, length):
    """Tell whether `block[p:p + length]` equals `arena[start:start + length]`, length at least 8."""
    for k in range(0, length - 8, 8):
        if _load(block, p + k) != _load(arena, start + k):
            return False
    return _load(block, p + length - 8) == _load(arena, start + length - 8)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _find_tokens(block, p, n, slots, keys, places, lengths):
    """Find the next tokens and newlines of `block[p:n]`, as many as there is room for, and ask for their slots.

    Parameters: block, slots as in `tokenize`. Output: keys uint64, places int64, lengths int64, one for each token; a
    newline has the length 0. Returns (position reached, number found).
    """
    mask = np.int64(slots.shape[0] - 1)
    m = 0
    while p < n and m < keys.size:
        bits = _load(block, p)
        byte = bits & np.uint64(0xFF)
        if byte == _SPACE or byte == _TAB:  # noqa: SIM109
            p += 1
            continue
        separators = _separators(bits)
        if byte == _NEWLINE:
            key = np.uint64(0)
            length = np.int64(0)
        elif separators:
            length = _trailing_zeros(separators) >> 3
            key = _low_bytes(bits, length) | (np.uint64(length) << np.uint64(56))
        else:
            key = np.uint64(0)
            length = 0
            while not separators:
                key = (key ^ bits) * _MIX
                key ^= key >> np.uint64(29)
                length += 8
                bits = _load(block, p + length)
                separators = _separators(bits)
            rest = _trailing_zeros(separators) >> 3
            key = (key ^ _low_bytes(bits, rest) ^ np.uint64(rest)) * _MIX
            key = (key ^ (key >> np.uint64(32))) | _LONG
            length += rest
        _prefetch(slots, _slot(key, mask))
        found = np.uint64(m)
        keys[found] = key
        places[found] = p
        lengths[found] = length
        m += 1
        p += max(length, 1)
    return p, m


@numba.njit(cache=True, nogil=True, error_model="numpy")
def tokenize(block, begin, slots, arena, starts, counts, words, ids, n_ids):
    """Write the provisional ids of the tokens of `block[begin:-PADDING]` to `ids`, with DOCUMENT_END for a newline.

    Parameters: block uint8 (n + PADDING,), in which byte n - 1 is a separator; begin int; the arrays of a table and its
    number of words; ids int32 (at least n,), n_ids how many are written already.
    Returns (position reached, words, n_ids). A position before n says that the table is full: make it larger
    and call again.

    Some tokens are found before the first of them is looked up, so that their slots come from memory meanwhile.
    """
    n = block.size - PADDING
    mask = np.int64(slots.shape[0] - 1)
    most = min(np.int64(counts.size), np.int64(slots.shape[0] // 2))
    keys, places, lengths = np.empty(_AT_ONCE, np.uint64), np.empty(_AT_ONCE, np.int64), np.empty(_AT_ONCE, np.int64)
    reached = begin
    while reached < n:
        reached, found = _find_tokens(block, reached, n, slots, keys, places, lengths)
        for k in range(found):
            p, length = places[k], lengths[k]
            if length == 0:
                if n_ids == 0 or ids[n_ids - 1] != DOCUMENT_END:
                    ids[n_ids] = DOCUMENT_END
                    n_ids += 1
                continue
            key = np.int64(keys[k])
            slot = np.uint64(_slot(keys[k], mask))
            while True:
                word = slots[slot, 1]
                if word < 0:
                    if words >= most or starts[words] + length > arena.size:
                        return p, words, n_ids
                    word = words
                    start = starts[word]
                    for j in range(length):
                        arena[start + j] = block[p + j]
                    starts[word + 1] = start + length
                    slots[slot, 0] = key
                    slots[slot, 1] = word
                    counts[word] = 0
                    words += 1
                    break
                if slots[slot, 0] == key:
                    if length < 8:
                        break
                    start = starts[word]
                    if starts[word + 1] - start == length and _same_bytes(block, p, arena, start, length):
                        break
                slot = (slot + np.uint64(1)) & np.uint64(mask)
            counts[np.uint64(word)] += 1
            ids[np.uint64(n_ids)] = word
            n_ids += 1
    return reached, words, n_ids


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rehash(old, new):
    """Enter all words of the slots `old` into the empty, larger slots `new`."""
    mask = np.int64(new.shape[0] - 1)
    for k in range(old.shape[0]):
        if old[k, 1] >= 0:
            slot = _slot(np.uint64(old[k, 0]), mask)
            while new[slot, 1] >= 0:
                slot = (slot + 1) & mask
            new[slot, 0] = old[k, 0]
            new[slot, 1] = old[k, 1]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def join(arena, starts, first, last, separator, out):
    """Write the words first, ..., last - 1 of a table to `out`, each with a separator behind it.

    Parameters: arena and starts of a table; first, last int; separator int, a byte; out uint8, which has room.
    """
    n = np.int64(0)
    for word in range(first, last):
        for k in range(starts[word], starts[word + 1]):
            out[n] = arena[k]
            n += 1
        out[n] = separator
        n += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def expand(stretches, begin, tokens, starts, expansions, ids, n_ids):
    """Write the tokens of each stretch to `ids`, and pass DOCUMENT_END through.

    Parameters: stretches int32 (n,), ids of stretches or DOCUMENT_END, read from `begin` on; tokens int32, for each
    stretch its token, if it is one; else ~m, and the tokens are expansions[starts[m]:starts[m + 1]], starts int64 and
    expansions int32; ids int32, n_ids how many are written already.
    Returns (position reached, n_ids). A position before n says that `ids` is full: make it larger and call again.
    """
    for k in range(begin, stretches.size):
        stretch = stretches[k]
        if stretch == DOCUMENT_END:
            if n_ids == 0 or ids[n_ids - 1] != DOCUMENT_END:
                if n_ids >= ids.size:
                    return k, n_ids
                ids[n_ids] = DOCUMENT_END
                n_ids += 1
            continue
        token = tokens[np.uint32(stretch)]  # unsigned: no look at whether it counts from the end
        if token >= 0:
            if n_ids >= ids.size:
                return k, n_ids
            ids[n_ids] = token
            n_ids += 1
            continue
        start = starts[~token]
        end = starts[~token + 1]
        if n_ids + end - start > ids.size:
            return k, n_ids
        for j in range(start, end):
            ids[n_ids] = expansions[j]
            n_ids += 1
    return np.int64(stretches.size), n_ids

"""Tokens of a block of bytes to provisional ids, by a hash table that keeps every distinct word.

A table is a handful of arrays, made by `tokenizer.WordTable`: `slots` int64 (capacity, 2) holds a word's hash and its id
(-1 when free), capacity a power of two; `arena` uint8 holds the words' bytes one after another; word i is
`arena[starts[i]:starts[i + 1]]`; `counts[i]` is how often it was seen. Words get their ids in order of first appearance.
"""

import numba
import numpy as np

DOCUMENT_END = -1

_SPACE, _TAB, _NEWLINE = 32, 9, 10
_SEED = np.uint64(0xCBF29CE484222325)  # FNV-1a, 64 bit
_PRIME = np.uint64(0x100000001B3)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def tokenize(block, begin, slots, arena, starts, counts, words, ids, n_ids):
    """Write the provisional ids of the tokens of `block[begin:]` to `ids`, with DOCUMENT_END for a newline.

    Parameters: block uint8 (n,), begin int; the arrays of a table and its number of words; ids int32 (at least as long as
    the block), n_ids how many are written already.
    Returns (position reached, words, n_ids). A position before the end says that the table is full: make it larger
    and call again. The last byte must be a separator.
    """
    n = block.size
    mask = np.int64(slots.shape[0] - 1)
    most = min(np.int64(counts.size), np.int64(slots.shape[0] // 2))
    p = begin
    while p < n:
        byte = block[p]
        if byte == _SPACE or byte == _TAB:
            p += 1
            continue
        if byte == _NEWLINE:
            if n_ids == 0 or ids[n_ids - 1] != DOCUMENT_END:
                ids[n_ids] = DOCUMENT_END
                n_ids += 1
            p += 1
            continue
        q = p
        hashed = _SEED
        while byte != _SPACE and byte != _NEWLINE and byte != _TAB:
            hashed = (hashed ^ np.uint64(byte)) * _PRIME
            q += 1
            byte = block[q]
        hashed ^= hashed >> np.uint64(32)
        signed = np.int64(hashed)
        length = q - p
        slot = signed & mask
        while True:
            found = slots[slot, 1]
            if found < 0:
                if words >= most or starts[words] + length > arena.size:
                    return p, words, n_ids
                start = starts[words]
                for k in range(length):
                    arena[start + k] = block[p + k]
                starts[words + 1] = start + length
                slots[slot, 0] = signed
                slots[slot, 1] = words
                counts[words] = 0
                found = words
                words += 1
                break
            if slots[slot, 0] == signed:
                start = starts[found]
                if starts[found + 1] - start == length:
                    k = 0
                    while k < length and arena[start + k] == block[p + k]:
                        k += 1
                    if k == length:
                        break
            slot = (slot + 1) & mask
        counts[found] += 1
        ids[n_ids] = found
        n_ids += 1
        p = q
    return p, words, n_ids


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rehash(old, new):
    """Enter all words of the slots `old` into the empty, larger slots `new`."""
    mask = np.int64(new.shape[0] - 1)
    for k in range(old.shape[0]):
        if old[k, 1] >= 0:
            slot = old[k, 0] & mask
            while new[slot, 1] >= 0:
                slot = (slot + 1) & mask
            new[slot, 0] = old[k, 0]
            new[slot, 1] = old[k, 1]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def remap(ids, table, end, seen, out):
    """Turn provisional ids into final ones, without the tokens that have none.

    Parameters: ids int32 (n,), table int32 (words,) final id of each provisional one or -1; end int32, what a document end
    becomes; seen, whether the document that `ids` begins in has had a token; out int32 (n,).
    Returns (entries written to out, tokens read, documents that ended, seen after the last id).
    """
    n = 0
    tokens = 0
    documents = 0
    for k in range(ids.size):
        word = ids[k]
        if word == DOCUMENT_END:
            if seen:
                out[n] = end
                n += 1
                documents += 1
                seen = False
        else:
            tokens += 1
            seen = True
            new = table[word]
            out[n] = new
            n += new >= 0
    return n, tokens, documents, seen

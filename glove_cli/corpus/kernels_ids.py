"""Provisional ids to final ones: translate, leave out, sample, and count the documents of each word."""

import numba
import numpy as np

DOCUMENT_END = -1

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_MIX_2 = np.uint64(0xBF58476D1CE4E5B9)  # the constants of splitmix64's last steps
_MIX_3 = np.uint64(0x94D049BB133111EB)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def remap(ids, table, V, open_document, out, n):
    """Write the final ids of provisional ones to `out` from n on, without the tokens that have none.

    Parameters: ids int32; table int32 (words,), final id of each provisional one, or -1 if its tokens are left out; V
    int, what a document's end becomes; open_document, whether the document that `ids` begins in has had a token;
    out int32, which may be the array that `ids` is a piece of, if n is no greater than where the piece begins.
    Returns (new n, tokens read, tokens of the vocabulary, documents that ended, open_document after the last id).
    """
    tokens = 0
    kept = 0
    documents = 0
    for k in range(ids.size):
        word = ids[k]
        if word == DOCUMENT_END:
            if open_document:
                out[n] = V
                n += 1
                documents += 1
                open_document = False
        else:
            tokens += 1
            open_document = True
            new = table[np.uint64(word)]
            out[np.uint64(n)] = new
            n += new >= 0
            kept += (new >= 0) & (new < V)
    return n, tokens, kept, documents, open_document


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _mixed(bits):
    """Return a uint64 all of whose bits depend on all of those given (splitmix64, Steele et al. 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_2
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_3
    return bits ^ (bits >> np.uint64(31))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def subsample(ids, begin, end, V, keep, seed, state):
    """Leave tokens out of `ids[begin:end]` at random, in place.

    A token's chance hangs on a hash of the seed and of all words of its document up to itself, so it is the same
    whatever the text is cut into. Parameters: ids int32, V where a document ends; keep uint64 (V,), a token of word i
    stays if 32 random bits are below `keep[i]`; seed uint64; state uint64, the hash so far (the seed at a
    document's beginning).
    Returns (new end, tokens left out, state).
    """
    n = begin
    for k in range(begin, end):
        word = np.int64(ids[k])
        ids[n] = word
        if word < V:
            state = _mixed((state ^ np.uint64(word)) + _MIX)
            n += (state >> np.uint64(32)) < keep[word]
        else:
            n += 1
            if word == V:
                state = seed
    return n, end - n, state


@numba.njit(cache=True, nogil=True, error_model="numpy")
def count_documents(ids, table, document, open_document, last, counts):
    """Count in how many documents each word occurs.

    Parameters: ids int32, provisional; table int32, number of each one's word, or -1; document int, number of the
    document that `ids` begins in, and whether it has had a token; last int64 (words,), the document in which each
    word was last seen; counts int64 (words,).
    Returns (document, open_document) after the last id.
    """
    for k in range(ids.size):
        provisional = ids[k]
        if provisional == DOCUMENT_END:
            document += open_document
            open_document = False
        else:
            open_document = True
            word = table[provisional]
            if word >= 0 and last[word] != document:
                last[word] = document
                counts[word] += 1
    return document, open_document

"""The update of GloVe by AdaGrad, entry after entry, on whole vector registers.

A word's state is one row of a float32 array, `[values | sums]`: `values` are its vector, its bias and a constant 1,
padded with zeros to whole registers; `sums` are the sums of squared steps of each, at the same offsets. For a word the
order is (w, b_w, 1), for a context (c, 1, b_c), so that the product of both rows is w . c + b_w + b_c and a bias is
updated like any other component. `state` says how the constant stays one, and how biases get a learning rate of their
own.

LANES numbers make a register; `_load`, `_mul` and so on are single instructions on one.
"""

import math

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
WEIGHTS = 256  # entries whose f(x) is found at once
_AHEAD = 4  # entries between the prefetch of a context's state and its update
_ROWS_AHEAD = 32  # words between the prefetch of a state and its update, at least half of them
_FLAGS = ("contract", "reassoc", "nsz", "arcp", "afn")  # what keeps a NaN visible
_REGISTER = ir.VectorType(ir.FloatType(), LANES)


class _Lanes(types.Type):
    """LANES float32 numbers in a register."""

    def __init__(self):
        super().__init__(name=f"float32x{LANES}")


_lanes = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """Lanes are a vector of LLVM."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, _REGISTER)


@intrinsic
def _load(typing_context, array, index):
    """Return the lanes of a float32 array from `index` (counted in numbers) on; whole registers are aligned."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load(builder.bitcast(builder.gep(data, [arguments[1]]), _REGISTER.as_pointer()), align=32)

    return _lanes(array, types.int64), generate


@intrinsic
def _store(typing_context, array, index, value):
    """Write lanes to a float32 array from `index` on."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        target = builder.bitcast(builder.gep(data, [arguments[1]]), _REGISTER.as_pointer())
        builder.store(arguments[2], target, align=32)
        return context.get_dummy_value()

    return types.void(array, types.int64, _lanes), generate


@intrinsic
def _prefetch(typing_context, array, index):
    """Ask for the cache line of a float32 array that holds `index`, to be written."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch")
        builder.call(function, [pointer, word(1), word(3), word(1)])  # to write, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic
def _spread(typing_context, number):
    """Return lanes that all hold a float32 number."""

    def generate(context, builder, signature, arguments):
        nothing = ir.Constant(_REGISTER, ir.Undefined)
        first = builder.insert_element(nothing, arguments[0], ir.IntType(32)(0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    return _lanes(types.float32), generate


@intrinsic
def _mul(typing_context, a, b):
    """Return a * b."""

    def generate(context, builder, signature, arguments):
        return builder.fmul(*arguments, flags=_FLAGS)

    return _lanes(_lanes, _lanes), generate


@intrinsic
def _add(typing_context, a, b):
    """Return a + b; of a product, as one fused instruction."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments, flags=_FLAGS)

    return _lanes(_lanes, _lanes), generate


@intrinsic
def _over_sqrt(typing_context, a, b):
    """Return a / sqrt(b); LLVM makes it an estimate of 1 / sqrt(b) and one Newton step."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(_REGISTER, [_REGISTER])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f32")
        root = builder.call(function, [arguments[1]], fastmath=_FLAGS)
        inverse = builder.fdiv(ir.Constant(_REGISTER, [1.0] * LANES), root, flags=_FLAGS)
        return builder.fmul(arguments[0], inverse, flags=_FLAGS)

    return _lanes(_lanes, _lanes), generate


@intrinsic
def _sum(typing_context, a):
    """Return the sum of the lanes as float32."""

    def generate(context, builder, signature, arguments):
        number = ir.FloatType()
        kind = ir.FunctionType(number, [number, _REGISTER])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{LANES}f32")
        return builder.call(function, [ir.Constant(number, -0.0), arguments[0]], fastmath=_FLAGS)

    return types.float32(_lanes), generate


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def _product(words, i, contexts, j, half):
    """Return, still spread over lanes, the product of the values at offsets i and j."""
    product = _spread(np.float32(0))
    for k in range(0, half, LANES):
        product = _add(product, _mul(_load(words, i + k), _load(contexts, j + k)))
    return product


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def _update(words, i, contexts, j, half, k, step):
    """Update one register of a word and of a context; `step` is -eta f diff.

    s_w = step c     w += s_w / sqrt(G_w)     G_w += s_w^2     and the same for the context, from the old w
    """
    w, c = _load(words, i + k), _load(contexts, j + k)
    w_sums, c_sums = _load(words, i + half + k), _load(contexts, j + half + k)
    w_step, c_step = _mul(step, c), _mul(step, w)
    _store(words, i + k, _add(w, _over_sqrt(w_step, w_sums)))
    _store(contexts, j + k, _add(c, _over_sqrt(c_step, c_sums)))
    _store(words, i + half + k, _add(w_sums, _mul(w_step, w_step)))
    _store(contexts, j + half + k, _add(c_sums, _mul(c_step, c_step)))


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def _update_clipped(word, context, dim, step, limit):
    """Update two rows with steps of the vectors cut to `limit`, number by number; those of biases are never cut."""
    half = word.size // 2
    for k in range(half):
        w_step, c_step = step * context[k], step * word[k]
        if k < dim:
            w_step = min(max(w_step, -limit), limit)
            c_step = min(max(c_step, -limit), limit)
        word[k] += w_step / math.sqrt(word[half + k])
        context[k] += c_step / math.sqrt(context[half + k])
        word[half + k] += w_step * w_step
        context[half + k] += c_step * c_step


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def _length(states, offset, half):
    """Return the length of the values at an offset, which bounds the largest component of the vector among them."""
    return math.sqrt(_sum(_product(states, offset, states, offset, half)))


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def _find_weights(entries, first, last, alpha, log_max, log_least, weights, exponents):
    """Write f(x) = min(1, (x / x_max)^alpha), or exp(log_least) if it is more, of entries first <= e < last to weights.

    As 2^(n + r) with |r| <= 1/2: the series of 2^r (relative error below 3e-7), and n added to its exponent. Two loops,
    because LLVM makes vectors only of what doesn't overlap.
    """
    slope = np.float32(alpha * math.log2(math.e))
    least = np.float32(max(log_least * math.log2(math.e), -126.0))
    bits = weights.view(np.int32)
    for k in range(np.uint64(last - first)):
        log_share = entries[np.uint64(first) + k].log_x - log_max
        power = max(min(slope * log_share, np.float32(0)), least)
        n = np.int32(power - np.float32(0.5))
        r = power - np.float32(n)
        root = np.float32(1.5403530e-4)  # ln(2)^k / k! from k = 6 down
        root = root * r + np.float32(1.3333558e-3)
        root = root * r + np.float32(9.6181291e-3)
        root = root * r + np.float32(5.5504109e-2)
        root = root * r + np.float32(2.4022651e-1)
        root = root * r + np.float32(6.9314718e-1)
        weights[k] = root * r + np.float32(1)
        exponents[k] = n << 23
    for k in range(np.uint64(last - first)):
        bits[k] += exponents[k]


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def train_tiles(
    words, contexts, word_lengths, context_lengths, entries, jobs,
    dim, eta, grad_clip, alpha, log_max, log_least, space, costs,
):  # fmt: skip
    """Update the states of words and contexts by each entry in turn.

    Parameters: words, contexts float32 (rows, 2 * half), aligned; word_lengths, context_lengths float32 (rows,), no
    less than the lengths of the rows' values, and kept so; entries, records of row, col (uint16), log_x (float32); jobs
    int64 (n, 4), each the first entry, the one after the last, and the rows of words and contexts that their row 0 and
    col 0 stand for; dim int, eta, grad_clip, alpha, log_max = log x_max and log_least float32, the logarithm of what an
    entry weighs at least; space float32 (2 * WEIGHTS,), overwritten; costs float64 (n,), gets the sum of 1/2 f diff^2
    of each job.

        diff = w . c + b_w + b_c - log x
        step = -eta f diff

    As soon as a register is updated, the next entry's product takes it in, or the same register of other rows: neither
    waits for the other. Only where the lengths say that a step could be too large, each number has to be looked at.
    """
    width = np.int64(words.shape[1])
    half = width // 2
    limit = eta * grad_clip
    pace = (4 + width // 32) * 16
    weights, exponents = space[:WEIGHTS], space.view(np.int32)[WEIGHTS:]
    for job in range(jobs.shape[0]):
        cost = 0.0
        first, last, first_row, first_col = jobs[job, 0], jobs[job, 1], jobs[job, 2], jobs[job, 3]
        if first >= last:
            costs[job] = cost
            continue
        row = first_row + np.int64(entries[np.uint64(first)].row)
        col = first_col + np.int64(entries[np.uint64(first)].col)
        product = _product(words, row * width, contexts, col * width, half)
        asked = first_row * width
        for begin in range(first, last, WEIGHTS):
            end = min(begin + WEIGHTS, last)
            _find_weights(entries, begin, end, alpha, log_max, log_least, weights, exponents)
            for e in range(begin, end):
                diff = _sum(product) - entries[np.uint64(e)].log_x
                fdiff = weights[np.uint64(e - begin)] * diff
                cost += np.float64(fdiff * diff)
                step = -eta * fdiff
                size = abs(step)
                i, j = row * width, col * width
                following = np.uint64(min(e + 1, last - 1))
                next_row = first_row + np.int64(entries[following].row)
                next_col = first_col + np.int64(entries[following].col)
                next_i, next_j = next_row * width, next_col * width
                ahead = (first_col + np.int64(entries[np.uint64(min(e + _AHEAD, last - 1))].col)) * width
                if asked < (row + _ROWS_AHEAD) * width:
                    for line in range(asked, asked + pace, 16):
                        _prefetch(words, line)
                    asked += pace
                word_length, context_length = word_lengths[np.uint64(row)], context_lengths[np.uint64(col)]
                if size * max(word_length, context_length) > limit:
                    word_length, context_length = _length(words, i, half), _length(contexts, j, half)
                    if size * max(word_length, context_length) > limit:
                        _update_clipped(words[row], contexts[col], dim, step, limit)
                        word_lengths[row], context_lengths[col] = _length(words, i, half), _length(contexts, j, half)
                        product = _product(words, next_i, contexts, next_j, half)
                        row, col = next_row, next_col
                        continue
                # The step of a vector is never larger than this, because G >= 1; biases are not cut.
                word_lengths[np.uint64(row)] = word_length + size * context_length
                context_lengths[np.uint64(col)] = context_length + size * word_length
                steps = _spread(step)
                product = _spread(np.float32(0))
                for k in range(0, half, LANES):
                    _update(words, i, contexts, j, half, k, steps)
                    product = _add(product, _mul(_load(words, next_i + k), _load(contexts, next_j + k)))
                    for line in range(2 * k, 2 * (k + LANES), 16):
                        _prefetch(contexts, ahead + line)
                row, col = next_row, next_col
        costs[job] = 0.5 * cost


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def find_costs(words, contexts, entries, jobs, alpha, log_max, space, costs):
    """Write the sum of 1/2 f diff^2 of each job's entries to costs and change nothing else; parameters as above."""
    width = np.int64(words.shape[1])
    weights, exponents = space[:WEIGHTS], space.view(np.int32)[WEIGHTS:]
    for job in range(jobs.shape[0]):
        cost = 0.0
        first, last, first_row, first_col = jobs[job, 0], jobs[job, 1], jobs[job, 2], jobs[job, 3]
        for begin in range(first, last, WEIGHTS):
            end = min(begin + WEIGHTS, last)
            _find_weights(entries, begin, end, alpha, log_max, np.float32(-np.inf), weights, exponents)
            for e in range(begin, end):
                i = (first_row + np.int64(entries[np.uint64(e)].row)) * width
                j = (first_col + np.int64(entries[np.uint64(e)].col)) * width
                diff = _sum(_product(words, i, contexts, j, width // 2)) - entries[np.uint64(e)].log_x
                cost += np.float64(weights[np.uint64(e - begin)] * diff * diff)
        costs[job] = 0.5 * cost


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def thin_entries(entries, jobs, alpha, log_max, log_least, key, space, kept, kept_jobs):
    """Copy the entries of jobs to kept, those that weigh less than the least only by chance.

    An entry with f(x) < least stays with probability f / least; which ones do depends on key uint64 and the entry's
    words alone (splitmix64). kept_jobs int64 (n, 4) gets the jobs of what stays. Returns how many jobs fitted.
    """
    weights, exponents = space[:WEIGHTS], space.view(np.int32)[WEIGHTS:]
    share = np.float32(math.exp(-log_least) * 2.0**24)
    n = 0
    for job in range(jobs.shape[0]):
        first, last, first_row, first_col = jobs[job, 0], jobs[job, 1], jobs[job, 2], jobs[job, 3]
        if n + last - first > kept.size:
            return job
        kept_jobs[job, 0] = n
        for begin in range(first, last, WEIGHTS):
            end = min(begin + WEIGHTS, last)
            _find_weights(entries, begin, end, alpha, log_max, np.float32(-np.inf), weights, exponents)
            for e in range(begin, end):
                entry = entries[np.uint64(e)]
                state = key + np.uint64(first_row + np.int64(entry.row)) * np.uint64(0x9E3779B97F4A7C15)
                state += np.uint64(first_col + np.int64(entry.col)) * np.uint64(0xD1B54A32D192ED03)
                state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                chance = np.float32(np.int64(state >> np.uint64(40)))
                kept[np.uint64(n)].row = entry.row
                kept[np.uint64(n)].col = entry.col
                kept[np.uint64(n)].log_x = entry.log_x
                n += np.int64(chance < weights[np.uint64(e - begin)] * share)
        kept_jobs[job, 1], kept_jobs[job, 2], kept_jobs[job, 3] = n, first_row, first_col
    return jobs.shape[0]

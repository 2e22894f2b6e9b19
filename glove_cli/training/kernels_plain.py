"""The same update as in `kernels`, as plain loops: slower, to read, to compare with, and for float64.

The parameters are those of `kernels`, with float64 in place of float32.
"""

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def train_tiles(
    words, contexts, word_lengths, context_lengths, entries, jobs,
    dim, eta, grad_clip, alpha, log_max, log_least, space, costs,
):  # fmt: skip
    """Update the states of words and contexts by each entry in turn; see `kernels.train_tiles`.

    diff = w . c + b_w + b_c - log x
    step = -eta f diff
    s_w = step c     w += s_w / sqrt(G_w)     G_w += s_w^2     and the same for the context, from the old w
    """
    half = words.shape[1] // 2
    limit = eta * grad_clip
    for job in range(jobs.shape[0]):
        cost = 0.0
        for e in range(jobs[job, 0], jobs[job, 1]):
            word = words[jobs[job, 2] + np.int64(entries[e].row)]
            context = contexts[jobs[job, 3] + np.int64(entries[e].col)]
            diff = -entries[e].log_x
            for k in range(half):
                diff += word[k] * context[k]
            fdiff = diff * math.exp(max(log_least, min(0.0, alpha * (entries[e].log_x - log_max))))
            cost += 0.5 * fdiff * diff
            step = -eta * fdiff
            for k in range(half):
                w_step, c_step = step * context[k], step * word[k]
                if k < dim:  # biases are not cut
                    w_step = min(max(w_step, -limit), limit)
                    c_step = min(max(c_step, -limit), limit)
                word[k] += w_step / math.sqrt(word[half + k])
                context[k] += c_step / math.sqrt(context[half + k])
                word[half + k] += w_step * w_step
                context[half + k] += c_step * c_step
        costs[job] = cost


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def find_costs(words, contexts, entries, jobs, alpha, log_max, space, costs):
    """Write the sum of 1/2 f diff^2 of each job's entries to costs; see `kernels.find_costs`."""
    half = words.shape[1] // 2
    for job in range(jobs.shape[0]):
        cost = 0.0
        for e in range(jobs[job, 0], jobs[job, 1]):
            word = words[jobs[job, 2] + np.int64(entries[e].row)]
            context = contexts[jobs[job, 3] + np.int64(entries[e].col)]
            diff = -entries[e].log_x
            for k in range(half):
                diff += word[k] * context[k]
            cost += 0.5 * diff * diff * math.exp(min(0.0, alpha * (entries[e].log_x - log_max)))
        costs[job] = cost


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def add_bias_sums(words, contexts, entries, jobs, side, alpha, log_max, fdiffs, weights):
    """Add f diff and f of each entry to fdiffs and weights, float64 (rows,), of its word or context (side 0, 1)."""
    half = words.shape[1] // 2
    for job in range(jobs.shape[0]):
        for e in range(jobs[job, 0], jobs[job, 1]):
            i, j = jobs[job, 2] + np.int64(entries[e].row), jobs[job, 3] + np.int64(entries[e].col)
            diff = -entries[e].log_x
            for k in range(half):
                diff += words[i, k] * contexts[j, k]
            weight = math.exp(min(0.0, alpha * (entries[e].log_x - log_max)))
            row = j if side else i
            fdiffs[row] += weight * diff
            weights[row] += weight


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})
def thin_entries(entries, jobs, alpha, log_max, log_least, key, space, kept, kept_jobs):
    """Copy the entries of jobs to kept, those that weigh less than the least only by chance; see `kernels`."""
    n = 0
    for job in range(jobs.shape[0]):
        if n + jobs[job, 1] - jobs[job, 0] > kept.size:
            return job
        kept_jobs[job, 0] = n
        for e in range(jobs[job, 0], jobs[job, 1]):
            entry = entries[e]
            state = key + np.uint64(jobs[job, 2] + np.int64(entry.row)) * np.uint64(0x9E3779B97F4A7C15)
            state += np.uint64(jobs[job, 3] + np.int64(entry.col)) * np.uint64(0xD1B54A32D192ED03)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            weight = math.exp(min(0.0, alpha * (entry.log_x - log_max)) - log_least)
            if np.float64(state >> np.uint64(40)) < weight * 2.0**24:
                kept[n].row = entry.row
                kept[n].col = entry.col
                kept[n].log_x = entry.log_x
                n += 1
        kept_jobs[job, 1], kept_jobs[job, 2], kept_jobs[job, 3] = n, jobs[job, 2], jobs[job, 3]
    return jobs.shape[0]

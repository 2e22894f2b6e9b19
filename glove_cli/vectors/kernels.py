"""Decimal numbers of a block of rows: written as C's printf("%.6f") does, and read back.

Both kernels stop at a row that needs more care than they take (large, not finite, or too many digits) and say which;
the caller handles that row in Python and goes on after it.
"""

import numba
import numpy as np

MAX_VALUE_BYTES = 19  # a space, a sign, ten digits, a point, six digits
_TOO_LARGE = 1e9
_SPLIT = 134217729.0  # 2**27 + 1: cuts a float64 into two halves whose products are exact
_SPACE, _TAB, _PLUS, _MINUS, _POINT, _ZERO, _NEWLINE, _CR = 32, 9, 43, 45, 46, 48, 10, 13
_PAIRS = np.array([_ZERO + digit for pair in range(100) for digit in divmod(pair, 10)], np.uint8)  # 00 ... 99
_MAX_DIGITS = 19  # what fits into a uint64
_POWERS = 10.0 ** np.arange(23)  # all exact
_EXACT = np.uint64(1) << np.uint64(53)
_LESS, _MORE = 1 - 2.0**-50, 1 + 2.0**-50
_LARGEST = float(np.finfo(np.float32).max)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _millionths(x):
    """Return x * 10**6, 0 <= x < 10**9, rounded to an integer: halves of the exact product go to the even one."""
    product = x * 1e6
    rounded = np.rint(product)
    off = product - rounded
    if off == 0.5 or off == -0.5:
        # The float64 product lies halfway. Its rounding error (Dekker's two-product) says where the exact one lies.
        big = x * _SPLIT
        high = big - (big - x)
        low = x - high
        error = (high * 1e6 - product) + low * 1e6  # 10**6 has 20 bits: its lower half is zero
        if error > 0.0:
            rounded = np.ceil(product)
        elif error < 0.0:
            rounded = np.floor(product)
    return np.uint64(rounded)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def format_rows(words, starts, values, row, out):
    r"""Write the lines `word value ... value\n` of the rows from `row` on to `out`.

    Parameters: words uint8, the words' bytes one after the other; starts int64 (n + 1,), word i is
    words[starts[i]:starts[i + 1]]; values float64 (n, d); row int; out uint8, with room for MAX_VALUE_BYTES a value.
    Returns (row reached, bytes written). A row before n holds a value of 10**9 or more, or one that isn't finite.
    """
    n, d = values.shape
    p = 0
    million = np.uint64(1000000)
    ten = np.uint64(10)
    while row < n:
        for k in range(d):
            if not (abs(values[row, k]) < _TOO_LARGE):
                return row, p
        for k in range(starts[row], starts[row + 1]):
            out[p] = words[k]
            p += 1
        for k in range(d):
            x = values[row, k]
            out[p] = _SPACE
            p += 1
            if np.signbit(x):
                out[p] = _MINUS
                p += 1
            scaled = _millionths(abs(x))
            whole = scaled // million
            rest = np.uint32(scaled - whole * million)
            if whole < ten:
                out[p] = _ZERO + whole
                p += 1
            else:
                length = 2
                bound = ten * ten
                while whole >= bound:
                    length += 1
                    bound *= ten
                for place in range(length - 1, -1, -1):
                    tenth = whole // ten
                    out[p + place] = _ZERO + (whole - tenth * ten)
                    whole = tenth
                p += length
            out[p] = _POINT
            # Two digits at a time, from a table: a division for each would take most of the time.
            first = rest // np.uint32(10000)
            rest -= first * np.uint32(10000)
            second = rest // np.uint32(100)
            third = rest - second * np.uint32(100)
            out[p + 1] = _PAIRS[2 * first]
            out[p + 2] = _PAIRS[2 * first + 1]
            out[p + 3] = _PAIRS[2 * second]
            out[p + 4] = _PAIRS[2 * second + 1]
            out[p + 5] = _PAIRS[2 * third]
            out[p + 6] = _PAIRS[2 * third + 1]
            p += 7
        out[p] = _NEWLINE
        p += 1
        row += 1
    return row, p


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _parse_value(data, p, stop):
    """Return (whether it is certain, the float64) for the decimal number data[p:stop].

    Cast to float32 the value equals the correctly rounded float64 cast to float32.
    """
    negative = False
    if p < stop and (data[p] == _MINUS or data[p] == _PLUS):
        negative = data[p] == _MINUS
        p += 1
    mantissa = np.uint64(0)
    significant = 0
    exponent = 0
    seen = False
    point = False
    while p < stop:
        byte = data[p]
        if byte == _POINT and not point:
            point = True
        elif _ZERO <= byte < _ZERO + 10:
            seen = True
            if significant < _MAX_DIGITS:
                mantissa = mantissa * np.uint64(10) + np.uint64(byte - _ZERO)
                significant += mantissa > 0
                exponent -= point
            else:
                exponent += not point
        else:
            break
        p += 1
    if not seen:
        return False, 0.0
    if p < stop:
        if data[p] | 32 != 101:  # neither e nor E
            return False, 0.0
        p += 1
        down = False
        if p < stop and (data[p] == _MINUS or data[p] == _PLUS):
            down = data[p] == _MINUS
            p += 1
        if not (0 < stop - p < 5):
            return False, 0.0
        power = 0
        while p < stop:
            byte = data[p]
            if not (_ZERO <= byte < _ZERO + 10):
                return False, 0.0
            power = power * 10 + np.int64(byte - _ZERO)
            p += 1
        exponent += -power if down else power
    value = np.float64(mantissa)
    if mantissa > 0:
        if not (-23 < exponent < 23):
            return False, 0.0
        if exponent < 0:
            value /= _POWERS[-exponent]
        else:
            value *= _POWERS[exponent]
        # One rounding of exact numbers is right. After two, the float32 is certain if all numbers near by round to it.
        if mantissa > _EXACT and np.float32(value * _LESS) != np.float32(value * _MORE):
            return False, 0.0
        if value > _LARGEST:
            return False, 0.0
    return True, -value if negative else value


@numba.njit(cache=True, nogil=True, error_model="numpy")
def parse_rows(data, starts, ends, row, values, word_ends):
    """Read the lines data[starts[i]:ends[i]] from `row` on: a word, then d numbers, split from the right.

    Parameters: data uint8; starts, ends int64 (n,); row int; filled are values float32 (n, d) and word_ends
    int64 (n,).
    Returns the row reached; one before n is not certain: no word, too few numbers, or a number that needs care.

    A number such as -0.25, of few digits, is read on the way to the space before it; others are looked at again.
    """
    n, d = values.shape
    while row < n:
        begin = starts[row]
        p = ends[row]
        while p > begin and (data[p - 1] == _SPACE or data[p - 1] == _TAB or data[p - 1] == _CR):
            p -= 1
        for k in range(d - 1, -1, -1):
            stop = p
            mantissa = np.uint64(0)
            unit = np.uint64(1)
            point = np.int64(0)  # where the digits after it begin
            while p > begin:
                digit = np.uint8(data[p - 1] - np.uint8(_ZERO))
                if digit < 10:
                    mantissa += np.uint64(digit) * unit
                    unit *= np.uint64(10)
                elif data[p - 1] == _POINT and not point:
                    point = p
                else:
                    break
                p -= 1
            length = stop - p
            if p > begin and data[p - 1] == _MINUS:
                p -= 1
            if p == begin:
                return row
            digits = length - (point != 0)
            if (data[p - 1] == _SPACE or data[p - 1] == _TAB) and 0 < digits < _MAX_DIGITS and mantissa <= _EXACT:
                value = np.float64(mantissa)
                if point:
                    value /= _POWERS[stop - point]
                if data[p] == _MINUS:
                    value = -value
            else:
                while p > begin and data[p - 1] != _SPACE and data[p - 1] != _TAB:
                    p -= 1
                if p == begin:
                    return row
                certain, value = _parse_value(data, p, stop)
                if not certain:
                    return row
            values[row, k] = value
            p -= 1
        if p == begin:
            return row
        word_ends[row] = p
        row += 1
    return row

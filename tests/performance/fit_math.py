#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the coefficients that dsl/std/math.grad uses: near-minimax polynomials by iteratively
reweighted least squares in 60 digits (mpmath). Each line of the table names the function that is
fitted, its interval, the degree, and the weight that makes the error relative to the whole result.

    pip install mpmath && python3 fit_math.py [name ..]
"""

import struct
import sys

from mpmath import mp, mpf, cos, erf, erfc, exp, frexp, log, matrix, nint, qr_solve, sin, sqrt, tanh, pi

mp.dps = 60


def rounded(value, bits):
    """value as the nearest number of that many significant bits, as a decimal that reads back exactly."""
    if bits == 24:
        return repr(struct.unpack("f", struct.pack("f", float(value)))[0])
    return repr(float(value))


def fit(function, weight, low, high, degree):
    """Coefficients c with max |weight(x) * (sum c[i] x^i - function(x))| nearly least on [low, high]."""
    count = 6 * degree + 12
    nodes = [
        (low + high) / 2 + (high - low) / 2 * cos(pi * (2 * k + 1) / (2 * count))
        for k in range(count)
    ]
    scale = max(abs(low), abs(high))
    wants = [function(x) * weight(x) for x in nodes]
    powers = [[(x / scale) ** i * weight(x) for i in range(degree + 1)] for x in nodes]
    lawson = [mpf(1)] * count
    best = None
    for _ in range(12):
        a = matrix([[sqrt(w) * p for p in row] for w, row in zip(lawson, powers)])
        b = matrix([sqrt(w) * y for w, y in zip(lawson, wants)])
        c, _ = qr_solve(a, b)
        errors = [
            abs(sum(c[i] * row[i] for i in range(degree + 1)) - y) for row, y in zip(powers, wants)
        ]
        if best is None or max(errors) < best[0]:
            best = (max(errors), [c[i] / scale**i for i in range(degree + 1)])
        lawson = [w * e for w, e in zip(lawson, errors)]
        total = sum(lawson)
        lawson = [w * count / total for w in lawson]
    return best


def series(x, function, small, taylor):
    """function(x), or its Taylor value where cancellation would spoil it."""
    return taylor if abs(x) < small else function(x)


one = lambda x: mpf(1)
half_log2 = log(2) / 2 * mpf("1.01")


def exp_tail(r):  # (e^r - 1 - r) / r^2
    return series(r, lambda r: (exp(r) - 1 - r) / r**2, mpf(10) ** -20, mpf(1) / 2 + r / 6)


def log_tail(f):  # (log(1 + f) - f + f^2 / 2) / f^3
    return series(
        f, lambda f: (log(1 + f) - f + f * f / 2) / f**3, mpf(10) ** -16, mpf(1) / 3 - f / 4
    )


def atanh_tail(z):  # (log((1 + s) / (1 - s)) - 2 s) / s^3 with z = s^2
    s = sqrt(z)
    return series(
        z, lambda z: (log((1 + s) / (1 - s)) - 2 * s) / s**3, mpf(10) ** -20, mpf(2) / 3 + z * 2 / 5
    )


def atanh_second(z):  # the same less its first term 2/3, over z
    return series(
        z, lambda z: (atanh_tail(z) - mpf(2) / 3) / z, mpf(10) ** -12, mpf(2) / 5 + z * 2 / 7
    )


def sin_tail(z):  # (sin r - r) / r^3 with z = r^2
    r = sqrt(z)
    return series(z, lambda z: (sin(r) - r) / r**3, mpf(10) ** -20, mpf(-1) / 6 + z / 120)


def tanh_tail(z):  # (tanh r - r) / r^3 with z = r^2
    r = sqrt(z)
    return series(z, lambda z: (tanh(r) - r) / r**3, mpf(10) ** -20, mpf(-1) / 3 + z * 2 / 15)


def erf_ratio(z):  # erf(r) / r with z = r^2
    r = sqrt(z)
    return series(z, lambda z: erf(r) / r, mpf(10) ** -30, 2 / sqrt(pi))


def erfc_log(x):  # log(erfc(x))
    return log(erfc(x))


def erfc_mapped(t):  # erfc(x) * exp(x^2) * (1 + 2 x) with t = (x - 2) / (x + 2)
    x = 2 * (1 + t) / (1 - t)
    return erfc(x) * exp(x * x) * (1 + 2 * x)


def erfc_scaled(center):  # erfc(a) * exp(a^2) * (a + center) with t = (a - center) / (a + center)
    def scaled(t):
        a = center * (1 + t) / (1 - t)
        return erfc(a) * exp(a * a) * (a + center)

    return scaled


s_max = (sqrt(2) - 1) / (sqrt(2) + 1) * mpf("1.001")
to = lambda x, center=2: (x - center) / (x + center)
ln2 = log(2)

TABLE = {  # name: (bits, function, weight, low, high, degree)
    "exp_f32": (24, exp_tail, lambda r: r * r + mpf(10) ** -6, -half_log2, half_log2, 4),
    "exp_f64": (53, exp_tail, lambda r: r * r + mpf(10) ** -9, -half_log2, half_log2, 9),
    "log_f32": (
        24,
        log_tail,
        lambda f: f * f + mpf(10) ** -6,
        sqrt(mpf("0.5")) - 1,
        sqrt(mpf(2)) - 1,
        8,
    ),
    "log_f64": (53, atanh_tail, lambda z: z + mpf(10) ** -9, mpf(0), s_max**2, 6),
    "pow_f32": (24, atanh_second, lambda z: z * z + mpf(10) ** -6, mpf(0), s_max**2, 3),
    "pow_f64": (53, atanh_second, lambda z: z * z + mpf(10) ** -9, mpf(0), s_max**2, 7),
    "sin_f32": (24, sin_tail, lambda z: z + mpf(10) ** -6, mpf(0), mpf("1.67") ** 2, 3),
    "sin_f64": (53, sin_tail, lambda z: z + mpf(10) ** -9, mpf(0), mpf("1.6") ** 2, 7),
    "tanh_f32": (24, tanh_tail, lambda z: z + mpf(10) ** -6, mpf(0), mpf("0.63") ** 2, 5),
    "tanh_f64": (53, tanh_tail, lambda z: z + mpf(10) ** -9, mpf(0), mpf("0.63") ** 2, 10),
    "erf_f32": (24, erf_ratio, one, mpf(0), mpf("0.93") ** 2, 6),
    "erf_f64": (53, erf_ratio, one, mpf(0), mpf("1.01") ** 2, 12),
    "erf_f32_far": (24, erfc_log, lambda x: erfc(x), mpf("0.92"), mpf("4.1"), 8),
    "erf_f64_far": (
        53,
        erfc_mapped,
        lambda t: erfc(2 * (1 + t) / (1 - t)) + mpf(10) ** -4,
        to(mpf(1)),
        to(mpf(6)),
        15,
    ),
    "erfc_f32": (
        24,
        erfc_scaled(mpf("1.5")),
        lambda t: 1 / erfc_scaled(mpf("1.5"))(t),
        mpf(-1),
        to(mpf("10.2"), mpf("1.5")),
        10,
    ),
    "erfc_f64": (53, erfc_scaled(2), lambda t: 1 / erfc_scaled(2)(t), mpf(-1), to(mpf("27.3")), 24),
    "erfc_f32_near": (24, erf_ratio, lambda z: sqrt(z) + mpf(10) ** -3, mpf(0), mpf("0.6528"), 5),
    "erfc_f64_near": (53, erf_ratio, lambda z: sqrt(z) + mpf(10) ** -3, mpf(0), mpf("0.255"), 9),
}


def main():
    for name in sys.argv[1:] or TABLE:
        bits, function, weight, low, high, degree = TABLE[name]
        error, coefficients = fit(function, weight, low, high, degree)
        print(f"{name}: error {float(error):.2e} = 2^{float(log(error, 2)):.1f}")
        for power, c in enumerate(coefficients):
            print(f"    x^{power}: {rounded(c, bits)}")
    print("constants:")
    for label, value, bits in [
        ("ln2", ln2, 24),
        ("ln2", ln2, 53),
        ("pi", pi, 24),
        ("pi", pi, 53),
        ("1/pi", 1 / pi, 53),
        ("log2e", 1 / ln2, 24),
        ("log2e", 1 / ln2, 53),
        ("2/3", mpf(2) / 3, 24),
        ("2/3", mpf(2) / 3, 53),
    ]:
        parts, rest = [], value
        for _ in range(3):
            parts.append(rounded(rest, bits))
            rest -= mpf(float(parts[-1]))
        print(f"    {label} in {bits} bits: {' + '.join(parts)}")
    print(f"    pi in five parts of 8 bits and one of 24: {' + '.join(pi_in_short_parts())}")


def pi_in_short_parts():
    """Parts whose products with whole numbers of 16 bits are exact in f32."""
    parts, rest = [], pi
    for _ in range(5):
        unit = mpf(2) ** (frexp(rest)[1] - 8)
        parts.append(repr(float(nint(rest / unit) * unit)))
        rest -= mpf(float(parts[-1]))
    return parts + [rounded(rest, 24)]


if __name__ == "__main__":
    main()

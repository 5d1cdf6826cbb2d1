#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values and derivatives of activations and losses as PyTorch computes them in double.

Writes recorded.txt beside this file. A line is a formula as tests/library/formulas.cpp calls it, then its numbers
behind "|": for functions of a number x (and t): x, t, the value, the derivative by x; for those of a row v of four (and
u, and an index i): v, u, i, the value and its derivatives by v, or the four values and the derivatives of their sum
weighted by 1 to 4. The tests need no Python. Run this only when a formula is added:
    python3 tests/library/record_values.py      (needs torch)
"""
import pathlib

import torch
from torch.nn import functional as F

XS = [-30.0, -12.5, -8.0, -4.0, -2.5, -1.25, -0.75, -0.125, 0.25, 0.625, 1.5, 2.75, 5.0, 9.0, 25.0]
NEAR = [x for x in XS if abs(x) < 6]
UNITS = [0.03125, 0.25, 0.5, 0.6875, 0.984375]
LABELS = [0.0, 1.0, 0.25]

one = torch.tensor(1.0, dtype=torch.float64)



def surprise(x, t):
    """binary_cross_entropy_with_logits, which loses digits far from 0."""
    return (1 - t) * F.softplus(x, threshold=1000) + t * F.softplus(-x, threshold=1000)


def sigmoid_focal(x, t, alpha, gamma):
    """The formula of the paper; p is the probability of t."""
    p = t * torch.sigmoid(x) + (1 - t) * torch.sigmoid(-x)
    return (alpha * t + (1 - alpha) * (1 - t)) * (1 - p) ** gamma * surprise(x, t)


def focal(v, i, gamma, alpha):
    log_p = F.log_softmax(v, dim=0)[i]
    return -alpha * (1 - log_p.exp()) ** gamma * log_p


def triplet(v, positive, negative, margin):
    return F.triplet_margin_loss(v[None], positive[None], negative[None], margin=margin)


def contrastive(v, u, same, margin):
    """The formula of the paper, where Y = 1 - same."""
    d = (v - u).norm()
    return (same * d**2 + (1 - same) * torch.relu(margin - d) ** 2) / 2


SCALARS = {  # formula: (PyTorch's function of x and t, values of x, values of t)
    "identity(x[n])": (lambda x, t: torch.nn.Identity()(x), XS, [0.0]),
    "heaviside(x[n])": (lambda x, t: torch.heaviside(x.detach(), one) + 0 * x, XS, [0.0]),
    "sign(x[n])": (lambda x, t: torch.sign(x), XS, [0.0]),
    "sigmoid(x[n])": (lambda x, t: torch.sigmoid(x), XS, [0.0]),
    "hard_sigmoid(x[n])": (lambda x, t: F.relu6(x + 3) / 6, XS, [0.0]),
    "hard_sigmoid(x[n], 2)": (lambda x, t: torch.clamp((x + 1) / 2, 0, 1), XS, [0.0]),
    "tanh(x[n])": (lambda x, t: torch.tanh(x), XS, [0.0]),
    "relu(x[n])": (lambda x, t: F.relu(x), XS, [0.0]),
    "leaky_relu(x[n])": (lambda x, t: F.leaky_relu(x), XS, [0.0]),
    "leaky_relu(x[n], 0.3)": (lambda x, t: F.leaky_relu(x, 0.3), XS, [0.0]),
    "leaky_relu(x[n], -2)": (lambda x, t: F.leaky_relu(x, -2.0), XS, [0.0]),
    "elu(x[n])": (lambda x, t: F.elu(x), XS, [0.0]),
    "elu(x[n], 0.5)": (lambda x, t: F.elu(x, 0.5), XS, [0.0]),
    "selu(x[n])": (lambda x, t: F.selu(x), XS, [0.0]),
    "softplus(x[n])": (lambda x, t: F.softplus(x, threshold=1000), XS, [0.0]),
    "log1p_exp(x[n])": (lambda x, t: F.softplus(x, threshold=1000), [x for x in XS if x < 0], [0.0]),
    "swish(x[n])": (lambda x, t: x * torch.sigmoid(x), XS, [0.0]),
    "swish(x[n], 1.5)": (lambda x, t: x * torch.sigmoid(1.5 * x), XS, [0.0]),
    "silu(x[n])": (lambda x, t: F.silu(x), XS, [0.0]),
    "mish(x[n])": (lambda x, t: F.mish(x), XS, [0.0]),
    "gelu(x[n])": (lambda x, t: x * torch.special.erfc(-x / 2**0.5) / 2, XS, [0.0]),
    "gelu_tanh(x[n])": (lambda x, t: F.gelu(x, approximate="tanh"), [x for x in XS if x > -4], [0.0]),
    "mse(x[n], t[n])": (F.mse_loss, XS, LABELS),
    "mae(x[n], t[n])": (F.l1_loss, [0.125, 3.0, -2.5], LABELS),
    "sum_of_squares(x[n], t[n])": (lambda x, t: F.mse_loss(x, t, reduction="sum"), XS, LABELS),
    "sum_of_absolutes(x[n], t[n])": (lambda x, t: F.l1_loss(x, t, reduction="sum"), [0.125, 3.0], LABELS),
    "huber(x[n], t[n])": (F.huber_loss, XS, LABELS),
    "huber(x[n], t[n], 0.5)": (lambda x, t: F.huber_loss(x, t, delta=0.5), XS, LABELS),
    "logistic_loss(x[n], t[n])": (surprise, XS, LABELS),
    "logistic_loss(x[n], 1)": (lambda x, t: F.soft_margin_loss(x, one), XS, [0.0]),
    "logistic_loss(x[n], 0)": (lambda x, t: F.soft_margin_loss(x, -one), XS, [0.0]),
    "binary_cross_entropy_with_logits(x[n], t[n])": (surprise, XS, LABELS),
    "binary_cross_entropy_with_logits(x[n], 1)": (lambda x, t: F.soft_margin_loss(x, one), XS, [0.0]),
    "binary_cross_entropy(x[n], t[n])": (F.binary_cross_entropy, UNITS, LABELS),
    "hinge(x[n], t[n])": (lambda x, t: torch.relu(1 - t * x), XS, [-1.0, 1.0]),
    "hinge(x[n], -1, 2)": (lambda x, t: F.margin_ranking_loss(x, 0 * x.detach(), -one, margin=2), XS, [0.0]),
    "perceptron_loss(x[n], 1)": (lambda x, t: F.margin_ranking_loss(x, 0 * x.detach(), one), XS, [0.0]),
    "perceptron_loss(x[n], -1)": (lambda x, t: F.margin_ranking_loss(x, 0 * x.detach(), -one), XS, [0.0]),
    "sigmoid_focal_loss(x[n], t[n])": (lambda x, t: sigmoid_focal(x, t, 0.25, 2), NEAR, LABELS[:2]),
    "sigmoid_focal_loss(x[n], 1, 0.4, 1.5)": (lambda x, t: sigmoid_focal(x, one, 0.4, 1.5), NEAR, [0.0]),
    "l1(x[n])": (lambda x, t: 1e-4 * torch.norm(x.reshape(1), 1), XS, [0.0]),
    "l2(x[n])": (lambda x, t: 0.5e-4 * torch.norm(x.reshape(1), 2) ** 2, XS, [0.0]),
}

ROWS = [[0.5, -1.25, 2.0, 0.75], [-30.0, 4.0, 3.5, -2.0], [9.0, 8.5, -7.0, 8.75]]
SHARES = [[0.5, 0.25, 0.125, 0.125], [0.0625, 0.875, 0.03125, 0.03125]]
OTHERS = [[0.25, 0.5, -0.75, 1.0], [2.0, -1.0, 0.125, 0.0]]


def label(i):
    return torch.tensor([i])


VECTORS = {  # formula: (PyTorch's function of v, u and i, rows v)
    "softmax(v)": (lambda v, u, i: F.softmax(v, dim=0), ROWS),
    "logsumexp(v[n, :])": (lambda v, u, i: torch.logsumexp(v, 0), ROWS),
    "log_softmax(v)": (lambda v, u, i: F.log_softmax(v, dim=0), ROWS),
    "categorical_cross_entropy(v[n, :], i[n])": (lambda v, u, i: F.nll_loss(torch.log(v)[None], label(i)), SHARES),
    "nll_loss(v[n, :], i[n])": (lambda v, u, i: F.nll_loss(v[None], label(i)), ROWS),
    "cross_entropy(v[n, :], i[n])": (lambda v, u, i: F.cross_entropy(v[None], label(i)), ROWS),
    "cross_entropy(v[n, :], i[n], label_smoothing: 0.1)": (
        lambda v, u, i: F.cross_entropy(v[None], label(i), label_smoothing=0.1), ROWS),
    "focal_loss(v[n, :], i[n])": (lambda v, u, i: focal(v, i, 2, 1), ROWS[:1] + SHARES),
    "focal_loss(v[n, :], i[n], 1.5, 0.25)": (lambda v, u, i: focal(v, i, 1.5, 0.25), ROWS[:1] + SHARES),
    "kl_divergence(v[n, :], softmax(u[n, :]))": (
        lambda v, u, i: F.kl_div(v, F.softmax(u, dim=0), reduction="sum"), ROWS),
    "kl_divergence(log_softmax(u[n, :]), v[n, :])": (
        lambda v, u, i: F.kl_div(F.log_softmax(u, dim=0), v, reduction="sum"), SHARES),
    "triplet_margin_loss(v[n, :], u[n, :], -u[n, :])": (lambda v, u, i: triplet(v, u, -u, 1), ROWS),
    "triplet_margin_loss(v[n, :], u[n, :], 3 - v[n, :], 5)": (lambda v, u, i: triplet(v, u, 3 - v, 5), ROWS),
    "contrastive_loss(v[n, :], u[n, :], i[n] % 2, 20)": (lambda v, u, i: contrastive(v, u, i % 2, 20), ROWS),
    "soft_cross_entropy(v[n, :], softmax(u[n, :]))": (
        lambda v, u, i: F.cross_entropy(v[None], F.softmax(u, dim=0)[None]), ROWS),
    "soft_cross_entropy(v[n, :], one_hot(i[n], 4))": (lambda v, u, i: F.cross_entropy(v[None], label(i)), ROWS),
    "multiclass_hinge(v[n, :], i[n])": (lambda v, u, i: 4 * F.multi_margin_loss(v[None], label(i)), ROWS),
    "multiclass_hinge(v[n, :], i[n], 0.5)": (lambda v, u, i: 4 * F.multi_margin_loss(v[None], label(i), margin=0.5), ROWS),
}


def numbers(values):
    return " ".join(f"{float(torch.as_tensor(value).detach()):.17g}" for value in values)


def scalar_lines():
    for formula, (function, xs, ts) in SCALARS.items():
        for at in ts:
            for place in xs:
                x = torch.tensor(place, dtype=torch.float64, requires_grad=True)
                value = function(x, torch.tensor(at, dtype=torch.float64))
                value.backward()
                yield f"{formula} | {numbers([place, at, value, x.grad])}\n"


def vector_lines():
    for formula, (function, rows) in VECTORS.items():
        for number, row in enumerate(rows):
            v = torch.tensor(row, dtype=torch.float64, requires_grad=True)
            u, i = torch.tensor(OTHERS[number % 2], dtype=torch.float64), (number + 1) % 4
            value = function(v, u, i)
            if value.dim() == 0:
                value.backward()
            else:
                (value * torch.arange(1, 5)).sum().backward()
            yield f"{formula} | {numbers([*row, *u, i, *value.detach().reshape(-1), *v.grad])}\n"


if __name__ == "__main__":
    pathlib.Path(__file__).with_name("recorded.txt").write_text("".join([*scalar_lines(), *vector_lines()]))

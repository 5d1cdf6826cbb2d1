#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Twenty steps of every optimizer of dsl/std, in double: by PyTorch if its formula is the library's, else by a plain
transcription of the paper. The values of the schedules come from record_schedules.py.

recorded.txt holds, for each optimizer line, a line `optimizer FILE LINE` (FILE.grad has the loss) and the weights after
each step; schedules.txt a line `schedule LINE` and the rates of ten steps. Tests read these files and need no Python.
Run this only to add an entry:  python3 tests/optimizers/record.py   (needs numpy and torch)
"""
import math
import pathlib

import numpy as np
import torch
from torch.optim import swa_utils

from record_schedules import SCHEDULES

FOLDER = pathlib.Path(__file__).parent
STEPS = 20
ROWS = np.array([0.5, -1, 2, 0.25, 1, -0.75])


def mean_of(step):
    """Batches of two rows, in the order of the file; steps count from 1."""
    first = 2 * ((step - 1) % 3)
    return ROWS[first : first + 2].mean()


class Mixed:
    """mixed.grad; weights u[4] then v[2]."""

    file = "mixed"
    start = np.array([0.4, -0.7, 1.1, 0.5, 0.3, -0.2])
    parts = {"net.u": slice(0, 4), "net.v": slice(4, 6)}

    @staticmethod
    def loss(w, step):
        return (w[:3] ** 4).sum() / 4 + w[:3].sum() * w[4] + 1.5 * (w[4] ** 2 + w[5] ** 2) + mean_of(step) * w[0] * w[5]

    @staticmethod
    def gradient(w, step):
        g = np.zeros(6)
        g[:3] = w[:3] ** 3 + w[4]
        g[0] += mean_of(step) * w[5]
        g[4] = w[:3].sum() + 3 * w[4]
        g[5] = 3 * w[5] + mean_of(step) * w[0]
        return g


class Single:
    """single.grad."""

    file = "single"
    start = np.array([3.5])
    parts = {"net.z": slice(0, 1)}

    @staticmethod
    def loss(w, step):
        return (w**4 / 4 - w**3 / 3 - w**2 + 0.1 * mean_of(step) * w).sum()

    @staticmethod
    def gradient(w, step):
        return w**3 - w**2 - 2 * w + 0.1 * mean_of(step)

    @staticmethod
    def second(w):
        return 3 * w**2 - 2 * w - 2


# ---- transcriptions: from a problem to its step (w, g, t, step) -> w


def average_momentum(rate, beta):
    def start(problem):
        m = np.zeros_like(problem.start)

        def run(w, g, t, step):
            m[:] = beta * m + (1 - beta) * g
            return w - rate * m

        return run

    return start


def momentum(rate, mu):
    def start(problem):
        v = np.zeros_like(problem.start)

        def run(w, g, t, step):
            v[:] = mu * v - rate * g
            return w + v

        return run

    return start


def constant(rate):
    return lambda step: rate


def falling(peak):
    """cosine(peak: ..)"""
    return lambda step: peak * (1 + math.cos(math.pi * step / STEPS)) / 2


def buffer(rate, mu, nesterov=False):
    """torch.optim.SGD with momentum, whose buffer does not hold the rate."""

    def start(problem):
        b = np.zeros_like(problem.start)

        def run(w, g, t, step):
            b[:] = mu * b + g
            return w - rate(step) * (g + mu * b if nesterov else b)

        return run

    return start


def nesterov(rate, mu):
    def start(problem):
        v = np.zeros_like(problem.start)

        def run(w, g, t, step):
            v[:] = mu * v - rate * problem.gradient(w + mu * v, step)
            return w + v

        return run

    return start


def lion(rate, beta1, beta2, decay):
    def start(problem):
        m = np.zeros_like(problem.start)

        def run(w, g, t, step):
            c = beta1 * m + (1 - beta1) * g
            w = w - rate * (np.sign(c) + decay * w)
            m[:] = beta2 * m + (1 - beta2) * g
            return w

        return run

    return start


def rmsprop_inside(rate, beta, eps):
    def start(problem):
        v = np.zeros_like(problem.start)

        def run(w, g, t, step):
            v[:] = beta * v + (1 - beta) * g**2
            return w - rate * g / np.sqrt(v + eps)

        return run

    return start


def adam(rate, beta1=0.9, beta2=0.999, eps=1e-8, correct=True):
    def start(problem):
        m, v = np.zeros_like(problem.start), np.zeros_like(problem.start)

        def run(w, g, t, step):
            m[:] = beta1 * m + (1 - beta1) * g
            v[:] = beta2 * v + (1 - beta2) * g**2
            a, b = (m / (1 - beta1**t), v / (1 - beta2**t)) if correct else (m, v)
            return w - rate * a / (np.sqrt(b) + eps)

        return run

    return start


def nadam(rate, beta1=0.9, beta2=0.999, eps=1e-8):
    def start(problem):
        m, v = np.zeros_like(problem.start), np.zeros_like(problem.start)
        mus = [beta1 * (1 - 0.5 * 0.96 ** (i / 250)) for i in range(STEPS + 2)]  # mus[0] is not used

        def run(w, g, t, step):
            m[:] = mus[t] * m + (1 - mus[t]) * g
            v[:] = beta2 * v + (1 - beta2) * g**2
            ahead = mus[t + 1] * m / (1 - math.prod(mus[1 : t + 2]))
            ahead += (1 - mus[t]) * g / (1 - math.prod(mus[1 : t + 1]))
            return w - rate * ahead / (np.sqrt(v / (1 - beta2**t)) + eps)

        return run

    return start


def radam(rate, beta1=0.9, beta2=0.999, eps=1e-8):
    def start(problem):
        m, v = np.zeros_like(problem.start), np.zeros_like(problem.start)
        infinite = 2 / (1 - beta2) - 1

        def run(w, g, t, step):
            m[:] = beta1 * m + (1 - beta1) * g
            v[:] = beta2 * v + (1 - beta2) * g**2
            rho = infinite - 2 * t * beta2**t / (1 - beta2**t)
            if rho <= 4:
                return w - rate * m / (1 - beta1**t)
            r = math.sqrt((rho - 4) * (rho - 2) * infinite / ((infinite - 4) * (infinite - 2) * rho))
            return w - rate * r * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)

        return run

    return start


def madgrad(rate, mu=0.9, eps=1e-6):
    def start(problem):
        s, q = np.zeros_like(problem.start), np.zeros_like(problem.start)

        def run(w, g, t, step):
            scale = rate * math.sqrt(t)
            s[:] += scale * g
            q[:] += scale * g**2
            return mu * w + (1 - mu) * (problem.start - s / (np.cbrt(q) + eps))

        return run

    return start


def novograd(rate, beta1=0.95, beta2=0.98, eps=1e-8):
    def start(problem):
        m, v = np.zeros_like(problem.start), {}

        def run(w, g, t, step):
            for name, part in problem.parts.items():
                square = (g[part] ** 2).sum()
                v[name] = square if t == 1 else beta2 * v[name] + (1 - beta2) * square
                m[part] = beta1 * m[part] + g[part] / (math.sqrt(v[name]) + eps)
            return w - rate * m

        return run

    return start


def lookahead(inner, k=6, alpha=0.5):
    def start(problem):
        fast, slow = inner(problem), problem.start.copy()

        def run(w, g, t, step):
            w = fast(w, g, t, step)
            if t % k:
                return w
            slow[:] = slow + alpha * (w - slow)
            return slow.copy()

        return run

    return start


def ema(kind, decay, **settings):
    """The average of torch.optim.swa_utils, of weights that an optimizer of PyTorch trains; w is the average."""
    def start(problem):
        fast = problem.start.copy()
        run_fast = torch_rule(kind, **settings)(problem)
        module = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(fast))])
        averaged = swa_utils.AveragedModel(module, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))

        def run(w, g, t, step):
            fast[:] = run_fast(fast, problem.gradient(fast, step), t, step)
            with torch.no_grad():
                module[0].copy_(torch.tensor(fast))
            averaged.update_parameters(module)
            return averaged.module[0].detach().numpy().copy()

        return run

    return start


def sam(inner, rho=0.05):
    def start(problem):
        own = inner(problem)

        def run(w, g, t, step):
            near = w + rho * g / (np.linalg.norm(g) + 1e-12)
            return own(w, problem.gradient(near, step), t, step)

        return run

    return start


def accumulate(inner, k=4):
    def start(problem):
        own, total, runs = inner(problem), np.zeros_like(problem.start), [0]

        def run(w, g, t, step):
            total[:] += g / k
            if t % k:
                return w
            runs[0] += 1
            w = own(w, total.copy(), runs[0], step)
            total[:] = 0
            return w

        return run

    return start


def changed(inner, change):
    """The inner optimizer by another gradient, a function of (g, w)."""

    def start(problem):
        own = inner(problem)
        return lambda w, g, t, step: own(w, change(g, w), t, step)

    return start


def clip(inner, norm=1.0):
    return changed(inner, lambda g, w: g * min(1, norm / np.linalg.norm(g)))


def clip_value(inner, limit=1.0):
    return changed(inner, lambda g, w: np.clip(g, -limit, limit))


def weight_decay(inner, decay=1e-4, l1=0.0):
    return changed(inner, lambda g, w: g + decay * w + l1 * np.sign(w))


def newton(rate=1.0):
    return lambda problem: lambda w, g, t, step: w - rate * g / problem.second(w)


def by_part(rules):
    """Each parameter by its own optimizer."""

    def start(problem):
        own = {name: rule(problem) for name, rule in rules.items()}

        def run(w, g, t, step):
            result = w.copy()
            for name, part in problem.parts.items():
                result[part] = own[name](w, g, t, step)[part]
            return result

        return run

    return start


# ---- the random numbers of the language: Philox 4x32-10 (Salmon et al., 2011), Box and Muller


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def uniform(stream, step, size, seed=1):
    hashed = 14695981039346656037
    for c in stream.encode():
        hashed = ((hashed ^ c) * 1099511628211) & (2**64 - 1)
    words = [philox((i, 0, step, hashed >> 32), (seed, hashed & 0xFFFFFFFF)) for i in range(size)]
    return np.array([((w[0] << 32 | w[1]) >> 11) * 2.0**-53 for w in words])


def normal(optimizer, problem, step):
    result = np.zeros_like(problem.start)
    for name, part in problem.parts.items():
        stream = f"train.{optimizer}/{name}.normal_1.random_"
        a, b = (uniform(stream + number, step, part.stop - part.start) for number in "12")
        result[part] = np.sqrt(-2 * np.log(1 - a)) * np.cos(2 * np.pi * b)
    return result


def search(optimizer, size, near):
    def start(problem):
        def run(w, g, t, step):
            e = near * w + size * normal(optimizer, problem, step)
            return e if problem.loss(e, step) < problem.loss(w, step) else w

        return run

    return start


# ---- PyTorch


def torch_rule(kind, **settings):
    def start(problem):
        parts = [torch.nn.Parameter(torch.tensor(problem.start[part].copy())) for part in problem.parts.values()]
        optimizer = kind(parts, **settings)

        def run(w, g, t, step):
            for tensor, part in zip(parts, problem.parts.values()):
                tensor.grad = torch.tensor(g[part])
            optimizer.step()
            return np.concatenate([tensor.detach().numpy() for tensor in parts])

        return run

    return start


OPTIMIZERS = [
    (Mixed, "sgd(learning_rate: 0.05)", torch_rule(torch.optim.SGD, lr=0.05)),
    (Mixed, "sgd(learning_rate: 0.02, momentum: 0.9)", buffer(constant(0.02), 0.9)),
    (Mixed, "sgd(learning_rate: 0.02, momentum: 0.9, nesterov: true)", buffer(constant(0.02), 0.9, nesterov=True)),
    (Mixed, "sgd(learning_rate: cosine(peak: 0.05), momentum: 0.9)", buffer(falling(0.05), 0.9)),
    (Mixed, "momentum(learning_rate: 0.02)", torch_rule(torch.optim.SGD, lr=0.02, momentum=0.9)),
    (Mixed, "momentum(learning_rate: 0.1, momentum: 0.8)", momentum(0.1, 0.8)),
    (Mixed, "momentum(learning_rate: 0.1, momentum: 0.8, ema: true)", average_momentum(0.1, 0.8)),
    (Mixed, "nesterov(learning_rate: 0.02)", nesterov(0.02, 0.9)),
    (Mixed, "lion(learning_rate: 0.02, weight_decay: 0.1)", lion(0.02, 0.9, 0.99, 0.1)),
    (Mixed, "adagrad(learning_rate: 0.1)", torch_rule(torch.optim.Adagrad, lr=0.1)),
    (Mixed, "rmsprop(learning_rate: 0.02, beta: 0.95)", torch_rule(torch.optim.RMSprop, lr=0.02, alpha=0.95)),
    (
        Mixed,
        "rmsprop(learning_rate: 0.02, beta: 0.95, eps: 1e-3, eps_inside_sqrt: true)",
        rmsprop_inside(0.02, 0.95, 1e-3),
    ),
    (Mixed, "adadelta()", torch_rule(torch.optim.Adadelta, lr=1, rho=0.95, eps=1e-6)),
    (Mixed, "adam(learning_rate: 0.1)", torch_rule(torch.optim.Adam, lr=0.1)),
    (Mixed, "adam(learning_rate: 0.02, bias_correction: false)", adam(0.02, correct=False)),
    (Mixed, "adamw(learning_rate: 0.1, weight_decay: 0.2)", torch_rule(torch.optim.AdamW, lr=0.1, weight_decay=0.2)),
    (Mixed, "adamax(learning_rate: 0.05)", torch_rule(torch.optim.Adamax, lr=0.05)),
    (Mixed, "nadam(learning_rate: 0.05)", nadam(0.05)),
    (Mixed, "radam(0.03)", radam(0.03)),
    (Mixed, "madgrad(0.01)", madgrad(0.01)),
    (Mixed, "novograd(learning_rate: 0.02)", novograd(0.02)),
    (Mixed, "lookahead(adam(learning_rate: 0.1), k: 4)", lookahead(adam(0.1), 4)),
    (Mixed, "lookahead(momentum(learning_rate: 0.02), k: 3, alpha: 0.8)", lookahead(momentum(0.02, 0.9), 3, 0.8)),
    (Mixed, "ranger(learning_rate: 0.03)", lookahead(radam(0.03))),
    (Mixed, "ema(adam(learning_rate: 0.1), decay: 0.9)", ema(torch.optim.Adam, 0.9, lr=0.1)),
    (Mixed, "sam(adam(learning_rate: 0.1))", sam(adam(0.1))),
    (Mixed, "gradient_accumulation(adam(learning_rate: 0.1), steps: 3)", accumulate(adam(0.1), 3)),
    (Mixed, "clip_by_global_norm(adam(learning_rate: 0.1), max_norm: 0.5)", clip(adam(0.1), 0.5)),
    (Mixed, "clip_by_value(momentum(learning_rate: 0.02), limit: 0.4)", clip_value(momentum(0.02, 0.9), 0.4)),
    (
        Mixed,
        "weight_decay(adam(learning_rate: 0.1), weight_decay: 0.3)",
        torch_rule(torch.optim.Adam, lr=0.1, weight_decay=0.3),
    ),
    (
        Mixed,
        "weight_decay(momentum(learning_rate: 0.02), weight_decay: 0.1, l1: 0.05)",
        weight_decay(momentum(0.02, 0.9), 0.1, 0.05),
    ),
    (
        Mixed,
        "gradient_accumulation(clip_by_global_norm(adam(learning_rate: 0.1), max_norm: 0.5), steps: 2)",
        accumulate(clip(adam(0.1), 0.5), 2),
    ),
    (
        Mixed,
        "sam(clip_by_global_norm(lookahead(adam(learning_rate: 0.1), k: 2), max_norm: 0.5))",
        sam(clip(lookahead(adam(0.1), 2), 0.5)),
    ),
    (
        Mixed,
        "adam(learning_rate: 0.1) on *.v; optimizer sgd(learning_rate: 0.05)",
        by_part({"net.v": adam(0.1), "net.u": lambda problem: lambda w, g, t, step: w - 0.05 * g}),
    ),
    (
        Mixed,
        "clip_by_global_norm(adamw(learning_rate: 0.1, weight_decay: 0), max_norm: 0.5) on *.v; optimizer clip_by_global_norm(sgd(learning_rate: 0.05), max_norm: 0.5)",
        clip(by_part({"net.v": adam(0.1), "net.u": lambda problem: lambda w, g, t, step: w - 0.05 * g}), 0.5),
    ),
    (Mixed, "random_search(size: 0.7)", search("random_search", 0.7, 0)),
    (Mixed, "search(size: 0.2)", search("search", 0.2, 1)),
    (Single, "newton()", newton()),
    (Single, "newton(learning_rate: 0.5)", newton(0.5)),
]


def numbers(values):
    return " ".join(f"{value:.17g}" for value in values)


def record(optimizers, file):
    """Writes the weights after each step of (problem, line of the language, rule)."""
    lines = []
    for problem, line, rule in optimizers:
        lines.append(f"optimizer {problem.file} {line}")
        run, w = rule(problem), problem.start.copy()
        for step in range(1, STEPS + 1):
            w = run(w, problem.gradient(w, step), step, step)
            lines.append(numbers(w))
    (FOLDER / file).write_text("\n".join(lines) + "\n")


def main():
    record(OPTIMIZERS, "recorded.txt")
    lines = []
    for line, rate in SCHEDULES:
        lines.append(f"schedule {line}")
        lines.append(numbers(rate(step, step / 10) for step in range(1, 11)))
    (FOLDER / "schedules.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

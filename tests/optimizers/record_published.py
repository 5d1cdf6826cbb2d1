#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Twenty steps in double of the optimizers that use shapes, norms or other points than the weights: by PyTorch if it has
the optimizer, else by optax or the authors' schedulefree, else by a plain transcription of the paper.

recorded_published.txt has the form of recorded.txt (see record.py). Run this only to add an entry:
    python3 tests/optimizers/record_published.py   (needs numpy, torch, optax and schedulefree)
"""
import jax
import numpy as np
import optax
import schedulefree
import torch

from record import Mixed, mean_of, record, torch_rule, uniform

jax.config.update("jax_enable_x64", True)
torch.bfloat16 = torch.float64  # torch.optim.Muon rounds its products to bfloat16; here they are double


class Matrix:
    """matrix.grad; weights a[2, 3] then b[3]."""

    file = "matrix"
    start = np.array([0.4, -0.7, 1.1, 0.2, 0.5, -0.3, 0.3, -0.2, 0.6])
    parts = {"net.a": slice(0, 6), "net.b": slice(6, 9)}
    shapes = {"net.a": (2, 3), "net.b": (3,)}

    @staticmethod
    def loss(w, step):
        first = 2 * ((step - 1) % 3)
        x = torch.tensor([0.5, -1, 2, 0.25, 1, -0.75], dtype=torch.float64)[first : first + 2]
        y = torch.sin(x[:, None] + torch.arange(2)) @ w[:6].reshape(2, 3) + w[6:]
        return (torch.tanh(y) ** 2).mean() + ((y - 1) ** 4).mean() / 4

    @classmethod
    def gradient(cls, w, step):
        return torch.func.grad(cls.loss)(torch.tensor(w), step).numpy()

    @classmethod
    def hessian_times(cls, w, v, step):
        slope = torch.func.grad(lambda w: cls.loss(w, step))
        return torch.func.jvp(slope, (torch.tensor(w),), (torch.tensor(v),))[1].numpy()


def shaped(problem, w):
    return {name: w[part].reshape(problem.shapes[name]) for name, part in problem.parts.items()}


def flat(parts):
    return np.concatenate([np.asarray(part).reshape(-1) for part in parts.values()])


def by_shape(kind, **settings):
    """An optimizer of PyTorch over parameters in their shapes."""

    def start(problem):
        parts = {name: torch.nn.Parameter(torch.tensor(part.copy())) for name, part in shaped(problem, problem.start).items()}
        optimizer = kind(parts.values(), **settings)

        def run(w, g, t, step):
            for tensor, part in zip(parts.values(), shaped(problem, g).values()):
                tensor.grad = torch.tensor(part)
            optimizer.step()
            return flat({name: tensor.detach() for name, tensor in parts.items()})

        return run

    return start


def by_optax(transformation):
    def start(problem):
        state = [transformation.init(shaped(problem, problem.start))]

        def run(w, g, t, step):
            change, state[0] = transformation.update(shaped(problem, g), state[0], shaped(problem, w))
            return flat(optax.apply_updates(shaped(problem, w), change))

        return run

    return start


def schedule_free(kind, **settings):
    def start(problem):
        tensor = torch.nn.Parameter(torch.tensor(problem.start.copy()))
        optimizer = kind([tensor], foreach=False, **settings)

        def run(w, g, t, step):
            optimizer.train()
            tensor.grad = torch.tensor(problem.gradient(tensor.detach().numpy(), step))
            optimizer.step()
            optimizer.eval()
            return tensor.detach().numpy().copy()

        return run

    return start


def muon_and_adam(**settings):
    """torch.optim.Muon for the matrix, Adam for the vector."""

    def both(parts, **_):
        matrix, vector = parts
        rules = torch.optim.Muon([matrix], **settings), torch.optim.Adam([vector], lr=0.1)

        class Both:
            step = staticmethod(lambda: [rule.step() for rule in rules])

        return Both

    return by_shape(both)


# ---- transcriptions of papers


def adan(rate, decay, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8):
    """As in the authors' code; optax 0.2 has 1 - beta2 where they have beta2."""

    def start(problem):
        last = [None]
        m, d, v = (np.zeros_like(problem.start) for _ in range(3))

        def run(w, g, t, step):
            change = 0 * g if last[0] is None else g - last[0]
            last[0] = g
            m[:] = beta1 * m + (1 - beta1) * g
            d[:] = beta2 * d + (1 - beta2) * change
            v[:] = beta3 * v + (1 - beta3) * (g + beta2 * change) ** 2
            size = np.sqrt(v) / np.sqrt(1 - beta3**t) + eps
            w = w - rate / (1 - beta1**t) * m / size - rate * beta2 / (1 - beta2**t) * d / size
            return w / (1 + rate * decay)

        return run

    return start


def random_signs(problem, step):
    draws = [uniform(f"train.adahessian/{name}.random_1", step, part.stop - part.start) for name, part in problem.parts.items()]
    return np.where(np.concatenate(draws) < 0.5, -1.0, 1.0)


def normals(problem, step):
    result = []
    for name, part in problem.parts.items():
        a, b = (uniform(f"train.sophia/{name}.normal_1.random_{i}", step, part.stop - part.start) for i in "12")
        result.append(np.sqrt(-2 * np.log(1 - a)) * np.cos(2 * np.pi * b))
    return np.concatenate(result)


def adahessian(rate, beta1=0.9, beta2=0.999, eps=1e-4, power=1.0):
    def start(problem):
        m, v = np.zeros_like(problem.start), np.zeros_like(problem.start)

        def run(w, g, t, step):
            z = random_signs(problem, step)
            diagonal = z * problem.hessian_times(w, z, step)
            m[:] = beta1 * m + (1 - beta1) * g
            v[:] = beta2 * v + (1 - beta2) * diagonal**2
            return w - rate * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) ** power + eps)

        return run

    return start


def sophia(rate, beta1=0.965, beta2=0.99, eps=1e-8, gamma=0.01, decay=1e-4, interval=10):
    def start(problem):
        m, h = np.zeros_like(problem.start), np.zeros_like(problem.start)

        def run(w, g, t, step):
            m[:] = beta1 * m + (1 - beta1) * g
            if t % interval == 1:
                u = normals(problem, step)
                h[:] = beta2 * h + (1 - beta2) * u * problem.hessian_times(w, u, step)
            w = w - rate * decay * w
            return w - rate * np.clip(m / np.maximum(gamma * h, eps), -1, 1)

        return run

    return start


def root(a, power):
    values, vectors = np.linalg.eigh(a)
    return vectors @ np.diag(values**power) @ vectors.T


def shampoo(rate, eps, frequency=1):
    def start(problem):
        sums = [eps * np.eye(2), eps * np.eye(3), eps * np.eye(3)]
        roots = [None] * 3

        def run(w, g, t, step):
            a, b = shaped(problem, g).values()
            for total, more in zip(sums, (a @ a.T, a.T @ a, np.outer(b, b))):
                total += more
            if (t - 1) % frequency == 0:
                roots[:] = [root(total, power) for total, power in zip(sums, (-0.25, -0.25, -0.5))]
            return w - rate * flat({"a": roots[0] @ a @ roots[1], "b": roots[2] @ b})

        return run

    return start


def diagonal_shampoo(rate, eps):
    def start(problem):
        rows, columns, square = np.full((2, 1), eps), np.full((1, 3), eps), np.full(3, eps)

        def run(w, g, t, step):
            a, b = shaped(problem, g).values()
            rows[:] += (a**2).sum(1, keepdims=True)
            columns[:] += (a**2).sum(0, keepdims=True)
            square[:] += b**2
            return w - rate * flat({"a": rows**-0.25 * a * columns**-0.25, "b": b / np.sqrt(square)})

        return run

    return start


sf = schedulefree
OPTIMIZERS = [
    (Mixed, "adam(learning_rate: 0.1, amsgrad: true)", torch_rule(torch.optim.Adam, lr=0.1, amsgrad=True)),
    (Mixed, "amsgrad(learning_rate: 0.1, beta2: 0.9)",
     torch_rule(torch.optim.Adam, lr=0.1, betas=(0.9, 0.9), amsgrad=True)),
    (Matrix, "yogi(learning_rate: 0.1)", by_optax(optax.yogi(0.1))),
    (Matrix, "adan(learning_rate: 0.05, weight_decay: 0.1)", adan(0.05, 0.1)),
    (Matrix, "rprop()", by_shape(torch.optim.Rprop)),
    (Matrix, "rprop(learning_rate: 0.1, eta_minus: 0.3, eta_plus: 1.5, max_step_size: 0.2, min_step_size: 0.02)",
     by_shape(torch.optim.Rprop, lr=0.1, etas=(0.3, 1.5), step_sizes=(0.02, 0.2))),
    (Matrix, "lamb(learning_rate: 0.05, weight_decay: 0.1)", by_optax(optax.lamb(0.05, weight_decay=0.1))),
    (Matrix, "lars(learning_rate: 0.5, weight_decay: 0.1, trust_coefficient: 0.1)",
     by_optax(optax.lars(0.5, weight_decay=0.1, trust_coefficient=0.1))),
    (Matrix, "schedule_free_sgd(learning_rate: 0.5, weight_decay: 0.01)",
     schedule_free(sf.SGDScheduleFree, lr=0.5, weight_decay=0.01)),
    (Matrix, "schedule_free_adamw(learning_rate: 0.1, weight_decay: 0.01)",
     schedule_free(sf.AdamWScheduleFree, lr=0.1, weight_decay=0.01)),
    (Matrix, "adafactor()", by_shape(torch.optim.Adafactor, eps=(1.1920929e-7, 1e-3))),
    (Matrix, "adafactor(learning_rate: 0.3, beta2_decay: -0.5, d: 1.5, weight_decay: 0.1)",
     by_shape(torch.optim.Adafactor, lr=0.3, beta2_decay=-0.5, d=1.5, weight_decay=0.1, eps=(1.1920929e-7, 1e-3))),
    (Matrix, "muon(learning_rate: 0.05) on *.a; optimizer adam(learning_rate: 0.1)", muon_and_adam(lr=0.05)),
    (Matrix, "muon(learning_rate: 0.05, momentum: 0.8, nesterov: false, ns_steps: 3) on *.a; optimizer adam(learning_rate: 0.1)",
     muon_and_adam(lr=0.05, momentum=0.8, nesterov=False, ns_steps=3)),
    (Matrix, "shampoo(eps: 0.01)", shampoo(0.1, 0.01)),
    (Matrix, "shampoo(learning_rate: 0.05, eps: 0.1, update_freq: 3)", shampoo(0.05, 0.1, 3)),
    (Matrix, "shampoo(diagonal: true)", diagonal_shampoo(0.1, 1e-4)),
    (Matrix, "adahessian()", adahessian(0.1)),
    (Matrix, "adahessian(learning_rate: 0.05, hessian_power: 0.5)", adahessian(0.05, power=0.5)),
    (Matrix, "sophia(learning_rate: 0.05)", sophia(0.05)),
    (Matrix, "sophia(learning_rate: 0.05, gamma: 5, update_interval: 2)", sophia(0.05, gamma=5, interval=2)),
]


if __name__ == "__main__":
    record(OPTIMIZERS, "recorded_published.txt")

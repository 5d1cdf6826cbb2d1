#!/usr/bin/env python3
"""Microseconds a training step of the examples in numpy and PyTorch, one thread, beside gradc's own `bench`.

    python3 tests/performance/record_peers.py [build/gradc]

Every contender does the same work: the same sizes, the same optimizer, resident data. Rounds are interleaved, so that a
change of the machine's clock meets all of them alike; the fastest of a contender's rounds counts. numpy and torch are
measured where they are installed, gradc where its path is given.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

ROUNDS = 7
SECONDS = 0.3  # of steps in a round
TREE = pathlib.Path(__file__).resolve().parents[2]


def numpy_twenty_lines():
    import numpy as np

    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((64, 1000)), generator.standard_normal((64, 10))
    w1, w2 = 0.1 * generator.standard_normal((1000, 100)), 0.1 * generator.standard_normal((100, 10))

    def step():
        h = 1 / (1 + np.exp(-x @ w1))
        d = 2 * (h @ w2 - y)
        g2, gh = h.T @ d, d @ w2.T
        w1.__isub__(1e-4 * (x.T @ (gh * h * (1 - h))))
        w2.__isub__(1e-4 * g2)

    return step


def torch_step(net, make_optimizer, x, y, loss):
    optimizer = make_optimizer(net.parameters())

    def step():
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    return step


def torch_twenty_lines():
    import torch
    from torch import nn

    torch.set_num_threads(1)
    net = nn.Sequential(nn.Linear(1000, 100, bias=False), nn.Sigmoid(), nn.Linear(100, 10, bias=False)).double()
    x, y = torch.randn(64, 1000).double(), torch.randn(64, 10).double()
    return torch_step(net, lambda w: torch.optim.SGD(w, 1e-4), x, y, nn.MSELoss(reduction="sum"))


def torch_xor():
    import torch
    from torch import nn

    torch.set_num_threads(1)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = torch.tensor([[0.0], [1], [1], [0]])
    return torch_step(net, lambda w: torch.optim.Adam(w, 0.05), x, y, nn.BCEWithLogitsLoss())


def torch_mnist():
    import torch
    from torch import nn

    torch.set_num_threads(1)
    sizes = (784, 512, 256, 10)
    layers = [part for a, b in zip(sizes, sizes[1:]) for part in (nn.Linear(a, b), nn.ReLU())][:-1]
    x, y = torch.rand(128, 784), torch.randint(10, (128,))
    return torch_step(nn.Sequential(*layers), lambda w: torch.optim.Adam(w, 1e-3), x, y, nn.CrossEntropyLoss())


def timed(step):
    for _ in range(3):
        step()

    def round_of_steps():
        started, steps = time.perf_counter(), 0
        while time.perf_counter() - started < SECONDS:
            step()
            steps += 1
        return (time.perf_counter() - started) / steps * 1e6

    return round_of_steps


def gradc_bench(gradc, example):
    """Steps on resident data, by the trainer's own clock."""
    folder = tempfile.mkdtemp()
    trainer, log = f"{folder}/{example}", f"{folder}/log.json"
    model = TREE / "examples" / example / "model.grad"
    data = os.environ.get("GRADC_DATA", str(model.parent))
    subprocess.run([gradc, "build", model, "--isa", "native", "--data", data, "-o", trainer], check=True)

    def round_of_steps():
        subprocess.run([trainer, "bench", "--data", data, "--threads", "1", "--json", log], check=True,
                       stdout=subprocess.DEVNULL)
        return float(json.loads(pathlib.Path(log).read_text())["step_us"])

    return round_of_steps


CONTENDERS = [
    ("xor", "torch", lambda: timed(torch_xor())),
    ("numpy_twenty_lines", "numpy", lambda: timed(numpy_twenty_lines())),
    ("numpy_twenty_lines", "torch", lambda: timed(torch_twenty_lines())),
    ("mnist_mlp", "torch", lambda: timed(torch_mnist())),
]


def main():
    contenders = list(CONTENDERS)
    if len(sys.argv) > 1:
        gradc = os.path.abspath(sys.argv[1])
        for example in ("xor", "numpy_twenty_lines", "mnist_mlp"):
            contenders.append((example, "gradc", lambda example=example: gradc_bench(gradc, example)))
    ready = []
    for example, name, make in contenders:
        try:
            ready.append((example, name, make(), []))
        except (ImportError, subprocess.CalledProcessError) as error:
            print(f"{example} {name}: not measured ({error})", file=sys.stderr)
    for _ in range(ROUNDS):
        for _, _, measure, results in ready:
            results.append(measure())
    for example, name, _, results in sorted(ready, key=lambda row: row[:2]):
        print(f"{example:20} {name:6} {min(results):12.1f} us a step")


if __name__ == "__main__":
    main()

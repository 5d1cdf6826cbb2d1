#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Losses of small networks, step by step, as PyTorch computes them in double.

Each recording is a pair in recorded/: NAME.grad, a model file with its rows and start weights as literals (or drawn as
the trainer draws them), and NAME.losses, one line an epoch: the mean loss by rows while training, and, where the rows
are split, the loss of the test rows behind it. A test trains the model file and compares; it needs no Python. Run this
only to add a recording:  python3 tests/gradients/record_losses.py build/gradc      (needs torch)
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from torch.nn import functional as F

ROWS, INPUTS, HIDDEN, CLASSES = 12, 4, 6, 3
FOLDER = pathlib.Path(__file__).parent / "recorded"


def drawn(generator, *shape):
    """Numbers with few digits, so that a model file holds them exactly."""
    return torch.round(torch.randn(*shape, generator=generator, dtype=torch.float64) * 64) / 64


def literal(tensor):
    if tensor.dim() == 0:
        return f"{tensor.item():.17g}"
    return "[" + ", ".join(literal(part) for part in tensor) + "]"


def start():
    generator = torch.Generator().manual_seed(11)
    data = {
        "x": drawn(generator, ROWS, INPUTS),
        "label": torch.randint(CLASSES, (ROWS,), generator=generator),
    }
    weights = {
        "w1": drawn(generator, INPUTS, HIDDEN),
        "b1": drawn(generator, HIDDEN),
        "w2": drawn(generator, HIDDEN, CLASSES),
        "b2": drawn(generator, CLASSES),
    }
    return data, weights


def model_file(data, weights, batch, epochs, optimizer):
    params = "\n".join(
        f"    param {name}: f64[{', '.join(map(str, value.shape))}] = {literal(value)}"
        for name, value in weights.items()
    )
    return f"""# Written by tests/gradients/record_losses.py; the losses beside it are PyTorch's.
dataset rows {{
    x: f64[{INPUTS}] = {literal(data["x"])}
    label: int < {CLASSES} = {literal(data["label"])}
}}

model net(x: f64[N, {INPUTS}]) -> f64[N, {CLASSES}] {{
{params}
    return tanh(x @ w1 + b1) @ w2 + b2
}}

train {{
    data rows
    batch {batch}
    order file
    epochs {epochs}
    loss cross_entropy(net(x), label)
    optimizer {optimizer}
}}
"""


def losses(data, weights, batch, epochs, make_optimizer):
    weights = {name: value.clone().requires_grad_() for name, value in weights.items()}
    optimizer = make_optimizer(list(weights.values()))
    result = []
    for _ in range(epochs):
        total = 0.0
        for first in range(0, ROWS, batch):
            x, label = data["x"][first : first + batch], data["label"][first : first + batch]
            scores = torch.tanh(x @ weights["w1"] + weights["b1"]) @ weights["w2"] + weights["b2"]
            loss = torch.nn.functional.cross_entropy(scores, label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        result.append(total / ROWS)
    return result


RECORDINGS = {
    # name: (batch, epochs, gradc's optimizer, PyTorch's)
    "sgd": (ROWS, 20, "sgd(learning_rate: 0.1)", lambda w: torch.optim.SGD(w, lr=0.1)),
    "momentum": (ROWS, 20, "momentum(learning_rate: 0.05, momentum: 0.9)", lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9)),
    "adam": (ROWS, 20, "adam(learning_rate: 0.02)", lambda w: torch.optim.Adam(w, lr=0.02)),
    # 5, 5 and 2 rows a step
    "adam_short_batch": (5, 20, "adam(learning_rate: 0.02)", lambda w: torch.optim.Adam(w, lr=0.02)),
}


TOKENS, SPLIT_ROWS, TRAIN_ROWS, BATCH = 5, 16, 12, 5

NORMS = """# Written by tests/gradients/record_losses.py; the losses beside it are PyTorch's.
dataset rows {{
    x: f32[{inputs}] = {x}
    token: int < {tokens} = {token}
    label: int < {classes} = {label}
    split train: 0.75, test: 0.25, in order
}}

model net(x: f32[N, {inputs}], token: int[N] < {tokens}) -> f32[N, {classes}] {{
    h = gelu(batch_norm(linear(x, {hidden})) + embedding(token, {hidden}))
    h = h + prelu(layer_norm(linear(h, {hidden})))
    return linear(rms_norm(mish(h)), {classes})
}}

train {{
    data rows
    batch {batch}
    order file
    epochs 20
    loss cross_entropy(net(x, token), label)
    optimizer adam(learning_rate: 0.02)
}}
"""


def started(gradc, model):
    """Start weights by their paths, as the trainer of `model` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([gradc, "build", "--dtype", "f64", model, "-o", f"{folder}/trainer"], check=True)
        subprocess.run([f"{folder}/trainer", "export", "--output", f"{folder}/start"], check=True)
        paths = pathlib.Path(f"{folder}/start").glob("net.*.npy")
        return {path.stem: torch.from_numpy(numpy.load(path)) for path in paths}


def norm_losses(data, w):
    """Every layer of the library that keeps statistics or normalises, in training and in evaluation."""
    w = {name.removeprefix("net."): value.clone() for name, value in w.items()}
    states = ["batch_norm_1.m", "batch_norm_1.v"]
    mean, variance = (w.pop(name) for name in states)
    for value in w.values():
        value.requires_grad_()

    def linear(number, h):
        return h @ w[f"linear_{number}.weight"] + w[f"linear_{number}.bias"]

    def loss(rows, training):
        x, token, label = (data[name][rows] for name in ("x", "token", "label"))
        scale, shift = w["batch_norm_1.weight"], w["batch_norm_1.bias"]
        h = F.batch_norm(linear(1, x), mean, variance, scale, shift, training, 0.1, 1e-5)
        h = F.gelu(h + F.embedding(token, w["embedding_1.table"]))
        g = F.layer_norm(linear(2, h), (HIDDEN,), w["layer_norm_1.weight"], w["layer_norm_1.bias"], 1e-5)
        h = h + F.prelu(g, w["prelu_1.slope"])
        h = linear(3, F.rms_norm(F.mish(h), (HIDDEN,), w["rms_norm_1.weight"], 1e-5))
        return F.cross_entropy(h, label)

    optimizer = torch.optim.Adam(list(w.values()), lr=0.02)
    for _ in range(20):
        total = 0.0
        for first in range(0, TRAIN_ROWS, BATCH):
            rows = slice(first, min(first + BATCH, TRAIN_ROWS))
            now = loss(rows, True)
            optimizer.zero_grad()
            now.backward()
            optimizer.step()
            total += now.item() * (rows.stop - rows.start)
        yield total / TRAIN_ROWS, loss(slice(TRAIN_ROWS, SPLIT_ROWS), False).item()


def record_norms(gradc):
    generator = torch.Generator().manual_seed(12)
    data = {
        "x": drawn(generator, SPLIT_ROWS, INPUTS),
        "token": torch.randint(TOKENS, (SPLIT_ROWS,), generator=generator),
        "label": torch.randint(CLASSES, (SPLIT_ROWS,), generator=generator),
    }
    sizes = {"inputs": INPUTS, "hidden": HIDDEN, "classes": CLASSES, "tokens": TOKENS, "batch": BATCH}
    model = FOLDER / "norms.grad"
    model.write_text(NORMS.format(**sizes, **{name: literal(value) for name, value in data.items()}))
    lines = [f"{train:.15g} {test:.15g}\n" for train, test in norm_losses(data, started(gradc, model))]
    (FOLDER / "norms.losses").write_text("".join(lines))


def main():
    FOLDER.mkdir(exist_ok=True)
    data, weights = start()
    for name, (batch, epochs, text, make_optimizer) in RECORDINGS.items():
        model = model_file(data, weights, "all" if batch == ROWS else batch, epochs, text)
        (FOLDER / f"{name}.grad").write_text(model)
        lines = [f"{loss:.15g}\n" for loss in losses(data, weights, batch, epochs, make_optimizer)]
        (FOLDER / f"{name}.losses").write_text("".join(lines))
    record_norms(sys.argv[1])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Losses of small networks, step by step, as PyTorch computes them in double.

Each recording is a pair in recorded/: NAME.grad, a model file with its rows and start weights as literals, and
NAME.losses, one line an epoch: the mean loss by rows while training. A test trains the model file and compares; it needs
no Python. Run this only to add a recording:  python3 tests/gradients/record_losses.py   (needs torch)
"""
import pathlib

import torch

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
        f"    param {name}: f64[{', '.join(map(str, value.shape))}] = {literal(value)}" for name, value in weights.items()
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
    "sgd": (ROWS, 20, "sgd(rate: 0.1)", lambda w: torch.optim.SGD(w, lr=0.1)),
    "momentum": (ROWS, 20, "momentum(rate: 0.05, mu: 0.9)", lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9)),
    "adam": (ROWS, 20, "adam(rate: 0.02)", lambda w: torch.optim.Adam(w, lr=0.02)),
    # 5, 5 and 2 rows a step
    "adam_short_batch": (5, 20, "adam(rate: 0.02)", lambda w: torch.optim.Adam(w, lr=0.02)),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    data, weights = start()
    for name, (batch, epochs, text, make_optimizer) in RECORDINGS.items():
        model = model_file(data, weights, "all" if batch == ROWS else batch, epochs, text)
        (FOLDER / f"{name}.grad").write_text(model)
        lines = [f"{loss:.15g}\n" for loss in losses(data, weights, batch, epochs, make_optimizer)]
        (FOLDER / f"{name}.losses").write_text("".join(lines))


if __name__ == "__main__":
    main()

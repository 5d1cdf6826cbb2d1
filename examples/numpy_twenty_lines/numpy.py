#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same network by hand:  python3 numpy.py START_FOLDER LOG.json

START_FOLDER is what `build/twenty export --output START_FOLDER` wrote, LOG.json what `build/twenty train --json` wrote.
`gradc bench` times `make_step` beside the model's own step.
"""
import json
import sys

if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, which is called numpy too
import numpy as np

RATE = 1e-4


def make_step(weights, batches):
    w1, w2 = weights["net.w1"].copy(), weights["net.w2"].copy()

    def step(i):
        x, y = batches[i]["x"], batches[i]["y"]
        h = 1 / (1 + np.exp(-x @ w1))
        difference = h @ w2 - y
        loss = np.sum(difference**2)
        grad_y = 2 * difference
        grad_w2 = h.T @ grad_y
        grad_h = grad_y @ w2.T
        grad_w1 = x.T @ (grad_h * h * (1 - h))
        w1.__isub__(RATE * grad_w1)
        w2.__isub__(RATE * grad_w2)
        return loss

    return step


def main(start, log):
    rows = {"x": np.load(f"{start}/train.x.npy"), "y": np.load(f"{start}/train.y.npy")}
    weights = {name: np.load(f"{start}/{name}.npy") for name in ("net.w1", "net.w2")}
    compiled = [epoch["train"]["loss"] for epoch in json.load(open(log))["epochs"]]
    step, largest = make_step(weights, [rows]), 0.0
    for number in range(2000):
        loss = step(0)
        largest = max(largest, abs(compiled[number] - loss) / abs(loss))
        if number % 400 == 0 or number == 1999:
            print(f"step {number + 1:4}  numpy {loss:.15g}  gradc {compiled[number]:.15g}")
    print(f"largest relative difference {largest:.2e} over {len(compiled)} steps")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""The same network by hand:  python3 numpy.py START_FOLDER LOG.json

START_FOLDER is what `build/twenty export --out START_FOLDER` wrote, LOG.json what `build/twenty train --json` wrote.
"""
import json
import sys

sys.path.pop(0)  # the folder of this file, which is called numpy too
import numpy as np

start, log = sys.argv[1:]
x, y = np.load(f"{start}/train.x.npy"), np.load(f"{start}/train.y.npy")
w1, w2 = np.load(f"{start}/net.w1.npy"), np.load(f"{start}/net.w2.npy")
compiled = [epoch["train"]["loss"] for epoch in json.load(open(log))["epochs"]]

rate, largest = 1e-4, 0.0
for step in range(2000):
    h = 1 / (1 + np.exp(-x @ w1))
    difference = h @ w2 - y
    loss = np.sum(difference**2)
    grad_y = 2 * difference
    grad_w2 = h.T @ grad_y
    grad_h = grad_y @ w2.T
    grad_w1 = x.T @ (grad_h * h * (1 - h))
    w1 -= rate * grad_w1
    w2 -= rate * grad_w2
    largest = max(largest, abs(compiled[step] - loss) / abs(loss))
    if step % 400 == 0 or step == 1999:
        print(f"step {step + 1:4}  numpy {loss:.15g}  gradc {compiled[step]:.15g}")

print(f"largest relative difference {largest:.2e} over {len(compiled)} steps")

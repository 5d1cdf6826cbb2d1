# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training by hand in numpy, for `gradc bench examples/xor/model.grad`.
import numpy as np


def make_step(weights, batches):
    names = ["net.linear_1.weight", "net.linear_1.bias", "net.linear_2.weight", "net.linear_2.bias"]
    w = [weights[name].copy() for name in names]
    m, v = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in w]
    t = 0

    def step(i):
        nonlocal t
        x, y = batches[i]["x"], batches[i]["y"]
        h = np.tanh(x @ w[0] + w[1])
        z = (h @ w[2] + w[3])[:, 0]
        e = np.exp(-np.abs(z))
        loss = np.mean(np.maximum(z, 0) - y * z + np.log1p(e))
        d = ((np.where(z > 0, 1, e) / (1 + e) - y) / len(y))[:, None]
        dh = (d @ w[2].T) * (1 - h * h)
        t += 1
        scale = 0.05 / (1 - 0.9**t)
        correction = 1 - 0.999**t
        for a, ma, va, g in zip(w, m, v, (x.T @ dh, dh.sum(0), h.T @ d, d.sum(0))):
            ma += 0.1 * (g - ma)
            va += 0.001 * (g * g - va)
            a -= scale * ma / (np.sqrt(va / correction) + 1e-8)
        return loss

    return step

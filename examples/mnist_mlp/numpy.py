# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training by hand in numpy, for `gradc bench examples/mnist_mlp/model.grad`.
# The rate is the cosine's peak: ten steps of a long run.
import numpy as np


def make_step(weights, batches):
    w = [weights[f"mlp.linear_{i}.weight"].copy() for i in (1, 2, 3)]
    b = [weights[f"mlp.linear_{i}.bias"].copy() for i in (1, 2, 3)]
    parameters = w + b
    m, v = [np.zeros_like(a) for a in parameters], [np.zeros_like(a) for a in parameters]
    rows = [(batch["image"].reshape(-1, 784) / np.float32(255), batch["label"]) for batch in batches]
    t = 0

    def step(i):
        nonlocal t
        x, label = rows[i]
        h1 = np.maximum(x @ w[0] + b[0], 0)
        h2 = np.maximum(h1 @ w[1] + b[1], 0)
        scores = h2 @ w[2] + b[2]
        scores -= scores.max(axis=1, keepdims=True)
        e = np.exp(scores)
        total = e.sum(axis=1, keepdims=True)
        chosen = np.arange(len(label)), label
        loss = np.mean(np.log(total[:, 0]) - scores[chosen])
        d3 = e / total
        d3[chosen] -= 1
        d3 /= len(label)
        d2 = (d3 @ w[2].T) * (h2 > 0)
        d1 = (d2 @ w[1].T) * (h1 > 0)
        gradients = [x.T @ d1, h1.T @ d2, h2.T @ d3, d1.sum(0), d2.sum(0), d3.sum(0)]
        t += 1
        scale, correction = np.float32(1e-3 / (1 - 0.9**t)), np.float32(1 - 0.999**t)
        for a, ma, va, g in zip(parameters, m, v, gradients):
            ma += np.float32(0.1) * (g - ma)
            g *= g
            va += np.float32(0.001) * (g - va)
            a -= scale * ma / (np.sqrt(va / correction) + np.float32(1e-8))
        return loss

    return step

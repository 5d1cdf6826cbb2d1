# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training by hand in numpy.
import numpy as np


def make_step(weights, batches):
    w1, w2 = weights["net.w1"].copy(), weights["net.w2"].copy()

    def step(i):
        x, y = batches[i]["x"], batches[i]["y"]
        h = 1 / (1 + np.exp(-(x @ w1)))
        out = 1 / (1 + np.exp(-(h @ w2)))
        difference = out - y
        loss = np.mean(difference**2)
        d2 = difference * (np.float32(2) / difference.size) * out * (1 - out)
        d1 = d2 @ w2.T * h * (1 - h)
        w2.__isub__(np.float32(0.1) * (h.T @ d2))
        w1.__isub__(np.float32(0.1) * (x.T @ d1))
        return loss

    return step

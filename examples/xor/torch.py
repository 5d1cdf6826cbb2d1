# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in PyTorch, for `gradc bench examples/xor/model.grad`.
import torch
from torch import nn


def make_step(weights, batches):
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    with torch.no_grad():
        for layer, name in ((net[0], "net.linear_1"), (net[2], "net.linear_2")):
            layer.weight.copy_(torch.from_numpy(weights[name + ".weight"].T))
            layer.bias.copy_(torch.from_numpy(weights[name + ".bias"]))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05, fused=True)
    loss_of = nn.BCEWithLogitsLoss()
    rows = [(torch.from_numpy(batch["x"]), torch.from_numpy(batch["y"])) for batch in batches]

    def step(i):
        x, y = rows[i]
        optimizer.zero_grad()
        loss = loss_of(net(x)[:, 0], y)
        loss.backward()
        optimizer.step()
        return loss

    return step

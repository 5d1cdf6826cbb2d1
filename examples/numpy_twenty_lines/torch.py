# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in PyTorch, in double, for `gradc bench examples/numpy_twenty_lines/model.grad`.
import torch
from torch import nn


def make_step(weights, batches):
    net = nn.Sequential(nn.Linear(1000, 100, bias=False), nn.Sigmoid(), nn.Linear(100, 10, bias=False)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.from_numpy(weights["net.w1"].T))
        net[2].weight.copy_(torch.from_numpy(weights["net.w2"].T))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, foreach=True)
    loss_of = nn.MSELoss(reduction="sum")
    rows = [(torch.from_numpy(batch["x"]), torch.from_numpy(batch["y"])) for batch in batches]

    def step(i):
        x, y = rows[i]
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step

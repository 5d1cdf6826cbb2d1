#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A state dict of PyTorch for model.grad beside this file, and the loss that PyTorch computes with it.

Writes pytorch.safetensors, with a dtype of its own for each layer, and loss.txt. The format is written by hand: a header
in JSON, then the numbers. The tests need no Python. Run this only when the model changes:
    python3 tests/end_to_end/init/record_pytorch.py      (needs torch)
"""
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
folder = pathlib.Path(__file__).parent


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 5)
        self.encoder = nn.Sequential(nn.Linear(5 + 3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 6))
        self.head = nn.Linear(6, 4, bias=False)

    def forward(self, token, x):
        return self.head(torch.tanh(self.encoder(torch.cat([self.embed(token), x], 1))))


net = Net()
dtypes = {"embed": torch.bfloat16, "encoder.0": torch.float16, "encoder.1": torch.float64}
names = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
with torch.no_grad():
    net.encoder[1].running_mean.uniform_(-1, 1)
    net.encoder[1].running_var.uniform_(0.5, 2)
    net.encoder[1].weight.uniform_(0.5, 2)
    net.encoder[1].bias.uniform_(-1, 1)

stored = {}
for name, tensor in net.state_dict().items():
    dtype = dtypes.get(name.rsplit(".", 1)[0], torch.float32)
    stored[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
header, payload = {}, b""
for name, tensor in stored.items():
    numbers = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                    "data_offsets": [len(payload), len(payload) + len(numbers)]}
    payload += numbers
text = json.dumps(header).encode()
(folder / "pytorch.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + payload)

net = net.double().eval()
net.load_state_dict({name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in stored.items()})
row = torch.arange(16)
x = torch.stack([row * (k + 3) % 7 for k in range(3)], 1).double() / 7
with torch.no_grad():
    loss = F.cross_entropy(net(row * row % 12, x), row % 4)
(folder / "loss.txt").write_text(f"{loss.item():.17g}\n")

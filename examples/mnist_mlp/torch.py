# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in PyTorch. `gradc bench examples/mnist_mlp/model.grad`
# times its step. As a program by itself it trains from the files to the accuracy:
# python3 -P torch.py FOLDER_OF_MNIST [EPOCHS]. The rate is the cosine's peak.
import gzip
import sys
import time

import torch
from torch import nn


def network():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def adam(net):
    return torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)


def make_step(weights, batches):
    net = network()
    with torch.no_grad():
        for layer, name in ((net[0], "mlp.linear_1"), (net[2], "mlp.linear_2"), (net[4], "mlp.linear_3")):
            layer.weight.copy_(torch.from_numpy(weights[name + ".weight"].T))
            layer.bias.copy_(torch.from_numpy(weights[name + ".bias"]))
    optimizer = adam(net)
    loss_of = nn.CrossEntropyLoss()
    rows = [
        (torch.from_numpy(batch["image"]).flatten(1).float() / 255, torch.from_numpy(batch["label"]).long())
        for batch in batches
    ]

    def step(i):
        x, label = rows[i]
        optimizer.zero_grad()
        loss = loss_of(net(x), label)
        loss.backward()
        optimizer.step()
        return loss

    return step


def read_idx(path, header):
    with gzip.open(path) as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def split(folder, name):
    images = read_idx(f"{folder}/{name}-images-idx3-ubyte.gz", 16).view(-1, 784).float() / 255
    return images, read_idx(f"{folder}/{name}-labels-idx1-ubyte.gz", 8).long()


def main(folder, epochs=5):
    imported = time.perf_counter()
    torch.manual_seed(1)
    images, labels = split(folder, "train")
    net = network()
    optimizer, loss_of = adam(net), nn.CrossEntropyLoss()
    for _ in range(int(epochs)):
        for rows in torch.randperm(len(images)).split(128):
            optimizer.zero_grad()
            loss_of(net(images[rows]), labels[rows]).backward()
            optimizer.step()
    images, labels = split(folder, "t10k")
    with torch.no_grad():
        accuracy = (net(images).argmax(1) == labels).float().mean().item()
    print(f"test accuracy {accuracy:.4f}, {time.perf_counter() - imported:.2f} s after the imports")


if __name__ == "__main__":
    main(*sys.argv[1:])

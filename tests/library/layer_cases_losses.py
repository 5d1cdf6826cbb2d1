# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of record_layers.py: losses of all rows or steps."""
import torch
from torch.nn import functional as F


def of_all_rows(loss, rows):
    """A loss as a value of each row, as the language broadcasts it."""
    return lambda *tensors: loss(*tensors).expand(rows)


def info_nce(query, key, temperature=0.1, normalize=True):
    if normalize:
        query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
    return F.cross_entropy(query @ key.T / temperature, torch.arange(len(query)))


def ctc(blank):
    def loss(x, label, input_length, label_length):
        return F.ctc_loss(F.log_softmax(x, -1).movedim(1, 0), label, input_length, label_length, blank)
    return loss


def labels(rows, input_length, label_length):
    return {"label": rows, "input_length": input_length, "label_length": label_length}


def load_balancing(k):
    """As load_balancing_loss_func of Hugging Face; k = 1: Fedus and others, 2022, equations 4 to 6."""
    def loss(logits):
        count = logits.shape[-1]
        p = F.softmax(logits.reshape(-1, count), -1)
        mask = F.one_hot(p.topk(k).indices, count).to(p.dtype)
        return count * (mask.mean(0) * p.mean(0)).sum()
    return loss


CASES = [
    ("info_nce(x, z)", of_all_rows(info_nce, 4), {"x": (4, 3), "z": (4, 3)}),
    ("info_nce(x, z, 0.5, normalize: false)", of_all_rows(lambda x, z: info_nce(x, z, 0.5, False), 4),
     {"x": (4, 3), "z": (4, 3)}),
    ("ctc_loss(log_softmax(x), label, input_length, label_length)", of_all_rows(ctc(0), 4), {"x": (4, 6, 4)},
     labels([[1, 1, 2], [3, 1, 2], [2, 2, 2], [1, 3, 0]], [6, 4, 5, 6], [3, 3, 3, 0])),
    ("ctc_loss(log_softmax(x), label, input_length, label_length, blank: 2)", of_all_rows(ctc(2), 2),
     {"x": (2, 5, 3)}, labels([[1, 0], [0, 0]], [5, 3], [2, 1])),
    ("cross_entropy(linear(x, 3), label, label_smoothing: 0.2)",
     of_all_rows(lambda x, w, b, label: F.cross_entropy(x @ w + b, label, label_smoothing=0.2), 4),
     {"x": (4, 3)} | {"linear_1.weight": (3, 3), "linear_1.bias": (3,)}, {"label": [0, 2, 1, 2]}),
    ("load_balancing_loss(x)", of_all_rows(load_balancing(1), 4), {"x": (4, 3)}),
    ("load_balancing_loss(x, k: 2)", of_all_rows(load_balancing(2), 3), {"x": (3, 2, 4)}),
]

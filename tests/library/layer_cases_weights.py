# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of record_layers.py: layers of linear maps, norms of weights, experts and state spaces."""
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils import parametrizations

rows = {"x": (3, 4)}
sequence = {"x": (2, 4, 4)}
words = {"token": [[1, 0, 4], [2, 2, 3]]}


def affine(layer, inputs, outputs):
    return {f"{layer}.weight": (inputs, outputs), f"{layer}.bias": (outputs,)}


def parametrized(make, norm, swap, names):
    """A layer of PyTorch with a norm of its weight, which `swap` takes from our axes to those of PyTorch."""
    def function(x, w, *rest):
        layer = norm(make())
        values = {name: value.detach().clone() if "_" in name else value for name, value in zip(names, rest)}
        values = {f"parametrizations.weight.{name}": value for name, value in values.items()}
        if "original0" in names:
            values["parametrizations.weight.original0"] = rest[0].reshape(-1, *[1] * (w.dim() - 1))
            values["parametrizations.weight.original1"] = swap(w)
        else:
            values["parametrizations.weight.original"] = swap(w)
        return functional_call(layer, values, (x,))
    return function


def images(function):  # channels last
    return lambda x, *rest: function(x.movedim(-1, 1), *rest).movedim(1, -1)


def turned(w):  # [window.., I, O] as [O, I, window..]
    return w.movedim((-1, -2), (0, 1))


def sparse_experts(k, function):
    """As in modeling_mixtral.py of Hugging Face: the softmax over all experts, the k largest divided by their sum, and
    each expert on its own rows. An expert is two linear maps, as in Shazeer and others, 2017."""
    def layer(x, w1, b1, w2, b2, router):
        flat = x.reshape(-1, x.shape[-1])
        p, chosen = F.softmax(flat @ router, -1).topk(k)
        p = p / p.sum(-1, keepdim=True)
        y = torch.zeros_like(flat)
        for expert in range(router.shape[1]):
            row, place = torch.where(chosen == expert)
            z = function(flat[row] @ w1[expert] + b1[expert]) @ w2[expert] + b2[expert]
            y = y.index_add(0, row, z * p[row, place, None])
        return y.reshape(x.shape)
    return layer


def expert_shapes(experts, inputs, hidden):
    path = "mixture_of_experts_1."
    return {path + "weight_1": (experts, inputs, hidden), path + "bias_1": (experts, hidden),
            path + "weight_2": (experts, hidden, inputs), path + "bias_2": (experts, inputs),
            path + "linear_1.weight": (inputs, experts)}


def selective_scan(x, delta, a, b, c, d):
    """Gu and Dao, 2023: equations 2a and 2b, discretized as in selective_scan_ref of state-spaces/mamba."""
    decay = torch.exp(torch.einsum("bti,is->btis", delta, a))
    inputs = torch.einsum("bti,bts,bti->btis", delta, b, x)
    h = torch.zeros(x.shape[0], *a.shape)
    result = []
    for t in range(x.shape[1]):
        h = decay[:, t] * h + inputs[:, t]
        result.append(torch.einsum("bis,bs->bi", h, c[:, t]))
    return torch.stack(result, 1) + x * d


def scan_of(x, delta, b, c, scale):
    """With a = -scale and d = scale of the first state."""
    return selective_scan(x, F.softplus(delta), -scale.exp(), b, c, scale[:, 0])


def mamba(x, both, window, shift, to_scan, weight_delta, bias_delta, log_a, d, out):
    """Mamba.forward of mamba_simple.py, state-spaces/mamba."""
    rank, (inner, states) = weight_delta.shape[0], log_a.shape
    u, z = (x @ both).chunk(2, -1)
    u = F.conv1d(u.mT, turned(window), shift, padding=window.shape[0] - 1, groups=inner)[..., :x.shape[1]].mT
    u = F.silu(u)
    r, b, c = (u @ to_scan).split((rank, states, states), -1)
    delta = F.softplus(r @ weight_delta + bias_delta)
    return (selective_scan(u, delta, -torch.exp(log_a), b, c, d) * F.silu(z)) @ out


def mamba_shapes(inputs, inner, states, kernel_size, rank):
    path = "mamba_block_1."
    return {path + "linear_1.weight": (inputs, 2 * inner), path + "conv1d_1.weight": (kernel_size, 1, inner),
            path + "conv1d_1.bias": (inner,), path + "linear_2.weight": (inner, rank + 2 * states),
            path + "weight_delta": (rank, inner), path + "bias_delta": (inner,), path + "log_a": (inner, states),
            path + "d": (inner,), path + "linear_3.weight": (inner, inputs)}


CASES = [
    ("linear(x, 3)", lambda x, w, b: F.linear(x, w.T, b), sequence | affine("linear_1", 4, 3)),
    ("linear(x, 3, bias: false)", lambda x, w: F.linear(x, w.T), rows | {"linear_1.weight": (4, 3)}),
    ("maxout(x, 2, 3)", lambda x, w, b: (x @ w + b).unflatten(-1, (2, 3)).amax(-1),
     rows | affine("maxout_1.linear_1", 4, 6)),
    ("reshape(x, [N, 3, 1]) * embedding(token, 4)", lambda x, table, token: x[..., None] * F.embedding(token, table),
     {"x": (2, 3), "embedding_1.table": (5, 4)}, words),
    ("layer_norm(x)", lambda x, w, b: F.layer_norm(x, (4,), w, b),
     sequence | {"layer_norm_1.weight": (4,), "layer_norm_1.bias": (4,)}),
    ("rms_norm(x)", lambda x, w: F.rms_norm(x, (4,), w, 1e-5), sequence | {"rms_norm_1.weight": (4,)}),
    ("feed_forward(x, 2)", lambda x, w, b, v, c: F.linear(F.gelu(F.linear(x, w.T, b)), v.T, c),
     sequence | affine("feed_forward_1.linear_1", 4, 8) | affine("feed_forward_1.linear_2", 8, 4)),
    ("prelu(x)", lambda x, w: F.prelu(x, w), rows | {"prelu_1.weight": (4,)}),
    ("param w: [4, 3] = 1;  y = x @ weight_norm(w)",
     parametrized(lambda: nn.Linear(4, 3, bias=False), parametrizations.weight_norm, lambda w: w.T, ["original0"]),
     rows | {".w": (4, 3), "weight_norm_1.g": (3,)}),
    ("param w: [4, 3] = 1;  y = x @ spectral_norm(w, n_power_iterations: 2)",
     parametrized(lambda: nn.Linear(4, 3, bias=False),
                  lambda layer: parametrizations.spectral_norm(layer, n_power_iterations=2), lambda w: w.T,
                  ["0._v"]), rows | {".w": (4, 3), "spectral_norm_1.v": (4,)}),
    ('mixture_of_experts(x, 4, k: 2, hidden: 3, activation: "gelu")', sparse_experts(2, F.gelu),
     sequence | expert_shapes(4, 4, 3)),
    ("mixture_of_experts(x, 3, k: 1, hidden: 2)", sparse_experts(1, F.relu), rows | expert_shapes(3, 4, 2)),
    ("param s: [3, 2] = 1;  y = selective_scan(x, softplus(delta), -exp(s), b, c, s[:, 0])", scan_of,
     {"x": (2, 4, 3), "delta": (2, 4, 3), "b": (2, 4, 2), "c": (2, 4, 2), ".s": (3, 2)}),
    ("mamba_block(x, states: 3, kernel_size: 3, rank: 2)", mamba, sequence | mamba_shapes(4, 8, 3, 3, 2)),
]

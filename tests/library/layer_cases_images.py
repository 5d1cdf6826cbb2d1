# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of record_layers.py: convolutions, pools, norms, and functions along an axis."""
import torch
from torch.nn import functional as F


def first(x):  # channels first: [N, C, ..]
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def swapped(w):  # [window.., I, O] as [O, I, window..]
    return w.movedim((-1, -2), (0, 1))


def conv(function):
    return lambda x, w, b=None, **settings: last(function(first(x), swapped(w), b, **settings))


def depthwise(x, w, b, **settings):
    return last(F.conv2d(first(x), swapped(w[:, :, None]), b, groups=x.shape[-1], **settings))


def same(x, w, b):  # 6 positions, windows of 3, stride 2: one zero, behind
    return last(F.conv2d(F.pad(first(x), (0, 1, 0, 1)), swapped(w), b, stride=2))


def pool(function, *arguments, **settings):
    return lambda x: last(function(first(x), *arguments, **settings))


def batch_norm(x, weight, bias):
    return last(F.batch_norm(first(x), None, None, weight, bias, training=True))


def residual_block(stride):
    def block(x, w1, g1, b1, w2, g2, b2, w3=None, g3=None, b3=None):
        y = F.relu(batch_norm(conv(F.conv2d)(x, w1, stride=stride, padding=1), g1, b1))
        y = batch_norm(conv(F.conv2d)(y, w2, padding=1), g2, b2)
        return F.relu((x if w3 is None else batch_norm(conv(F.conv2d)(x, w3, stride=stride), g3, b3)) + y)
    return block


def squeeze_excitation(x, w1, b1, w2, b2):
    s = torch.sigmoid(F.relu(x.mean((1, 2)) @ w1 + b1) @ w2 + b2)
    return x * s[:, None, None, :]


def norms(block, channels, *numbers):
    return {f"{block}batch_norm_{i}.{name}": (channels,) for i in numbers for name in ("weight", "bias")}


def block_parameters(path, inputs, outputs, shortcut):
    convolutions = [(1, (3, 3, inputs, outputs)), (2, (3, 3, outputs, outputs))]
    if shortcut:
        convolutions.append((3, (1, 1, inputs, outputs)))
    result = {}
    for number, shape in convolutions:
        result[f"{path}.conv2d_{number}.weight"] = shape
        result.update(norms(path + ".", outputs, number))
    return result


def affine(layer, weight, outputs):
    return {f"{layer}_1.weight": weight, f"{layer}_1.bias": (outputs,)}


def affine_norm(layer, channels):
    return affine(layer, (channels,), channels)


images = {"x": (2, 6, 6, 4)}
few = {"x": (2, 4, 4, 4)}
lines = {"x": (2, 7, 4)}
row = {"x": (2, 8)}
volumes = {"x": (2, 3, 4, 3, 2)}

CASES = [  # statement, PyTorch's function of the tensors in their order, their names and shapes
    ("conv1d(x, 3)", conv(F.conv1d), lines | affine("conv1d", (3, 4, 3), 3)),
    ("conv1d(x, 6, kernel_size: 2, stride: 2, padding: 1, groups: 2, bias: false)",
     lambda x, w: conv(F.conv1d)(x, w, stride=2, padding=1, groups=2), lines | {"conv1d_1.weight": (2, 2, 6)}),
    ('conv1d(x, 2, kernel_size: 4, dilation: 2, padding: "same")',
     lambda x, w, b: conv(F.conv1d)(x, w, b, dilation=2, padding="same"), lines | affine("conv1d", (4, 4, 2), 2)),
    ("conv2d(x, 3)", conv(F.conv2d), few | affine("conv2d", (3, 3, 4, 3), 3)),
    ("conv2d(x, 4, kernel_size: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2)",
     lambda x, w, b: conv(F.conv2d)(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
     few | affine("conv2d", (3, 2, 2, 4), 4)),
    ('conv2d(x, 2, kernel_size: 2, padding: "same", bias: false)',
     lambda x, w: conv(F.conv2d)(x, w, padding="same"), few | {"conv2d_1.weight": (2, 2, 4, 2)}),
    ('conv2d(x, 2, stride: 2, padding: "same")', same, images | affine("conv2d", (3, 3, 4, 2), 2)),
    ("conv3d(x, 2, kernel_size: 2)", conv(F.conv3d), volumes | affine("conv3d", (2, 2, 2, 2, 2), 2)),
    ("conv3d(x, 4, kernel_size: [1, 3, 2], stride: [1, 2, 1], padding: [0, 1, 1], groups: 2)",
     lambda x, w, b: conv(F.conv3d)(x, w, b, stride=(1, 2, 1), padding=(0, 1, 1), groups=2),
     volumes | affine("conv3d", (1, 3, 2, 1, 4), 4)),
    ("depthwise_conv2d(x, 3, stride: 2, padding: 1)", lambda x, w, b: depthwise(x, w, b, stride=2, padding=1),
     few | affine("depthwise_conv2d", (3, 3, 4), 4)),
    ("depthwise_conv2d(x, [1, 2], dilation: [1, 3])", lambda x, w, b: depthwise(x, w, b, dilation=(1, 3)),
     few | affine("depthwise_conv2d", (1, 2, 4), 4)),
    ("conv_transpose1d(x, 2, padding: 1)", lambda x, w, b: conv(F.conv_transpose1d)(x, w, b, stride=2, padding=1),
     lines | affine("conv_transpose1d", (4, 2, 4), 2)),
    ("conv_transpose2d(x, 2)", lambda x, w, b: conv(F.conv_transpose2d)(x, w, b, stride=2),
     {"x": (2, 2, 3, 3)} | affine("conv_transpose2d", (4, 4, 2, 3), 2)),
    ("conv_transpose2d(x, 3, kernel_size: [3, 2], stride: [1, 2], padding: [1, 0], bias: false)",
     lambda x, w: conv(F.conv_transpose2d)(x, w, stride=(1, 2), padding=(1, 0)),
     {"x": (2, 3, 2, 2), "conv_transpose2d_1.weight": (3, 2, 3, 2)}),
    ("max_pool1d(x, 2)", pool(F.max_pool1d, 2), lines),
    ("max_pool1d(x, 3, stride: 2, padding: 1)", pool(F.max_pool1d, 3, stride=2, padding=1), lines),
    ("max_pool2d(x, 2)", pool(F.max_pool2d, 2), few),
    ("max_pool2d(x, 3, stride: 2, padding: 1)", pool(F.max_pool2d, 3, stride=2, padding=1), images),
    ("avg_pool1d(x, 2)", pool(F.avg_pool1d, 2), lines),
    ("avg_pool1d(x, 3, stride: 2, padding: 1)", pool(F.avg_pool1d, 3, stride=2, padding=1), lines),
    ("avg_pool2d(x, 2)", pool(F.avg_pool2d, 2), few),
    ("avg_pool2d(x, [3, 2], stride: 2, padding: [1, 0])",
     pool(F.avg_pool2d, (3, 2), stride=2, padding=(1, 0)), images),
    ("global_avg_pool2d(x)", lambda x: x.mean((1, 2)), few),
    ("global_max_pool2d(x)", lambda x: F.adaptive_max_pool2d(first(x), 1)[:, :, 0, 0], few),
    ("adaptive_avg_pool2d(x, 3)", pool(F.adaptive_avg_pool2d, 3), images),
    ("adaptive_avg_pool2d(x, [4, 1])", pool(F.adaptive_avg_pool2d, (4, 1)), images),
    ("upsample2d(x)", pool(F.interpolate, scale_factor=2), {"x": (2, 2, 3, 2)}),
    ('upsample2d(x, 3, mode: "bilinear")',
     pool(F.interpolate, scale_factor=3, mode="bilinear", align_corners=False), {"x": (2, 3, 2, 2)}),
    ("channels_last(x)", last, {"x": (2, 3, 2, 4)}),
    ("residual_block(x, 2)", residual_block(1),
     {"x": (3, 4, 4, 2)} | block_parameters("residual_block_1", 2, 2, False)),
    ("residual_block(x, 3, stride: 2)", residual_block(2),
     {"x": (3, 4, 4, 2)} | block_parameters("residual_block_1", 2, 3, True)),
    ("squeeze_excitation(x, 2)", squeeze_excitation,
     few | {f"squeeze_excitation_1.linear_{i}.{name}": shape for i, name, shape in
            [(1, "weight", (4, 2)), (1, "bias", (2,)), (2, "weight", (2, 4)), (2, "bias", (4,))]}),
    ("batch_norm(x)", batch_norm, few | affine_norm("batch_norm", 4)),
    ("group_norm(x, 2)", lambda x, w, b: last(F.group_norm(first(x), 2, w, b)), few | affine_norm("group_norm", 4)),
    ("instance_norm(x)", pool(F.instance_norm), few),
    ("instance_norm(x, eps: 0.1, affine: true)",
     lambda x, w, b: last(F.instance_norm(first(x), weight=w, bias=b, eps=0.1)), few | affine_norm("instance_norm", 4)),
    ("flatten(x)", lambda x: x.flatten(1), {"x": (2, 2, 3, 2)}),
    ("flip(x)", lambda x: x.flip(1), lines),
    ("flip(x, axis: -1)", lambda x: x.flip(-1), lines),
    ("cumsum(x)", lambda x: x.cumsum(-1), row),
    ("cumsum(x, axis: 1)", lambda x: x.cumsum(1), lines),
    ("cumprod(x)", lambda x: x.cumprod(-1), row),
    ("cumprod(x, axis: 1)", lambda x: x.cumprod(1), lines),
    ("sort(x)", lambda x: x.sort(-1).values, row),
    ("sort(x, axis: 1, descending: true)", lambda x: x.sort(1, descending=True).values, lines),
    ("x * argsort(x)", lambda x: x * x.argsort(-1), row),
    ("x * argsort(x, axis: 1, descending: true)", lambda x: x * x.argsort(1, descending=True), lines),
    ("values, places = top_k(x, 3);  y = values * (1 + places)", lambda x: (lambda r: r.values * (1 + r.indices))(x.topk(3)), row),
]

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Second derivatives of layers as JAX computes them in double.

Writes recorded_second_order.txt beside this file, in the form of recorded_layers.txt (record_layers.py). There are two
cases of each layer f. `layer y = grad(..)^2` has the squares of the gradient of sum(f v) by the input: the gradient of
its loss is that of a penalty on gradients. `hessian y = f` has lines `NAME SIZE.. | numbers | Hv | v`: H is the Hessian of
the loss by all tensors, v a direction in which all variables move at once. Fields have no v: they stay. The tests need
no Python. Run this only when a case is added:
    python3 tests/library/record_second_order.py      (needs jax)
"""
import pathlib

import jax
import jax.numpy as jnp
import numpy
from jax import lax

jax.config.update("jax_enable_x64", True)
RATE = 1 / 256


def conv2d(x, w, b):
    return lax.conv_general_dilated(x, w, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")) + b


def pooled(x, start, function):
    return lax.reduce_window(x, start, function, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def mean_pooled(x, w, b):
    return pooled(jnp.tanh(conv2d(x, w, b)), 0.0, lax.add) / 4


def max_pooled(x, w, b, v):
    return pooled(jax.nn.silu(conv2d(x, w, b)), -jnp.inf, lax.max).reshape(len(x), -1) @ v


def lstm(x, w, u, b, c):
    def step(carry, now):
        h, cell = carry
        i, f, g, o = jnp.split(now @ w + b + h @ u + c, 4, -1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (h, cell), h
    zero = jnp.zeros((len(x), len(u)))
    return lax.scan(step, (zero, zero), x.swapaxes(0, 1))[1].swapaxes(0, 1)


def attention(heads, causal):
    def layer(x, w, o):
        rows, steps, size = x.shape
        q, k, v = jnp.split((x @ w).reshape(rows, steps, 3 * heads, size // heads), 3, 2)
        scores = jnp.einsum("nthd,nuhd->nhtu", q, k) / (size // heads) ** 0.5
        if causal:
            scores = jnp.where(jnp.tril(jnp.ones((steps, steps))) > 0, scores, -jnp.inf)
        return jnp.einsum("nhtu,nuhd->nthd", jax.nn.softmax(scores, -1), v).reshape(x.shape) @ o
    return layer


images = {"x": (2, 4, 4, 2), "conv2d_1.weight": (3, 3, 2, 3), "conv2d_1.bias": (3,)}
words = {"x": (2, 4, 4)} | {"attention_1.linear_1.weight": (4, 12), "attention_1.linear_2.weight": (4, 4)}
gates = {f"lstm_1.{name}_1": shape for name, shape in
         [("weight_ih", (2, 12)), ("weight_hh", (3, 12)), ("bias_ih", (12,)), ("bias_hh", (12,))]}
CASES = [  # the layer, JAX's function of the tensors in their order, their names and shapes
    ("avg_pool2d(tanh(conv2d(x, 3, padding: 1)), 2)", mean_pooled, images),
    ("linear(flatten(max_pool2d(silu(conv2d(x, 3, padding: 1)), 2)), 2, bias: false)", max_pooled,
     images | {"linear_1.weight": (12, 2)}),
    ("lstm(x, 3)", lstm, {"x": (2, 5, 2)} | gates),
    ("attention(x, 2, bias: false)", attention(2, False), words),
    ("attention(x, 2, causal: true, bias: false)", attention(2, True), words),
]


def drawn(generator, shape):
    """All different, between -1 and 1, and exact in f32."""
    count = numpy.prod(shape)
    unit = 2.0 ** -max(0, int(count - 1).bit_length() - 1)
    return ((generator.permutation(count) - count // 2) * unit).reshape(shape)


def numbers(tensor):
    return " ".join(f"{number:.13g}" for number in numpy.asarray(tensor).reshape(-1))


def lines(tensors, *columns):
    for name, tensor, *rest in zip(tensors, tensors.values(), *columns):
        columns = [numbers(column) for column in rest if column is not None]
        yield " | ".join([" ".join(map(str, (name, *tensor.shape))), numbers(tensor), *columns]) + "\n"


def losses(loss, tensors):
    """Of 20 steps of gradient descent."""
    values = list(tensors.values())
    gradient = jax.jit(jax.value_and_grad(loss, argnums=tuple(range(len(values)))))
    for _ in range(20):
        value, slopes = gradient(*values)
        yield value
        values = [value - RATE * slope if "." in name else value
                  for name, value, slope in zip(tensors, values, slopes)]


def penalty(layer, function, shapes):
    """The squares of the gradient of sum(f v) by x."""
    generator = numpy.random.default_rng(3)
    tensors = {name: drawn(generator, shape) for name, shape in shapes.items()}
    x, *rest = tensors.values()
    tensors["v"] = drawn(generator, function(x, *rest).shape)
    tensors["weights"] = drawn(generator, x.shape)

    def loss(x, *rest):
        *rest, v, weights = rest
        return (weights * jax.grad(lambda x: (function(x, *rest) * v).sum())(x) ** 2).sum()

    slopes = jax.grad(loss, argnums=tuple(range(len(tensors))))(*tensors.values())
    yield f"layer f = {layer};  y = grad(sum(f * v), wrt: x)^2\n"
    yield from lines(tensors, slopes)
    yield f"losses {RATE} | {numbers(list(losses(loss, tensors)))}\n"


def hessian(layer, function, shapes):
    generator = numpy.random.default_rng(4)
    tensors = {name: drawn(generator, shape) for name, shape in shapes.items()}
    tensors["weights"] = drawn(generator, function(*tensors.values()).shape)
    values = tuple(tensors.values())
    directions = {name: drawn(generator, value.shape) for name, value in tensors.items() if "." in name}
    all_directions = tuple(directions.get(name, numpy.zeros(value.shape)) for name, value in tensors.items())
    gradient = jax.grad(lambda *values: (values[-1] * function(*values[:-1])).sum(), argnums=tuple(range(len(values))))
    yield f"hessian y = {layer}\n"
    yield from lines(tensors, jax.jvp(gradient, values, all_directions)[1], map(directions.get, tensors))


if __name__ == "__main__":
    text = "".join(line for case in CASES for way in (penalty, hessian) for line in way(*case))
    pathlib.Path(__file__).with_name("recorded_second_order.txt").write_text(text)

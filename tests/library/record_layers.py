#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers as PyTorch computes them in double: values, and gradients by inputs and parameters.

Writes recorded_layers.txt beside this file. A case is a line `layer STATEMENT` with a statement of the language that
gives y, then a line for each tensor that PyTorch was given: `NAME SIZE.. | numbers | gradient`. Names with a dot are
variables of the model, others are fields; a field without a gradient, "-", holds integers. The first size of a field is
the number of rows. The loss is the sum of y times the field `weights`, so the gradient by `weights` is y. A state has no
gradient. Inputs are multiples of 1/32 or another power of 2, all different, or those that the case gives. Last,
`losses RATE | numbers`: the loss before each of 20 steps of gradient descent by the variables. A loss is a number: y is
the same for all rows. The tests need no Python. Run this only when a layer is added:
    python3 tests/library/record_layers.py      (needs torch)
"""
import pathlib

import torch

torch.set_default_dtype(torch.float64)
import layer_cases_images
import layer_cases_losses
import layer_cases_sequences
import layer_cases_weights

draw = torch.Generator().manual_seed(1)


def drawn(*shape):
    count = int(torch.tensor(shape).prod())
    return ((torch.randperm(count, generator=draw) - count // 2) / 32).reshape(shape)


def wide(shapes):
    """The tensors of a case, between -1 and 1: functions that saturate or cut off are not near 0 only."""
    own = torch.Generator().manual_seed(2)
    def tensor(shape):
        count = int(torch.tensor(shape).prod())
        unit = 2.0 ** -max(0, (count - 1).bit_length() - 1)
        return ((torch.randperm(count, generator=own) - count // 2) * unit).reshape(shape)
    return {name: shape if torch.is_tensor(shape) else tensor(shape) for name, shape in shapes.items()}


def losses(function, tensors, rate):
    """Of 20 steps of gradient descent."""
    inputs = {name: tensor.detach() for name, tensor in tensors.items()}
    variables = [name for name in inputs if "." in name and tensors[name].grad is not None]  # the others are states
    for _ in range(20):
        for name in variables:
            inputs[name] = inputs[name].detach().requires_grad_()
        *given, weights = inputs.values()
        loss = (function(*given) * weights).sum()
        yield loss
        loss.backward()
        for name in variables:
            inputs[name] = inputs[name].detach() - rate * inputs[name].grad


def numbers(tensor):
    return " ".join(f"{number:.13g}" for number in tensor.detach().reshape(-1).tolist())


def record(statement, function, shapes, integers={}, rate=1 / 256):
    integer_tensors = [torch.tensor(values) for values in integers.values()]
    given = function
    if integers:
        function = lambda *tensors: given(*tensors, *integer_tensors)
    tensors = {name: (shape.clone() if torch.is_tensor(shape) else drawn(*shape)).requires_grad_()
               for name, shape in shapes.items()}
    y = function(*tensors.values())
    tensors["weights"] = drawn(*y.shape).requires_grad_()
    (y * tensors["weights"]).sum().backward()
    yield f"layer {statement if 'y = ' in statement else 'y = ' + statement}\n"
    for name, tensor in tensors.items():
        sizes = " ".join(map(str, tensor.shape))
        gradient = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        yield f"{name} {sizes} | {numbers(tensor)} | {numbers(gradient)}\n"
    for (name, values), tensor in zip(integers.items(), integer_tensors):
        yield f"{name} {' '.join(map(str, tensor.shape))} | {numbers(tensor)} | -\n"
    if any("." in name for name in tensors):
        yield f"losses {rate} | {numbers(torch.stack(list(losses(function, tensors, rate))))}\n"


if __name__ == "__main__":
    lines = [line for case in layer_cases_images.CASES for line in record(*case)]
    lines += [line for statement, function, shapes in layer_cases_sequences.CASES
              for line in record(statement, function, wide(shapes), rate=1 / 128)]
    lines += [line for case in layer_cases_losses.CASES for line in record(*case)]
    lines += [line for statement, function, shapes, *integers in layer_cases_weights.CASES
              for line in record(statement, function, wide(shapes), *integers, rate=1 / 128)]
    pathlib.Path(__file__).with_name("recorded_layers.txt").write_text("".join(lines))

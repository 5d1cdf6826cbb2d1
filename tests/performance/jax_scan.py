#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Microseconds a step of examples/xor in JAX where a thousand steps are one compiled loop, not a call from Python each:

    taskset -c 1 python3 tests/performance/jax_scan.py

The least of 200 loops on resident rows. Few write their training so; a model this small is where it matters.
"""
import importlib.util
import os
import pathlib
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.dont_write_bytecode = True  # not beside the example
import jax
import jax.numpy as jnp

STEPS, LOOPS = 1000, 200

path = pathlib.Path(__file__).resolve().parents[2] / "examples/xor/jax.py"
spec = importlib.util.spec_from_file_location("peer", path)
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)

x = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = jnp.array([0.0, 1.0, 1.0, 0.0])
keys = jax.random.split(jax.random.key(1))
weights = {
    "net.linear_1.weight": jax.random.normal(keys[0], (2, 8)),
    "net.linear_1.bias": jnp.zeros(8),
    "net.linear_2.weight": jax.random.normal(keys[1], (8, 1)),
    "net.linear_2.bias": jnp.zeros(1),
}


@jax.jit
def many(state):
    return jax.lax.scan(lambda state, _: peer.update.__wrapped__(state, x, y), state, None, length=STEPS)


def zeros():
    return jax.tree.map(jnp.zeros_like, weights)


state, losses = many((weights, zeros(), zeros(), jnp.float32(0)))
best = float("inf")
for _ in range(LOOPS):
    begin = time.perf_counter()
    state, losses = many(state)
    float(losses[-1])
    best = min(best, time.perf_counter() - begin)
print(f"{best / STEPS * 1e6:.2f} us a step, loss {float(losses[-1]):.3g}")

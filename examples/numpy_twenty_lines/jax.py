# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in JAX, in double, for `gradc bench examples/numpy_twenty_lines/model.grad`:
# the whole step is one compiled function that reuses the weights' memory.
import functools

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def loss_of(w, x, y):
    return jnp.sum((jax.nn.sigmoid(x @ w["net.w1"]) @ w["net.w2"] - y) ** 2)


@functools.partial(jax.jit, donate_argnums=0)
def update(w, x, y):
    loss, g = jax.value_and_grad(loss_of)(w, x, y)
    return jax.tree.map(lambda w, g: w - 1e-4 * g, w, g), loss


def make_step(weights, batches):
    w = jax.tree.map(jnp.asarray, weights)
    rows = [(jnp.asarray(batch["x"]), jnp.asarray(batch["y"])) for batch in batches]

    def step(i):
        nonlocal w
        w, loss = update(w, *rows[i])
        return loss

    return step

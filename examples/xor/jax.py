# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in JAX, for `gradc bench examples/xor/model.grad`: the whole step is one compiled function.
import functools

import jax
import jax.numpy as jnp


def loss_of(w, x, y):
    h = jnp.tanh(x @ w["net.linear_1.weight"] + w["net.linear_1.bias"])
    z = (h @ w["net.linear_2.weight"] + w["net.linear_2.bias"])[:, 0]
    return jnp.mean(jax.nn.softplus(z) - y * z)


@functools.partial(jax.jit, donate_argnums=0)
def update(state, x, y, rate=0.05, beta1=0.9, beta2=0.999):
    w, m, v, t = state
    loss, g = jax.value_and_grad(loss_of)(w, x, y)
    t = t + 1
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, g)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, g)
    scale = rate / (1 - beta1**t)
    w = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v / (1 - beta2**t)) + 1e-8), w, m, v)
    return (w, m, v, t), loss


def make_step(weights, batches):
    w = jax.tree.map(jnp.asarray, weights)
    state = (w, jax.tree.map(jnp.zeros_like, w), jax.tree.map(jnp.zeros_like, w), jnp.float32(0))
    rows = [(jnp.asarray(batch["x"]), jnp.asarray(batch["y"])) for batch in batches]

    def step(i):
        nonlocal state
        state, loss = update(state, *rows[i])
        return loss

    return step

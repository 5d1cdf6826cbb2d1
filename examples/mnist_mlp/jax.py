# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The same training in JAX, for `gradc bench examples/mnist_mlp/model.grad`: the whole
# step is one compiled function. The rate is the cosine's peak: ten steps of a long run.
import functools

import jax
import jax.numpy as jnp


def loss_of(w, x, label):
    for layer in ("mlp.linear_1", "mlp.linear_2"):
        x = jax.nn.relu(x @ w[layer + ".weight"] + w[layer + ".bias"])
    scores = x @ w["mlp.linear_3.weight"] + w["mlp.linear_3.bias"]
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), label[:, None], axis=1)
    return -jnp.mean(chosen)


@functools.partial(jax.jit, donate_argnums=0)
def update(state, x, label, rate=1e-3, beta1=0.9, beta2=0.999):
    w, m, v, t = state
    loss, g = jax.value_and_grad(loss_of)(w, x, label)
    t = t + 1
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, g)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, g)
    scale = rate / (1 - beta1**t)
    w = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v / (1 - beta2**t)) + 1e-8), w, m, v)
    return (w, m, v, t), loss


def make_step(weights, batches):
    w = jax.tree.map(jnp.asarray, weights)
    state = (w, jax.tree.map(jnp.zeros_like, w), jax.tree.map(jnp.zeros_like, w), jnp.float32(0))
    rows = [
        (jnp.asarray(batch["image"].reshape(-1, 784), jnp.float32) / 255, jnp.asarray(batch["label"]))
        for batch in batches
    ]

    def step(i):
        nonlocal state
        state, loss = update(state, *rows[i])
        return loss

    return step

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The schedules of dsl/std as functions (step, progress) -> learning rate, by PyTorch or transcribed. record.py writes
their values."""
import math

import torch


def cosine(at, peak, last=0.0, warmup=0.0):
    if at < warmup:
        return peak * at / warmup
    return last + (peak - last) * (1 + math.cos(math.pi * (at - warmup) / (1 - warmup))) / 2


def polynomial(at, peak, last=0.0, power=2.0, warmup=0.0):
    if at < warmup:
        return peak * at / warmup
    return last + (peak - last) * (1 - (at - warmup) / (1 - warmup)) ** power


def exponential(at, peak, last=1e-5, warmup=0.0):
    if at < warmup:
        return peak * at / warmup
    return peak * (last / peak) ** ((at - warmup) / (1 - warmup))


def step_rate(at, peak, every=0.25, factor=0.1):
    """Counts the parts that ended before `at`; the end of a part belongs to the part."""
    return peak * factor ** (math.ceil(round(at / every, 9)) - 1)


def one_cycle(at, steps, peak, rise, **settings):
    """PyTorch's scheduler over steps + 1 rates; rate i is the one at progress i / steps. Its rise ends at rate
    pct_start * total_steps - 1."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1)
    start = (rise * steps + 1) / (steps + 1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, total_steps=steps + 1, pct_start=start, cycle_momentum=False, **settings
    )
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates[round(at * steps)]


SCHEDULES = [
    ("constant(rate: 0.25)", lambda step, at: 0.25),
    ("cosine(peak: 0.5)", lambda step, at: cosine(at, 0.5)),
    ("cosine(step / steps, peak: 0.5, end: 0.1, warmup: 0.35)", lambda step, at: cosine(at, 0.5, 0.1, 0.35)),
    ("polynomial(step / steps, peak: 0.5)", lambda step, at: polynomial(at, 0.5)),
    (
        "polynomial(step / steps, peak: 0.5, end: 0.1, power: 3, warmup: 0.2)",
        lambda step, at: polynomial(at, 0.5, 0.1, 3, 0.2),
    ),
    ("linear_schedule(step / steps, peak: 0.5, end: 0.1, warmup: 0.25)", lambda step, at: polynomial(at, 0.5, 0.1, 1, 0.25)),
    ("exponential(step / steps, peak: 0.5)", lambda step, at: exponential(at, 0.5)),
    (
        "exponential(step / steps, peak: 0.5, end: 0.001, warmup: 0.3)",
        lambda step, at: exponential(at, 0.5, 0.001, 0.3),
    ),
    ("step(step / steps, peak: 0.5)", lambda step, at: step_rate(at, 0.5)),
    ("step(step / steps, peak: 0.5, step_size: 0.2, gamma: 0.5)", lambda step, at: step_rate(at, 0.5, 0.2, 0.5)),
    ("one_cycle(peak: 0.5)", lambda step, at: one_cycle(at, 10, 0.5, 0.3)),
    (
        "one_cycle(step / steps, peak: 0.5, pct_start: 0.5, div_factor: 10, final_div_factor: 100)",
        lambda step, at: one_cycle(at, 10, 0.5, 0.5, div_factor=10, final_div_factor=100),
    ),
    ("inverse_sqrt(peak: 0.5, warmup: 4)", lambda step, at: 0.5 * min(step / 4, math.sqrt(4 / step))),
]

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs one peer of `gradc bench`: a file beside the model with
#
#     def make_step(weights, batches):   # numpy arrays: {"net.w": ..}, [{"x": .., "y": ..}, ..]
#         return step                    # step(number of a batch) trains on it and returns the loss before the update
#
# Answers the lines of runtime/commands/turns.h on standard input and output. Output of the peer goes to standard error.
import importlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import time

TOGETHER = 200e-6  # seconds of steps behind each other that are timed as one: engines that run ahead may do so


def tell(*words):
    print(*words, file=answers, flush=True)


def load(peer):
    spec = importlib.util.spec_from_file_location("peer", peer)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arrays(folder):
    import numpy

    return {name[:-4]: numpy.load(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


def installed_bytes(package, seen):
    """Of an installed package and of all that it needs, extras left out."""
    name = re.sub(r"[-_.]+", "-", package).lower()
    if name in seen:
        return 0
    seen.add(name)
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return 0
    total = 0
    for file in found.files or []:
        try:
            total += os.path.getsize(file.locate())
        except OSError:
            pass
    for needed in found.requires or []:
        if "extra ==" not in needed:
            total += installed_bytes(re.match(r"[\w.-]+", needed).group(), seen)
    return total


def timed(step, seconds):
    begin = time.perf_counter()
    float(step(0))
    once = max(1e-9, time.perf_counter() - begin)
    together = max(1, int(TOGETHER / once))
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(together):
            loss = step(0)
        float(loss)
        times.append((time.perf_counter() - begin) / together)
    times.sort()
    return times[0], times[len(times) // 2], len(times) * together


def converse(make_step, folder):
    step = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "losses":
            weights, columns = arrays(os.path.join(folder, "weights")), arrays(os.path.join(folder, "rows"))
            batches = [{name: column[i] for name, column in columns.items()} for i in range(int(words[1]))]
            begin = time.perf_counter()
            step = make_step(weights, batches)
            losses = [float(step(0))]
            first = time.perf_counter() - begin
            tell("losses", repr(first), *losses, *(float(step(i)) for i in range(1, len(batches))))
        elif words[0] == "round":
            tell("round", *timed(step, float(words[1])))
        elif words[0] == "size":
            tell("size", installed_bytes(engine, set()))
        else:
            break


engine, peer_file, shared_folder = sys.argv[1:]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
try:
    importlib.import_module("numpy")
    importlib.import_module(engine)
except ImportError as error:
    tell("missing", error.name or engine)
    sys.exit(0)
peer = load(peer_file)
tell("ready", getattr(sys.modules[engine], "__version__", ""))
converse(peer.make_step, shared_folder)

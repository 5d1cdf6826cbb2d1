# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Loads a trained char_gpt into GPT2LMHeadModel of Hugging Face's transformers, and prints the loss of the test rows.
#   python huggingface.py char_gpt.safetensors tinyshakespeare/input.txt
import sys

import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

weights = load_file(sys.argv[1])
text = open(sys.argv[2], encoding="utf-8").read()
alphabet = {character: i for i, character in enumerate(sorted(set(text)))}
tokens = torch.tensor([alphabet[character] for character in text])

T, stride = 64, 16
model = GPT2LMHeadModel(GPT2Config(
    vocab_size=len(alphabet), n_positions=T, n_embd=128, n_layer=4, n_head=4, activation_function="gelu"))
names = model.load_state_dict(weights, strict=False)
assert set(names.missing_keys) <= {"lm_head.weight"}, names.missing_keys # the same tensor as wte
model.tie_weights()
model.eval()

starts = range(0, len(tokens) - T, stride)
starts = [s for s in starts if s >= starts[int(0.9 * len(starts)) - 1] + T + 1] # none crosses the split
loss = 0.0
with torch.no_grad():
    for first in range(0, len(starts), 64):
        rows = torch.stack([tokens[s:s + T + 1] for s in starts[first:first + 64]])
        scores = model(rows[:, :-1]).logits
        loss += torch.nn.functional.cross_entropy(
            scores.reshape(-1, len(alphabet)), rows[:, 1:].reshape(-1), reduction="sum").double().item()
print(f"{len(starts)} rows, test loss {loss / (len(starts) * T):.4f}")

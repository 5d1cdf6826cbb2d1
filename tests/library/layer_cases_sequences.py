# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of record_layers.py: recurrent layers and attention. Without a module of PyTorch it is the paper's formula."""
import math

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

sequence = {"x": (3, 4, 2)}
words = {"x": (3, 4, 4)}
some = {"m": torch.tensor([[1.0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]])}  # the second row has no key
lengths = {"l": torch.tensor([[2.0], [4.0], [1.0]])}


def module(kind, *arguments, lengths=False, **settings):
    """A recurrent module of PyTorch on x and perhaps lengths and states; parameters in its order, inputs first."""
    def function(x, *rest):
        layer = kind(x.shape[-1], *arguments, batch_first=True, **settings)
        rest = list(rest)
        count = rest.pop(0)[:, 0].long() if lengths else None
        names = [name for name, _ in layer.named_parameters()]
        states = [state.movedim(1, 0) for state in rest[:len(rest) - len(names)]]
        values = {name: w.T if w.dim() == 2 else w for name, w in zip(names, rest[len(states):])}
        given = x if count is None else pack_padded_sequence(x, count, batch_first=True, enforce_sorted=False)
        state = () if not states else (states[0],) if len(states) == 1 else (tuple(states),)
        y = functional_call(layer, values, (given, *state))[0]
        return y if count is None else pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0]
    return function


def cell(kind, **settings):
    def function(x, *rest):
        layer = kind(x.shape[-1], rest[0].shape[-1], **settings)
        names = [name for name, _ in layer.named_parameters()]
        states = rest[:len(rest) - len(names)]
        values = {name: w.T if w.dim() == 2 else w for name, w in zip(names, rest[len(states):])}
        y = functional_call(layer, values, (x, states[0] if len(states) == 1 else tuple(states)))
        return y if torch.is_tensor(y) else torch.cat(y, -1)
    return function


def norm_shapes(path, *sizes):
    return {f"{path}.layer_norm_{i}.{name}": (size,) for i, size in enumerate(sizes, 1) for name in ("weight", "bias")}


def gates(path, inputs, units, count, *suffixes, bias=True):
    """Names and shapes of the weights of one layer for each of `inputs`."""
    result = {}
    for number, size in enumerate(inputs, 1) if suffixes == () else [(None, inputs[0])]:
        end = "" if number is None else f"_{number}"
        result |= {f"{path}.weight_ih{end}": (size, count * units), f"{path}.weight_hh{end}": (units, count * units)}
        if bias:
            result |= {f"{path}.bias_ih{end}": (count * units,), f"{path}.bias_hh{end}": (count * units,)}
    return result


def steps(x, step, *states):
    """h of all positions, from the paper's formula of one."""
    result = []
    for t in range(x.shape[1]):
        states = step(x[:, t], *states)
        result.append(states[0])
    return torch.stack(result, 1)


def norm(x, weight, bias):
    return F.layer_norm(x, x.shape[-1:], weight, bias)


def normed_lstm(x, w, u, g1, b1, g2, b2, g3, b3):  # Ba and others, 2016, equations 20 to 22
    def step(x, h, c):
        i, f, g, o = (norm(x @ w, g1, b1) + norm(h @ u, g2, b2)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * norm(c, g3, b3).tanh(), c
    zero = torch.zeros(x.shape[0], u.shape[0])
    return steps(x, step, zero, zero)


def normed_gru(x, w, u, g1, b1, g2, b2, g3, b3, g4, b4):  # Ba and others, 2016, equations 23 to 26
    k = 2 * u.shape[0]
    def step(x, h):
        r, z = (norm(x @ w[:, :k], g1, b1) + norm(h @ u[:, :k], g3, b3)).sigmoid().chunk(2, -1)
        n = (norm(x @ w[:, k:], g2, b2) + r * norm(h @ u[:, k:], g4, b4)).tanh()
        return ((1 - z) * n + z * h,)
    return steps(x, step, torch.zeros(x.shape[0], u.shape[0]))


def minimal_gated_unit(x, w, u, v, b):  # Zhou and others, 2016, equations 9
    k = u.shape[0]
    def step(x, h):
        f = (x @ w[:, :k] + h @ u + b[:k]).sigmoid()
        return ((1 - f) * h + f * ((f * h) @ v + x @ w[:, k:] + b[k:]).tanh(),)
    return steps(x, step, torch.zeros(x.shape[0], k))


def attend(heads, causal=False):
    def function(x, *rest):
        *mask, w, b, o, c = rest
        layer = nn.MultiheadAttention(x.shape[-1], heads, batch_first=True)
        values = {"in_proj_weight": w.T, "in_proj_bias": b, "out_proj.weight": o.T, "out_proj.bias": c}
        return functional_call(layer, values, (x, x, x), hidden(causal, x.shape[1], "attn_mask") |
                               padding("key_padding_mask", *mask) | {"need_weights": False})[0]
    return function


def attend_to(heads):
    def function(x, k, v, *rest):
        *mask, wq, bq, wk, bk, wv, bv, o, c = rest
        layer = nn.MultiheadAttention(x.shape[-1], heads, kdim=k.shape[-1], vdim=v.shape[-1], batch_first=True)
        values = {"q_proj_weight": wq.T, "k_proj_weight": wk.T, "v_proj_weight": wv.T, "out_proj.weight": o.T,
                  "in_proj_bias": torch.cat((bq, bk, bv)), "out_proj.bias": c}
        return functional_call(layer, values, (x, k, v), padding("key_padding_mask", *mask) |
                               {"need_weights": False})[0]
    return function


def hidden(causal, size, name):
    return {name: torch.ones(size, size).triu(1) > 0} if causal else {}


def padding(name, *mask):
    return {name: mask[0] <= 0} if mask else {}


def heads_first(function):  # [N, T, H, D] as [N, H, T, D]
    return lambda *tensors: function(*(x.movedim(2, 1) for x in tensors)).movedim(1, 2)


def distance(queries, keys):
    return torch.arange(queries)[:, None] - torch.arange(keys)


def slopes(heads):  # get_slopes of github.com/ofirpress/attention_with_linear_biases
    def power_of_two(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start ** i for i in range(n)]
    if math.log2(heads).is_integer():
        return power_of_two(heads)
    closest = 2 ** math.floor(math.log2(heads))
    return power_of_two(closest) + power_of_two(2 * closest)[0::2][:heads - closest]


def alibi(q, k, v):
    bias = -torch.tensor(slopes(q.shape[1]))[:, None, None] * distance(q.shape[2], k.shape[2]).abs()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def windowed(size, causal):
    def function(q, k, v):
        d = distance(q.shape[2], k.shape[2])
        seen = (d < size) & (d >= 0 if causal else -d < size)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
    return function


def in_heads(function, heads, kv_heads):
    """A layer of attention around a function of q, k and v."""
    def layer(x, w, b, o, c):
        size = x.shape[-1] // heads
        z = (x @ w + b).unflatten(-1, (heads + 2 * kv_heads, size))
        return heads_first(function)(*z.split((heads, kv_heads, kv_heads), 2)).flatten(2) @ o + c
    return layer


def rotate_half(x):  # as in modeling_llama.py of Hugging Face; [N, H, T, D]
    size = x.shape[-1]
    angles = torch.arange(x.shape[-2])[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size)
    a, b = x.chunk(2, -1)
    return x * torch.cat((angles, angles), -1).cos() + torch.cat((-b, a), -1) * torch.cat((angles, angles), -1).sin()


def rotate_complex(x):  # as in model.py of Meta's llama; [N, H, T, D]
    size = x.shape[-1]
    angles = torch.arange(x.shape[-2])[:, None] * 500.0 ** (-torch.arange(0, size, 2) / size)
    turned = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(-2)


def rotary(q, k, v):
    return F.scaled_dot_product_attention(rotate_half(q), rotate_half(k), v)


def sinusoidal(x):  # as in the tutorial of PyTorch on transformers
    size = x.shape[-1]
    angles = torch.arange(x.shape[1])[:, None] * torch.exp(torch.arange(0, size, 2) * (-math.log(10000.0) / size))
    table = torch.zeros(x.shape[1:])
    table[:, 0::2] = angles.sin()
    table[:, 1::2] = angles.cos()
    return x + table


def own_attention(theirs, ours, size):
    """PyTorch's name, ours and the shape of each parameter."""
    return [(f"{theirs}.in_proj_weight", f"{ours}.linear_1.weight", (size, 3 * size)),
            (f"{theirs}.in_proj_bias", f"{ours}.linear_1.bias", (3 * size,)),
            (f"{theirs}.out_proj.weight", f"{ours}.linear_2.weight", (size, size)),
            (f"{theirs}.out_proj.bias", f"{ours}.linear_2.bias", (size,))]


def cross_attention(theirs, ours, size):
    return [(f"{theirs}.{'in_proj_' if i < 4 else 'out_proj.'}{kind}", f"{ours}.linear_{i}.{kind}", shape)
            for i in range(1, 5) for kind, shape in (("weight", (size, size)), ("bias", (size,)))]


def maps(ours, size, units):
    return [(f"linear{i}.{kind}", f"{ours}.linear_{i}.{kind}", shape) for i, kind, shape in
            ((1, "weight", (size, units)), (1, "bias", (units,)), (2, "weight", (units, size)), (2, "bias", (size,)))]


def block_norms(ours, size, count):
    return [(f"norm{i}.{kind}", f"{ours}.layer_norm_{i}.{kind}", (size,))
            for i in range(1, count + 1) for kind in ("weight", "bias")]


def block(kind, parameters, inputs, heads, units, masks, **settings):
    """A block of PyTorch; masks: how it calls the arguments behind `inputs`, above 0 where not hidden."""
    def function(*tensors):
        values = {}
        for (name, _, _), w in zip(parameters, tensors[inputs + len(masks):]):
            w = w.T if w.dim() == 2 else w
            values[name] = torch.cat((values[name], w)) if name in values else w
        layer = kind(tensors[0].shape[-1], heads, units, dropout=0.0, batch_first=True, **settings)
        hide = {name: mask <= 0 for name, mask in zip(masks, tensors[inputs:])}
        if inputs == 2:
            hide |= hidden(True, tensors[0].shape[1], "tgt_mask")
        return functional_call(layer, values, tensors[:inputs], hide)
    return function, {ours: shape for _, ours, shape in parameters}


encoder = "transformer_encoder_block_1"
decoder = "transformer_decoder_block_1"
encoder_parts = own_attention("self_attn", f"{encoder}.attention_1", 4) + maps(encoder, 4, 6) + block_norms(encoder, 4, 2)
decoder_parts = (own_attention("self_attn", f"{decoder}.attention_1", 4) +
                 cross_attention("multihead_attn", f"{decoder}.multi_head_attention_1", 4) + maps(decoder, 4, 5) +
                 block_norms(decoder, 4, 3))
post_norm, encoder_shapes = block(nn.TransformerEncoderLayer, encoder_parts, 1, 2, 6, ["src_key_padding_mask"])
pre_norm, _ = block(nn.TransformerEncoderLayer, encoder_parts, 1, 2, 6, [], norm_first=True, activation="gelu")
decoded, decoder_shapes = block(nn.TransformerDecoderLayer, decoder_parts, 2, 2, 5,
                                ["tgt_key_padding_mask", "memory_key_padding_mask"])
pre_decoded, _ = block(nn.TransformerDecoderLayer, decoder_parts, 2, 2, 5, [], norm_first=True)


def attention_shapes(size, heads, kv_heads):
    units = size + 2 * kv_heads * (size // heads)
    return {"attention_1.linear_1.weight": (size, units), "attention_1.linear_1.bias": (units,),
            "attention_1.linear_2.weight": (size, size), "attention_1.linear_2.bias": (size,)}


CASES = [
    ("rnn(x, 3)", module(nn.RNN, 3), sequence | gates("rnn_1", [2], 3, 1)),
    ('rnn(x, 2, layers: 2, bidirectional: true, activation: "relu", mask: sequence_mask(cast(l[:, 0], int), 4))',
     module(nn.RNN, 2, 2, lengths=True, nonlinearity="relu", bidirectional=True),
     sequence | lengths | gates("rnn_1", [2, 2, 4, 4], 2, 1)),
    ("lstm(x, 3)", module(nn.LSTM, 3), sequence | gates("lstm_1", [2], 3, 4)),
    ("lstm(x, 2, layers: 2, bidirectional: true, mask: sequence_mask(cast(l[:, 0], int), 4))",
     module(nn.LSTM, 2, 2, lengths=True, bidirectional=True),
     sequence | lengths | gates("lstm_1", [2, 2, 4, 4], 2, 4)),
    ("lstm(x, 2, h: h, c: c, bias: false)", module(nn.LSTM, 2, bias=False),
     sequence | {"h": (3, 1, 2), "c": (3, 1, 2)} | gates("lstm_1", [2], 2, 4, bias=False)),
    ("lstm(x, 3, norm: true, bias: false)", normed_lstm, sequence | gates("lstm_1", [2], 3, 4, bias=False) |
     norm_shapes("lstm_1", 12, 12, 3)),
    ("gru(x, 3)", module(nn.GRU, 3), sequence | gates("gru_1", [2], 3, 3)),
    ("gru(x, 2, layers: 2, bidirectional: true, mask: sequence_mask(cast(l[:, 0], int), 4))",
     module(nn.GRU, 2, 2, lengths=True, bidirectional=True),
     sequence | lengths | gates("gru_1", [2, 2, 4, 4], 2, 3)),
    ("gru(x, 3, norm: true, bias: false)", normed_gru, sequence | gates("gru_1", [2], 3, 3, bias=False) |
     norm_shapes("gru_1", 6, 3, 6, 3)),
    ("minimal_gated_unit(x, 2)", minimal_gated_unit, sequence |
     {f"minimal_gated_unit_1.{name}_1": shape for name, shape in
      [("weight_ih", (2, 4)), ("weight_hh", (2, 2)), ("weight_nh", (2, 2)), ("bias_ih", (4,))]}),
    ("rnn_cell(x, h)", cell(nn.RNNCell), {"x": (3, 2), "h": (3, 3)} | gates("rnn_cell_1", [2], 3, 1, "")),
    ("h, c = lstm_cell(x, v, w);  y = concat(h, c)", cell(nn.LSTMCell), {"x": (3, 2), "v": (3, 3), "w": (3, 3)} | gates("lstm_cell_1", [2], 3, 4, "")),
    ("gru_cell(x, h)", cell(nn.GRUCell), {"x": (3, 2), "h": (3, 3)} | gates("gru_cell_1", [2], 3, 3, "")),
    ("x * sequence_mask(cast(l[:, 0], int), 4)", lambda x, l: x * (torch.arange(4) < l), {"x": (3, 4)} | lengths),
    ("masked_softmax(x, m > 0)", lambda x, m: torch.ops.aten._safe_softmax(x.masked_fill(m <= 0, -math.inf), -1),
     {"x": (3, 4), "m": torch.tensor([[1.0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]])}),
    ("attention(x, 2)", attend(2), words | attention_shapes(4, 2, 2)),
    ("attention(x, 2, causal: true)", attend(2, True), words | attention_shapes(4, 2, 2)),
    ("attention(x, 1, key_mask: m)", attend(1), words | some | attention_shapes(4, 1, 1)),
    ("attention(x, 2, rotary: true)", in_heads(rotary, 2, 2), {"x": (2, 3, 8)} | attention_shapes(8, 2, 2)),
    ("attention(x, 4, kv_heads: 2, causal: true, window: 2)", in_heads(windowed(2, True), 4, 2),
     {"x": (2, 5, 8)} | attention_shapes(8, 4, 2)),
    ("attention(x, 2, window: 2)", in_heads(windowed(2, False), 2, 2), {"x": (2, 5, 4)} | attention_shapes(4, 2, 2)),
    ("attention(x, 4, alibi: true)", in_heads(alibi, 4, 4), words | attention_shapes(4, 4, 4)),
    ("attention(x, 3, alibi: true)", in_heads(alibi, 3, 3), {"x": (2, 3, 6)} | attention_shapes(6, 3, 3)),
    ("scaled_dot_product_attention(q, k, v, causal: true)",
     heads_first(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)),
     {"q": (2, 3, 4, 2), "k": (2, 5, 2, 2), "v": (2, 5, 2, 3)}),
    ("multi_head_attention(x, k, v, 2, key_mask: m)", attend_to(2),
     {"x": (3, 2, 4), "k": (3, 4, 3), "v": (3, 4, 2)} | some |
     {f"multi_head_attention_1.linear_{i}.{name}": shape for i, size in enumerate((4, 3, 2, 4), 1)
      for name, shape in (("weight", (size, 4)), ("bias", (4,)))}),
    ("rotary_embedding(x)", heads_first(rotate_half), {"x": (2, 3, 2, 4)}),
    ("rotary_embedding(x, base: 500, interleaved: true)", heads_first(rotate_complex), {"x": (2, 3, 2, 4)}),
    ("position_embedding(x)", lambda x, w: x + w, {"x": (2, 3, 4), "position_embedding_1.weight": (3, 4)}),
    ("sinusoidal_position_encoding(x)", sinusoidal, {"x": (2, 3, 4)}),
    ("transformer_encoder_block(x, 2, 6, dropout: 0, key_mask: m)", post_norm, words | some | encoder_shapes),
    ('transformer_encoder_block(x, 2, 6, dropout: 0, norm_first: true, activation: "gelu")', pre_norm,
     words | encoder_shapes),
    ("transformer_decoder_block(x, v, 2, 5, dropout: 0, key_mask: m, memory_mask: k)", decoded,
     {"x": (3, 4, 4), "v": (3, 2, 4)} | some | {"k": torch.tensor([[1.0, 1], [0, 1], [1, 0]])} | decoder_shapes),
    ("transformer_decoder_block(x, v, 2, 5, dropout: 0, norm_first: true)", pre_decoded,
     {"x": (3, 4, 4), "v": (3, 2, 4)} | decoder_shapes),
]

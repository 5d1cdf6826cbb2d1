// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers and the library of the safetensors format read each other's files: data, initial weights and checkpoints.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

/// Fields that are read, computed, and computed of others; generated rows; two splits.
const char* const model = R"(dataset rows {
    row: int < 16 = range(16)
    a: f32[4] = csv("rows.csv", columns: 0..4) / 8
    label: int < 3 = csv("rows.csv", columns: 4)
    b = a + 1
    split train: 0.75, test: 0.25
}
model net(x: f32[N, 4]) -> f32[N, 3] { return linear(tanh(linear(x, 8)), 3) }
train {
    data rows
    batch 4
    epochs 3
    loss cross_entropy(net(a + b), label)
    optimizer adam(learning_rate: 1e-2)
}
)";

/// Lists names, types and shapes, and writes the same tensors anew.
const char* const script = R"(import sys, safetensors
types = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "U8": "uint8", "BOOL": "bool"}
tensors = safetensors.deserialize(open(sys.argv[1], "rb").read())
for name, tensor in sorted(tensors, key=lambda pair: pair[0]): print(name, tensor["dtype"], tensor["shape"])
copies = {name: {"dtype": types[t["dtype"]], "shape": t["shape"], "data": bytes(t["data"])} for name, t in tensors}
if hasattr(safetensors, "TensorSpec"): # from 0.8 on
    import ctypes
    kept = {name: ctypes.create_string_buffer(copy["data"], len(copy["data"])) for name, copy in copies.items()}
    copies = {name: safetensors.TensorSpec(dtype=copy["dtype"], shape=copy["shape"],
              data_ptr=ctypes.addressof(kept[name]), data_len=len(copy["data"])) for name, copy in copies.items()}
open(sys.argv[2], "wb").write(safetensors.serialize(copies))
)";

} // namespace

TEST_CASE("the safetensors library and trainers read each other's files", "[safetensors]") {
    if (run("python3 -c 'import safetensors'").code != 0) return skip("the safetensors library of python3");
    Scratch scratch;
    std::string rows;
    for (int i = 0; i < 16; ++i)
        rows += "1,2," + std::to_string(i) + "," + std::to_string(i * i % 5) + "," + std::to_string(i % 3) + "\n";
    scratch.write("rows.csv", rows);
    scratch.write("m.grad", model);
    scratch.write("copy.py", script);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    Outcome built = run(quoted(gradc) + " build m.grad -o trainer", launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    REQUIRE(run("./trainer export --output e.safetensors && ./trainer train --quiet --checkpoint w.safetensors", launch)
                .code == 0);
    Outcome exported = run("python3 copy.py e.safetensors copy.safetensors", launch);
    INFO(exported.err);
    REQUIRE(exported.code == 0);
    CHECK(contains(exported.out, "net.linear_1.weight F32 [4, 8]\n"));
    CHECK(contains(exported.out, "test.b F32 [4, 4]\n"));
    CHECK(contains(exported.out, "train.a F32 [12, 4]\n"));
    CHECK(contains(exported.out, "train.label I32 [12]\n"));
    Outcome copied = run("python3 copy.py w.safetensors copy.safetensors", launch);
    INFO(copied.err);
    REQUIRE(copied.code == 0);
    std::string expected = run("./trainer eval --checkpoint w.safetensors", launch).out;
    Outcome evaluated = run("./trainer eval --checkpoint copy.safetensors", launch);
    INFO(evaluated.err);
    CHECK(evaluated.code == 0);
    CHECK(evaluated.out == expected);
}

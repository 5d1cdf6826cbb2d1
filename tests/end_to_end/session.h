// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shared parts of the tests of this folder: the places of compiler and tree, a small model, functions that read output.
#pragma once
#include "tests/end_to_end/process.h"
#include <string>

namespace end_to_end {

/// Reports that a test could not run, and which data were missing.
void skip(const std::string& what);

inline const std::string gradc = GRADC_BINARY;
inline const std::string tree = GRADC_SOURCE_DIR;

/// A model with its own sixteen rows, trained in a blink; the loss falls.
inline const char* const small_model = R"(dataset rows {
    row: int < 16 = range(16)
    x: f32[4] = uniform(-1, 1, shape: [4])
    y = sum(x)
}
model net(x: f32[N, 4]) -> f32[N] { return linear(tanh(linear(x, 8)), 1)[:, 0] }
train {
    data rows
    batch 4
    epochs 3
    loss mse(net(x), y)
    optimizer adam(learning_rate: 1e-2)
}
)";

/// gradc in a scratch folder.
inline Outcome call(const Scratch& scratch, const std::string& arguments) {
    return run(quoted(gradc) + " " + arguments, {.folder = scratch.path().string(), .limit = 120});
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// `text` with every `from` turned into `to`: models that differ in a word or a number.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
}

/// The value after `"key":` in a JSON text, without quotes: the last one if there are several; "" if none.
inline std::string json_value(const std::string& json, const std::string& key) {
    size_t at = json.rfind("\"" + key + "\"");
    if (at == json.npos) return {};
    at = json.find_first_not_of(": \t\n", at + key.size() + 2);
    if (at == json.npos) return {};
    bool text = json[at] == '"';
    size_t end = text ? json.find('"', at + 1) : json.find_first_of(",}] \n", at);
    return json.substr(at + text, end - at - text);
}

} // namespace end_to_end

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors as text for a terminal: [1, 2, 3] and aligned rows out, nested lists in.
#pragma once
#include "compiler/graph/evaluate.h"
#include <optional>
#include <string>

namespace gradc {

/// One number, at most 10 digits.
std::string number_text(double value);

/// `head = ` and the tensor, with a newline at the end. A number or a vector follows on the same line; a matrix follows
/// below, as aligned rows (with more axes, rows of the last one). No line is wider than 80; .. stands for entries that
/// do not fit.
std::string tensor_text(const std::string& head, const Tensor& tensor);

/// The tensor of `3`, `[1, 2]` or `[[1, 2], [3, 4]]`; nothing if the text is invalid or its rows differ in length.
std::optional<Tensor> read_tensor(const std::string& text);

} // namespace gradc

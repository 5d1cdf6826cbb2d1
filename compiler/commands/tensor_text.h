// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors as a reader of a terminal meets them: [1, 2, 3] and rows in columns out, nested lists in.
#pragma once
#include "compiler/graph/evaluate.h"
#include <optional>
#include <string>

namespace gradc {

/// One number, at most 10 digits.
std::string number_text(double value);

/// `head = ` and the tensor: a number or a vector beside it, a matrix below it as rows in columns (of more axes, rows
/// of the last one). No line is wider than 80; what does not fit is left out, with .. in its place. Ends in a newline.
std::string tensor_text(const std::string& head, const Tensor& tensor);

/// The tensor that `3`, `[1, 2]` or `[[1, 2], [3, 4]]` means; nothing if the text is none or its rows differ in length.
std::optional<Tensor> read_tensor(const std::string& text);

} // namespace gradc

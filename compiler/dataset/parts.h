// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields that one reader fills: label: u8 < 10, image: u8[3, 32, 32] = raw("f.bin"). Each row of the file has a part for
// each field, in their order. The fields' types determine where a part lies and what it means.
#pragma once
#include "compiler/dataset/reader.h"

namespace gradc {

/// Completes the readers of the fields, which are equal copies at first. False after an error.
bool lay_out_parts(Elaborator& elaborator, Scope& scope, const std::vector<ast::FieldName>& names,
                   std::vector<ReaderCall>& parts);

} // namespace gradc

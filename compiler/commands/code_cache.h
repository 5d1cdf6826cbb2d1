// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The machine code of a model's last builds as one file of the cache (trainer_cache.h), so that an edited model is
// compiled only where it changed.
#pragma once
#include "compiler/target/compile.h"
#include <string>

namespace gradc {

/// Bytes of object files that a file keeps at most: those of the last build first, then older ones.
inline constexpr size_t most_code_bytes = size_t(16) << 20;
/// A module with less code is compiled again in a blink, and is not kept.
inline constexpr size_t least_code_bytes = size_t(128) << 10;

/// The content of the file, "" if there is too little to keep: units that were used, then known ones, up to the limit.
std::string code_text(const target::CodeCache& cache);
/// Units as `code_text` wrote them; none if the text is damaged.
target::CodeCache::Units read_code(const std::string& text);

} // namespace gradc

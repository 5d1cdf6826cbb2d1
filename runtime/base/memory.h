// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The memory that this process may still take. Data that cannot fit are an error that names their file, before anything
// is allocated; an allocation that fails later ends the program without that name.
#pragma once
#include "runtime/base/error.h"

namespace gradc::runtime {

/// Bytes: the minimum of the limits of the machine, the control group and the process.
int64_t available_memory();

/// False, with an error that names the file, if `bytes` more certainly do not fit.
bool fits_memory(const std::string& path, uint64_t bytes, Error& error);

} // namespace gradc::runtime

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much memory this process may still take, so that data which cannot fit are refused with their file's name before
// anything is taken: an allocation that fails late ends the program without it.
#pragma once
#include "runtime/base/error.h"

namespace gradc::runtime {

/// Bytes: the least of what the machine, the control group and the process's own limits leave.
int64_t available_memory();

/// False, with a fault that names the file, if `bytes` more are certain not to fit.
bool fits_memory(const std::string& path, uint64_t bytes, Error& error);

} // namespace gradc::runtime

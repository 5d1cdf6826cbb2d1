// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The number of threads that this process can keep busy.
#pragma once
#include <string>

namespace gradc::runtime {

/// The limit by affinity and control groups.
int available_threads();

/// Processors by the quotas of this process's control groups (versions 1 and 2), rounded up; 1 << 20 if there is no
/// quota. `root` precedes /proc and /sys.
int control_group_limit(const std::string& root);

} // namespace gradc::runtime

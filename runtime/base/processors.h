// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How many threads this process may keep busy.
#pragma once
#include <string>

namespace gradc::runtime {

/// What affinity and the control group leave to this process.
int available_threads();

/// Processors that the quotas of this process's control groups leave, rounded up; 1 << 20: no quota.
/// Versions 1 and 2; `root` stands before /proc and /sys.
int control_group_limit(const std::string& root);

} // namespace gradc::runtime

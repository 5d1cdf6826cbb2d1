// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// lld as a library, in a child process for each link: it keeps its state in globals. Objects enter
// through anonymous memory; a file appears at its path whole, by a rename, or not at all.
#pragma once
#include <string>
#include <vector>

namespace gradc::target {

/// One relocatable object of several. Throws InternalError when lld refuses.
std::string join_objects(const std::vector<std::string>& objects);

/// The prelinked runtime beside this program's own binary; "" if there is none.
std::string find_runtime();

} // namespace gradc::target

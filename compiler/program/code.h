// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel's code: statements of its own, or those of the kernel whose function it shares, with other buffers and
// random streams. Walks over statements that several stages need.
#pragma once
#include "compiler/program/program.h"

namespace gradc::loop {

/// Calls visit(node) for each statement, those inside loops and branches after the loop or branch itself.
template <class Visit> void for_each_statement(const Body& body, const Visit& visit) {
    for (const Statement& statement : body) {
        std::visit(visit, statement.node);
        if (auto* loop = std::get_if<Loop>(&statement.node)) for_each_statement(loop->body, visit);
        if (auto* branch = std::get_if<If>(&statement.node)) {
            for_each_statement(branch->then, visit);
            for_each_statement(branch->otherwise, visit);
        }
    }
}

/// Statements in all, comments aside.
int64_t count_statements(const Body& body);

/// Buffers that the statements name, each once, in order of appearance.
std::vector<BufferId> buffers_in(const Body& body);
/// The same of a kernel that may have no statements of its own: in the order of its function's.
std::vector<BufferId> buffers_of(const Kernel& kernel);

/// The kernel whose statements this one's function has: itself or `same_as`, which has statements of its own.
const Kernel& function_of(const Module& module, Isa isa, const Kernel& kernel);
/// The kernel with statements of its own.
Kernel expanded(const Module& module, Isa isa, const Kernel& kernel);

/// For a function that takes arguments, as in gradc_kernel: the offset of each buffer of `buffers_of` in units of 64
/// bytes (0 where it is local), then the halves of the streams.
std::vector<int64_t> arguments_of(const Module& module, const Kernel& kernel);

/// The number that an Operation::stream defines.
int32_t stream_half(const Kernel& kernel, const Define& define);

/// True if the buffers have bytes in common.
bool overlap(const Buffer& a, const Buffer& b);

} // namespace gradc::loop

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Buffers are matched by their order of appearance in the statements.
#include "compiler/program/code.h"
#include "compiler/util/check.h"
#include <map>
#include <set>

namespace gradc::loop {

namespace {

constexpr int64_t alignment = 64; // bytes, of every buffer

/// The buffer that a statement names; null where it names none.
template <class Node> auto* buffer_of(Node& node) {
    if constexpr (requires { node.buffer; }) return &node.buffer;
    else return static_cast<BufferId*>(nullptr);
}

void replace_buffers(Body& body, const std::map<BufferId, BufferId>& by) {
    auto replace = [&](auto& node) {
        if (auto* buffer = buffer_of(node)) *buffer = by.at(*buffer);
    };
    for (Statement& statement : body) {
        std::visit(replace, statement.node);
        if (auto* loop = std::get_if<Loop>(&statement.node)) replace_buffers(loop->body, by);
        if (auto* branch = std::get_if<If>(&statement.node)) {
            replace_buffers(branch->then, by);
            replace_buffers(branch->otherwise, by);
        }
    }
}

} // namespace

int64_t count_statements(const Body& body) {
    int64_t count = 0;
    for_each_statement(body, [&](const auto& node) { count += !std::is_same_v<decltype(node), const Comment&>; });
    return count;
}

std::vector<BufferId> buffers_in(const Body& body) {
    std::vector<BufferId> found;
    std::set<BufferId> seen;
    for_each_statement(body, [&](const auto& node) {
        if (auto* buffer = buffer_of(node); buffer && seen.insert(*buffer).second) found.push_back(*buffer);
    });
    return found;
}

std::vector<BufferId> buffers_of(const Kernel& kernel) {
    return kernel.same_as ? kernel.buffers : buffers_in(kernel.body);
}

const Kernel& function_of(const Module& module, Isa isa, const Kernel& kernel) {
    if (!kernel.same_as) return kernel;
    return module.programs[size_t(kernel.same_as->program)][size_t(isa)]->kernels[size_t(kernel.same_as->kernel)];
}

Kernel expanded(const Module& module, Isa isa, const Kernel& kernel) {
    Kernel result = kernel;
    if (!kernel.same_as) return result;
    const Kernel& function = function_of(module, isa, kernel);
    std::vector<BufferId> there = buffers_in(function.body);
    check(there.size() == kernel.buffers.size(), "lower", "kernels of one function differ in their buffers");
    std::map<BufferId, BufferId> by;
    for (size_t i = 0; i < there.size(); ++i) by[there[i]] = kernel.buffers[i];
    result.types = function.types;
    result.names = function.names;
    result.calls = function.calls;
    result.body = function.body;
    replace_buffers(result.body, by);
    result.same_as.reset();
    result.buffers.clear();
    return result;
}

std::vector<int64_t> arguments_of(const Module& module, const Kernel& kernel) {
    std::vector<int64_t> result;
    for (BufferId id : buffers_of(kernel)) {
        const Buffer& buffer = module.buffers[id];
        result.push_back(buffer.role == Buffer::Role::local ? 0 : buffer.offset / alignment);
    }
    for (uint64_t stream : kernel.streams)
        for (uint64_t half : {stream & UINT32_MAX, stream >> 32}) result.push_back(int64_t(half));
    return result;
}

int32_t stream_half(const Kernel& kernel, const Define& define) {
    uint64_t stream = kernel.streams[size_t(define.integer / 2)];
    return int32_t(uint32_t(define.integer % 2 ? stream >> 32 : stream));
}

bool overlap(const Buffer& a, const Buffer& b) { return a.offset < b.offset + b.size && b.offset < a.offset + a.size; }

} // namespace gradc::loop

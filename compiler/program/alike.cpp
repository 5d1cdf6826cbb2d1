// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel's text without names is its key; in it, a buffer is its number in order of appearance and where it lies.
#include "compiler/program/alike.h"
#include "compiler/program/print.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace gradc::loop {

namespace {

class Key {
public:
    explicit Key(const Module& module) : module_(module) { places_.buffers.resize(module.buffers.size()); }

    std::string of(Kernel kernel) {
        kernel.name.clear();
        kernel.names.clear();
        kernel.comments.clear();
        kernel.extent = {};
        kernel.grain = 0;
        seen_.clear();
        looked_at_.clear();
        prepare(kernel.body);
        return print(places_, kernel) + looked_at_;
    }

private:
    /// Names the buffers, drops the lines for people, and notes what the text does not tell.
    void prepare(Body& body) {
        std::erase_if(body, [](const Statement& one) { return std::holds_alternative<Comment>(one.node); });
        for (Statement& statement : body) {
            if (auto* load = std::get_if<Load>(&statement.node)) {
                meet(load->buffer);
                looked_at_ += fmt::format(" {}", load->wanted);
            } else if (auto* store = std::get_if<Store>(&statement.node)) {
                meet(store->buffer);
            } else if (auto* prefetch = std::get_if<Prefetch>(&statement.node)) {
                meet(prefetch->buffer);
            } else if (auto* loop = std::get_if<Loop>(&statement.node)) {
                prepare(loop->body);
            } else if (auto* branch = std::get_if<If>(&statement.node)) {
                prepare(branch->then);
                prepare(branch->otherwise);
            }
        }
    }

    void meet(BufferId id) {
        auto [at, fresh] = seen_.emplace(id, seen_.size());
        if (!fresh) return;
        const Buffer& buffer = module_.buffers[id];
        places_.buffers[id].name =
            fmt::format("{}:{}+{}:{}:{}:{}:{}", at->second, buffer.offset, buffer.size, int(buffer.dtype),
                        int(buffer.role), buffer.panel, fmt::join(buffer.strides, ","));
    }

    const Module& module_;
    Module places_; // buffers by number, with such names
    std::map<BufferId, size_t> seen_;
    std::string looked_at_;
};

/// Statements and values: what kernels with the same code agree in, and most others do not.
using Size = std::pair<size_t, size_t>;

size_t statements(const Body& body) {
    size_t count = 0;
    for (const Statement& statement : body) {
        if (std::holds_alternative<Comment>(statement.node)) continue;
        ++count;
        if (auto* loop = std::get_if<Loop>(&statement.node)) count += statements(loop->body);
        if (auto* branch = std::get_if<If>(&statement.node))
            count += statements(branch->then) + statements(branch->otherwise);
    }
    return count;
}

Size size_of(const Kernel& kernel) { return {statements(kernel.body), kernel.types.size()}; }

} // namespace

void mark_alike(Module& module) {
    Key key(module);
    for (int isa = 0; isa < isa_count; ++isa) {
        std::map<Size, int> sizes;
        for (const auto& versions : module.programs)
            if (const auto& program = versions[size_t(isa)])
                for (const Kernel& kernel : program->kernels) ++sizes[size_of(kernel)];
        std::map<std::string, KernelNumber> first;
        for (size_t p = 0; p < module.programs.size(); ++p) {
            std::optional<Program>& program = module.programs[p][size_t(isa)];
            if (!program) continue;
            for (size_t k = 0; k < program->kernels.size(); ++k) {
                if (sizes[size_of(program->kernels[k])] == 1) continue; // no need of its text
                auto [known, fresh] = first.emplace(key.of(program->kernels[k]), KernelNumber{int(p), int(k)});
                if (!fresh) program->kernels[k].same_as = known->second;
            }
        }
    }
}

} // namespace gradc::loop

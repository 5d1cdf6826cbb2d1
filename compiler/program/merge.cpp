// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The key is written in one walk over the statements.
#include "compiler/program/merge.h"
#include "compiler/program/code.h"
#include "compiler/util/key_bytes.h"
#include <map>

namespace gradc::loop {

namespace {

class KeyWriter {
public:
    KeyWriter(const Module& module, const Kernel& kernel) : module_(module), kernel_(kernel) {}

    std::string run() {
        key_.add(int64_t(kernel_.types.size()));
        for (ValueType type : kernel_.types) key_.add({int64_t(type.dtype), type.lanes});
        write(kernel_.body);
        for (size_t i = 0; i < buffers_.size(); ++i) describe(i);
        return key_.take();
    }

private:
    void describe(size_t at) {
        const Buffer& buffer = module_.buffers[buffers_[at]];
        bool local = buffer.role == Buffer::Role::local;
        key_.add({int64_t(buffer.dtype), local ? buffer.size : -1});
        for (size_t other = 0; other < at; ++other) key_.add(overlap(buffer, module_.buffers[buffers_[other]]));
    }
    void place(BufferId buffer, const Affine& element) {
        auto [known, added] = number_of_.emplace(buffer, number_of_.size());
        if (added) buffers_.push_back(buffer);
        key_.add({int64_t(known->second), element.constant, int64_t(element.terms.size())});
        for (auto [value, coefficient] : element.terms) key_.add({value, coefficient});
    }

    void write(const Body& body) {
        for (const Statement& statement : body) {
            if (std::holds_alternative<Comment>(statement.node)) continue;
            key_.add(int64_t(statement.node.index()));
            std::visit([&](const auto& node) { write(node); }, statement.node);
        }
        key_.add(-1);
    }
    void write(const Define& define) {
        key_.add({define.result, int64_t(define.operation), define.integer});
        key_.add_bits(define.number);
        key_.add_list(define.operands);
    }
    void write(const Load& load) {
        key_.add(load.result);
        place(load.buffer, load.element);
        key_.add({load.stride, load.mask, load.lane_index, load.wanted});
    }
    void write(const Store& store) {
        place(store.buffer, store.element);
        key_.add({store.value, store.stride, store.mask});
    }
    void write(const Prefetch& prefetch) {
        place(prefetch.buffer, prefetch.element);
        key_.add(prefetch.for_write);
    }
    void write(const Comment&) {}
    void write(const Loop& loop) {
        key_.add({loop.index, loop.begin, loop.end, loop.step, int64_t(loop.carried.size())});
        for (const Carried& one : loop.carried) key_.add({one.phi, one.initial, one.next, one.result});
        write(loop.body);
    }
    void write(const If& branch) {
        key_.add(branch.condition);
        write(branch.then);
        write(branch.otherwise);
    }

    const Module& module_;
    const Kernel& kernel_;
    KeyBytes key_;
    std::map<BufferId, size_t> number_of_;
    std::vector<BufferId> buffers_; // in order of appearance
};

/// Kernels come in order, so a function comes before the kernels that are copies of it.
void merge_kernels(Module& module, Isa isa) {
    std::map<std::string, KernelNumber> known;     // by key
    std::map<KernelNumber, KernelNumber> function; // by kernel that was lowered
    for (size_t p = 0; p < module.programs.size(); ++p) {
        std::optional<Program>& program = module.programs[p][size_t(isa)];
        for (size_t k = 0; program && k < program->kernels.size(); ++k) {
            Kernel& kernel = program->kernels[k];
            KernelNumber number{int(p), int(k)};
            if (!kernel.same_as) function[number] = known.emplace(code_key(module, kernel), number).first->second;
            KernelNumber first = function.at(kernel.same_as.value_or(number));
            kernel.takes_arguments = first == number;
            if (first == number) continue;
            Kernel& other = module.programs[size_t(first.program)][size_t(isa)]->kernels[size_t(first.kernel)];
            other.once = other.once && kernel.once;
            kernel.buffers = buffers_of(kernel);
            kernel.same_as = first;
            kernel.types.clear();
            kernel.names.clear();
            kernel.calls.clear();
            kernel.body.clear();
        }
    }
}

} // namespace

std::string code_key(const Module& module, const Kernel& kernel) { return KeyWriter(module, kernel).run(); }

void merge_kernels(Module& module) {
    for (int isa = 0; isa < isa_count; ++isa) merge_kernels(module, Isa(isa));
}

} // namespace gradc::loop

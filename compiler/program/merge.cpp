// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The key is written in one walk over the statements. Keys are compared only where the numbers of statements and
// values agree.
#include "compiler/program/merge.h"
#include "compiler/program/code.h"
#include "compiler/util/key_bytes.h"
#include <algorithm>
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

/// A call reads an address for each buffer, about a nanosecond in all.
constexpr double shortest = 100; // nanoseconds

class Merger {
public:
    Merger(Module& module, Isa isa) : module_(module), isa_(isa) {}

    void run() {
        std::map<Size, int> sizes;
        std::map<KernelNumber, std::vector<KernelNumber>> users; // by function
        for_each([&](KernelNumber number, const Kernel& kernel) {
            users[kernel.same_as.value_or(number)].push_back(number);
            if (!kernel.same_as) ++sizes[size_of(kernel)];
        });
        std::map<std::string, std::vector<KernelNumber>> equal;
        for (auto& [number, kernels] : users) {
            const Kernel& function = at(number);
            if (sizes[size_of(function)] == 1) {
                merge(std::move(kernels));
            } else {
                auto& all = equal[code_key(module_, function)];
                all.insert(all.end(), kernels.begin(), kernels.end());
            }
        }
        for (auto& [key, kernels] : equal) merge(std::move(kernels));
    }

private:
    /// Statements and values: most kernels that differ do so in these.
    using Size = std::pair<int64_t, size_t>;
    static Size size_of(const Kernel& kernel) { return {count_statements(kernel.body), kernel.types.size()}; }

    Kernel& at(KernelNumber number) {
        return module_.programs[size_t(number.program)][size_t(isa_)]->kernels[size_t(number.kernel)];
    }
    template <class Visit> void for_each(const Visit& visit) {
        for (size_t p = 0; p < module_.programs.size(); ++p)
            if (const auto& program = module_.programs[p][size_t(isa_)])
                for (size_t k = 0; k < program->kernels.size(); ++k)
                    visit(KernelNumber{int(p), int(k)}, program->kernels[k]);
    }

    void merge(std::vector<KernelNumber> kernels) {
        std::sort(kernels.begin(), kernels.end());
        std::map<std::vector<int64_t>, std::vector<KernelNumber>> by_arguments;
        for (KernelNumber number : kernels) by_arguments[arguments_of(module_, at(number))].push_back(number);
        Kernel& first = at(kernels[0]);
        if (by_arguments.size() > 1 && first.nanoseconds >= shortest) {
            first.takes_arguments = true;
            return share(kernels);
        }
        for (const auto& [arguments, same] : by_arguments)
            if (Kernel& kernel = at(same[0]); kernel.same_as) kernel = expanded(module_, isa_, kernel);
        for (const auto& [arguments, same] : by_arguments) share(same);
    }
    /// The first one's function runs for all.
    void share(const std::vector<KernelNumber>& kernels) {
        for (size_t i = 1; i < kernels.size(); ++i) {
            Kernel& kernel = at(kernels[i]);
            kernel.buffers = buffers_of(kernel);
            kernel.same_as = kernels[0];
            kernel.types.clear();
            kernel.names.clear();
            kernel.calls.clear();
            kernel.body.clear();
        }
    }

    Module& module_;
    Isa isa_;
};

} // namespace

std::string code_key(const Module& module, const Kernel& kernel) { return KeyWriter(module, kernel).run(); }

void merge_kernels(Module& module) {
    for (int isa = 0; isa < isa_count; ++isa) Merger(module, Isa(isa)).run();
}

} // namespace gradc::loop

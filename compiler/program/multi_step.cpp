// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A step's length is counted in statements of vectors as they run; those of loops whose length only the running program
// knows make it too long.
#include "compiler/program/multi_step.h"
#include "compiler/program/code.h"
#include <algorithm>
#include <map>

namespace gradc::loop {

namespace {

constexpr int64_t longest = 40000;    // statements of a step: about as many instructions, ten microseconds of them
constexpr int64_t most_bytes = 65536; // of buffers: a step's memory is copied in and out of each call

/// Counts what one call on all rows runs.
class Length {
public:
    /// `function` has the statements of `kernel`.
    Length(const Kernel& kernel, const Kernel& function, int64_t rows)
        : kernel_(kernel), function_(function), rows_(rows), known_(function.types.size()) {}

    int64_t run() { return length(function_.body); }

private:
    int64_t length(const Body& body) {
        int64_t sum = 0;
        for (const Statement& statement : body) {
            sum += std::visit([&](const auto& node) { return length(node); }, statement.node);
            if (sum > longest) return longest + 1;
        }
        return sum;
    }
    int64_t length(const Define& define) {
        known_[define.result] = value(define);
        return define.operation != Operation::literal && define.operation != Operation::stream;
    }
    int64_t length(const Load&) { return 1; }
    int64_t length(const Store&) { return 1; }
    int64_t length(const Prefetch&) { return 0; }
    int64_t length(const Comment&) { return 0; }
    int64_t length(const If& branch) { return 1 + length(branch.then) + length(branch.otherwise); }
    int64_t length(const Loop& loop) {
        std::optional<int64_t> begin = known_[loop.begin], end = known_[loop.end];
        if (!begin || !end) return longest + 1;
        int64_t sum = 0;
        for (int64_t at = *begin; at < *end && sum <= longest; at += loop.step) {
            known_[loop.index] = at;
            sum += length(loop.body);
        }
        return sum;
    }

    /// Of integers in the bounds of loops.
    std::optional<int64_t> value(const Define& define) const {
        auto operand = [&](size_t i) { return known_[define.operands[i]]; };
        switch (define.operation) {
        case Operation::literal: return define.integer;
        case Operation::row_count: return rows_;
        case Operation::range_begin: return 0;
        case Operation::range_end: return items(kernel_.extent, rows_);
        default: break;
        }
        if (define.operands.size() != 2 || !operand(0) || !operand(1)) return {};
        int64_t a = *operand(0), b = *operand(1);
        switch (define.operation) {
        case Operation::add: return a + b;
        case Operation::subtract: return a - b;
        case Operation::multiply: return a * b;
        case Operation::quotient: return a / b;
        case Operation::minimum: return std::min(a, b);
        case Operation::maximum: return std::max(a, b);
        default: return {};
        }
    }

    const Kernel &kernel_, &function_;
    int64_t rows_;
    std::vector<std::optional<int64_t>> known_;
};

bool guarded(const Program& program) {
    int depth = 0, guards = 0;
    for (const Step& step : program.table) {
        depth += (step.kind == Step::Kind::loop_begin) - (step.kind == Step::Kind::loop_end);
        if (step.kind != Step::Kind::guard) continue;
        if (depth > 0) return false;
        ++guards;
    }
    return guards == 1 && !program.results.empty();
}

int64_t statements(const Module& module, Isa isa, const Program& program) {
    int64_t sum = 0, iterations = 1;
    std::vector<int64_t> around;
    for (const Step& step : program.table) {
        if (step.kind == Step::Kind::loop_begin) {
            around.push_back(iterations);
            iterations = std::min(longest + 1, iterations * step.iterations);
        } else if (step.kind == Step::Kind::loop_end) {
            iterations = around.back();
            around.pop_back();
        } else if (step.kind == Step::Kind::kernel) {
            const Kernel& kernel = program.kernels[step.kernel];
            sum += iterations * Length(kernel, function_of(module, isa, kernel), module.batch).run();
            if (sum > longest) return sum;
        }
    }
    return sum;
}

bool rows_follow_each_other(const Buffer& buffer) {
    int64_t dense = 1;
    for (size_t axis = buffer.shape.size(); axis-- > 0; dense *= axis ? buffer.shape[axis] : 1)
        if (buffer.strides[axis] != dense) return false;
    return buffer.panel == 0 && !buffer.shape.empty() && buffer.shape[0] == rows;
}

bool worthwhile(const Module& module, Isa isa, const Program& program) {
    if (!guarded(program)) return false;
    Dtype loss = module.buffers[program.results[0].buffer].dtype;
    if (loss != Dtype::f32 && loss != Dtype::f64) return false;
    int64_t bytes = 0;
    for (BufferId id : touched_buffers(program)) {
        const Buffer& buffer = module.buffers[id];
        bytes += buffer.size;
        if (buffer.role != Buffer::Role::field) continue;
        if (!rows_follow_each_other(buffer) || (buffer.name == "#row" && buffer.dtype != Dtype::i32)) return false;
    }
    return bytes <= most_bytes && statements(module, isa, program) <= longest;
}

} // namespace

std::set<BufferId> touched_buffers(const Program& program) {
    std::set<BufferId> touched;
    for (const Kernel& kernel : program.kernels)
        for (BufferId id : buffers_of(kernel)) touched.insert(id);
    return touched;
}

std::vector<MultiStepField> multi_step_fields(const Module& module, const Program& program) {
    std::vector<MultiStepField> fields;
    for (BufferId id : touched_buffers(program)) {
        const Buffer& buffer = module.buffers[id];
        if (buffer.role != Buffer::Role::field) continue;
        fields.push_back({id, buffer.strides[0] * bytes(buffer.dtype), buffer.name == "#row"});
    }
    return fields;
}

void add_multi_step(Module& module, const std::set<std::string>& cleared) {
    for (auto& versions : module.programs) {
        for (int isa = 0; isa < isa_count; ++isa) { // narrower vectors make a step longer
            std::optional<Program>& program = versions[size_t(isa)];
            if (!program || !worthwhile(module, Isa(isa), *program)) continue;
            program->multi_step = MultiStep{module.batch, {}};
            for (BufferId id : touched_buffers(*program))
                if (module.buffers[id].role == Buffer::Role::variable && cleared.count(module.buffers[id].name))
                    program->multi_step->cleared.push_back(id);
        }
    }
}

} // namespace gradc::loop

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks each kernel once; `defined_` contains the values in scope. What an operation requires of its
// operands is a table of rules by group, so that a new operation is one line here.
#include "compiler/program/verify.h"
#include "compiler/program/code.h"
#include "compiler/program/print.h"
#include "compiler/util/check.h"
#include <fmt/format.h>

namespace gradc::loop {
namespace {

bool integer_number(Dtype dtype) { return integer(dtype) && dtype != Dtype::boolean; }
bool arithmetic(Dtype dtype) { return dtype != Dtype::boolean && dtype != Dtype::bf16; }
bool wide_float(Dtype dtype) { return dtype == Dtype::f32 || dtype == Dtype::f64; }
bool power_of_two(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

class KernelVerifier {
public:
    KernelVerifier(const Module& module, const Kernel& kernel) : module_(module), kernel_(kernel) {}

    void run() {
        defined_.assign(kernel_.types.size(), false);
        ever_.assign(kernel_.types.size(), false);
        require(!kernel_.name.empty(), "a kernel has no name");
        require(kernel_.extent.divisor > 0 && kernel_.grain >= 0, "extent or grain make no sense");
        for (ValueType type : kernel_.types) require(type.lanes >= 1, "a value without lanes");
        body(kernel_.body);
    }

private:
    void require(bool holds, const std::string& what) const {
        if (!holds) throw InternalError("lower", fmt::format("kernel {}: {}", kernel_.name, what));
    }
    ValueType type(ValueId id) const {
        require(id < kernel_.types.size(), fmt::format("value {} has no type", id));
        require(defined_[id], fmt::format("value {} is used outside its scope", id));
        return kernel_.types[id];
    }
    void define(ValueId id) {
        require(id < kernel_.types.size(), fmt::format("value {} has no type", id));
        require(!ever_[id], fmt::format("value {} is defined twice", id));
        defined_[id] = ever_[id] = true;
        opened_.push_back(id);
    }
    void close(size_t mark) {
        for (; opened_.size() > mark; opened_.pop_back()) defined_[opened_.back()] = false;
    }
    Dtype memory_dtype(BufferId buffer) const { // bools are bytes, 0 or 1
        Dtype dtype = module_.buffers[buffer].dtype;
        return dtype == Dtype::boolean ? Dtype::u8 : dtype;
    }
    bool is_index(ValueId id) const { return type(id) == ValueType{Dtype::i64, 1}; }

    void body(const Body& statements) {
        size_t mark = opened_.size();
        for (const Statement& statement : statements)
            std::visit([&](const auto& node) { visit(node); }, statement.node);
        close(mark);
    }
    void visit(const Define& define_) {
        std::vector<ValueType> operands;
        for (ValueId operand : define_.operands) operands.push_back(type(operand));
        define(define_.result);
        ValueType result = kernel_.types[define_.result];
        if (!fits(define_, result, operands))
            require(false, fmt::format("value {}: {} does not fit its types", define_.result, name(define_.operation)));
    }
    void place(BufferId buffer, const Affine& element) const {
        require(buffer < module_.buffers.size(), fmt::format("buffer {} does not exist", buffer));
        for (auto [term, coefficient] : element.terms)
            require(is_index(term), fmt::format("value {} is no index", term));
    }
    void mask(ValueId id, int lanes) const {
        if (id != no_value)
            require(type(id) == ValueType{Dtype::boolean, lanes},
                    fmt::format("value {} is no mask of {} lanes", id, lanes));
    }
    void visit(const Load& load) {
        place(load.buffer, load.element);
        define(load.result);
        ValueType result = type(load.result);
        mask(load.mask, result.lanes);
        mask(load.wanted, result.lanes);
        require(result.dtype == memory_dtype(load.buffer),
                fmt::format("value {} is loaded from another element type", load.result));
        if (load.lane_index == no_value) return;
        ValueType index = type(load.lane_index);
        require((index.dtype == Dtype::i32 || index.dtype == Dtype::i64) && index.lanes == result.lanes &&
                    load.stride == 1,
                fmt::format("value {} has a wrong lane index", load.result));
    }
    void visit(const Store& store) {
        place(store.buffer, store.element);
        ValueType value = type(store.value);
        mask(store.mask, value.lanes);
        require(value.dtype == memory_dtype(store.buffer),
                fmt::format("value {} is stored to another element type", store.value));
        require(store.stride != 0 || value.lanes == 1, "a vector is stored with stride 0");
    }
    void visit(const Prefetch& prefetch) { place(prefetch.buffer, prefetch.element); }
    void visit(const Comment&) {}
    void visit(const Loop& loop) {
        require(is_index(loop.begin) && is_index(loop.end), "loop bounds are no indices");
        require(loop.step > 0, "a loop steps backwards");
        size_t mark = opened_.size();
        for (const Carried& carried : loop.carried) type(carried.initial);
        define(loop.index);
        require(is_index(loop.index), "a loop's counter is no index");
        for (const Carried& carried : loop.carried) define(carried.phi);
        for (const Statement& statement : loop.body) std::visit([&](const auto& node) { visit(node); }, statement.node);
        for (const Carried& carried : loop.carried) {
            ValueType phi = type(carried.phi);
            require(type(carried.next) == phi && type(carried.initial) == phi,
                    fmt::format("carried value {} changes its type", carried.phi));
        }
        close(mark);
        for (const Carried& carried : loop.carried) {
            define(carried.result);
            require(type(carried.result) == kernel_.types[carried.phi],
                    fmt::format("loop result {} changes its type", carried.result));
        }
    }
    void visit(const If& branch) {
        mask(branch.condition, 1);
        body(branch.then);
        body(branch.otherwise);
    }

    static bool fits(const Define& define, ValueType result, const std::vector<ValueType>& operands);

    const Module& module_;
    const Kernel& kernel_;
    std::vector<bool> defined_, ever_;
    std::vector<ValueId> opened_;
};

/// `count` operands, all of type `type`.
bool all(const std::vector<ValueType>& operands, size_t count, ValueType type) {
    for (ValueType operand : operands)
        if (!(operand == type)) return false;
    return operands.size() == count;
}

bool fits_leaf(const Define& define, ValueType result, const std::vector<ValueType>& operands) {
    ValueType index{Dtype::i64, 1};
    if (!operands.empty()) return false;
    switch (define.operation) {
    case Operation::literal: return result.dtype != Dtype::bf16;
    case Operation::lane_numbers: return result.dtype == Dtype::i32 || result.dtype == Dtype::i64;
    case Operation::counter: return result == index && define.integer >= 0;
    case Operation::stream: return result == ValueType{Dtype::i32, 1} && define.integer >= 0;
    default: return result == index;
    }
}

bool fits_conversion(Operation operation, ValueType result, ValueType from) {
    if (result.lanes != from.lanes) return false;
    if (operation == Operation::convert) return true;
    bool narrow = from.dtype == Dtype::f32 || from.dtype == Dtype::i32;
    bool to_integer = result.dtype == (narrow ? Dtype::i32 : Dtype::i64);
    bool to_float = result.dtype == (narrow ? Dtype::f32 : Dtype::f64);
    return wide_float(from.dtype) ? to_integer : integer_number(from.dtype) && to_float;
}

bool fits_lanes(const Define& define, ValueType result, const std::vector<ValueType>& operands) {
    ValueType scalar{result.dtype, 1};
    switch (define.operation) {
    case Operation::splat: return all(operands, 1, scalar);
    case Operation::extract:
        return operands.size() == 1 && operands[0].dtype == result.dtype && result.lanes == 1 && define.integer >= 0 &&
               define.integer < operands[0].lanes;
    case Operation::insert_lane:
        return operands.size() == 2 && operands[0] == result && operands[1] == scalar && define.integer >= 0 &&
               define.integer < result.lanes;
    case Operation::lane_mask: return all(operands, 1, {Dtype::i64, 1}) && result.dtype == Dtype::boolean;
    default: // reduce_..
        return operands.size() == 1 && operands[0].dtype == result.dtype && result.lanes == 1 &&
               arithmetic(result.dtype) && power_of_two(operands[0].lanes);
    }
}

bool KernelVerifier::fits(const Define& define, ValueType result, const std::vector<ValueType>& operands) {
    Dtype dtype = result.dtype;
    ValueType mask{Dtype::boolean, result.lanes};
    switch (define.operation) {
    case Operation::literal:
    case Operation::lane_numbers:
    case Operation::row_count:
    case Operation::range_begin:
    case Operation::range_end:
    case Operation::counter:
    case Operation::stream: return fits_leaf(define, result, operands);
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::minimum:
    case Operation::maximum: return all(operands, 2, result) && arithmetic(dtype);
    case Operation::divide: return all(operands, 2, result) && wide_float(dtype);
    case Operation::remainder:
    case Operation::quotient:
    case Operation::shift_left:
    case Operation::shift_right:
    case Operation::shift_right_logical: return all(operands, 2, result) && integer_number(dtype);
    case Operation::multiply_high: return all(operands, 2, result) && dtype == Dtype::i32;
    case Operation::negate:
    case Operation::abs: return all(operands, 1, result) && arithmetic(dtype);
    case Operation::sqrt:
    case Operation::floor: return all(operands, 1, result) && wide_float(dtype);
    case Operation::fma: return all(operands, 3, result) && wide_float(dtype);
    case Operation::less:
    case Operation::less_equal:
    case Operation::equal:
        return result == mask && operands.size() == 2 && all(operands, 2, operands[0]) &&
               operands[0].lanes == result.lanes && operands[0].dtype != Dtype::bf16;
    case Operation::unordered:
        return result == mask && operands.size() == 2 && all(operands, 2, operands[0]) &&
               operands[0].lanes == result.lanes && wide_float(operands[0].dtype);
    case Operation::select:
        return operands.size() == 3 && operands[0].dtype == Dtype::boolean &&
               (operands[0].lanes == result.lanes || operands[0].lanes == 1) && operands[1] == result &&
               operands[2] == result;
    case Operation::bit_and:
    case Operation::bit_or:
    case Operation::bit_xor: return all(operands, 2, result) && integer(dtype);
    case Operation::bit_not: return all(operands, 1, result) && integer(dtype);
    case Operation::convert:
    case Operation::reinterpret: return operands.size() == 1 && fits_conversion(define.operation, result, operands[0]);
    default: return fits_lanes(define, result, operands);
    }
}

void verify_buffers(const Module& module) {
    for (const Buffer& buffer : module.buffers) {
        auto require = [&](bool holds, const char* what) {
            if (!holds) throw InternalError("lower", fmt::format("buffer {}: {}", buffer.name, what));
        };
        require(buffer.offset % 64 == 0, "its offset is no multiple of 64");
        bool inside = buffer.offset >= 0 && buffer.offset + buffer.size <= module.arena_bytes;
        bool local = buffer.role == Buffer::Role::local;
        require(buffer.size >= 0 && (local ? buffer.offset >= module.arena_bytes : inside),
                "it does not lie inside the arena, or is local and does");
        require(buffer.strides.size() == buffer.shape.size(), "strides and shape differ in rank");
        require(buffer.panel == 0 || (buffer.panel > 0 && buffer.shape.size() >= 2), "panels need two axes");
        for (size_t axis = 1; axis < buffer.shape.size(); ++axis)
            require(buffer.shape[axis] >= 0, "N is not its first axis");
        if (buffer.role == Buffer::Role::constant)
            require(int64_t(buffer.values.size()) == count(buffer.shape, module.batch), "values do not fill its shape");
    }
}

void verify_table(const Module& module, const Program& program) {
    auto require = [&](bool holds, const char* what) {
        if (!holds) throw InternalError("lower", fmt::format("program {}: {}", program.name, what));
    };
    int depth = 0;
    for (const Step& step : program.table) {
        if (step.kind == Step::Kind::kernel) require(step.kernel < program.kernels.size(), "its table names no kernel");
        if (step.kind == Step::Kind::loop_begin) require(step.iterations >= 0, "negative iterations"), ++depth;
        if (step.kind == Step::Kind::loop_end) require(--depth >= 0, "a loop ends before it begins");
    }
    require(depth == 0, "a loop does not end");
    for (const Result& result : program.results)
        require(result.buffer < module.buffers.size(), "a result lies in no buffer");
}

/// A kernel without statements of its own fits the function that it shares.
void verify_shared(const Module& module, Isa isa, const Kernel& kernel) {
    const Kernel& function = function_of(module, isa, kernel);
    std::vector<BufferId> there = buffers_of(function);
    bool fits = !function.same_as && kernel.body.empty() && kernel.buffers.size() == there.size() &&
                kernel.streams.size() == function.streams.size();
    for (size_t i = 0; fits && i < there.size(); ++i)
        fits = module.buffers[kernel.buffers[i]].dtype == module.buffers[there[i]].dtype;
    fits = fits && (function.takes_arguments || arguments_of(module, kernel) == arguments_of(module, function));
    check(fits, "lower", "kernel " + kernel.name + " does not fit the function of " + function.name);
}

bool same_frame(const Program& a, const Program& b) {
    auto same_step = [](const Step& x, const Step& y) {
        return x.kind == y.kind && x.kernel == y.kernel && x.iterations == y.iterations && x.reverse == y.reverse;
    };
    auto same_result = [](const Result& x, const Result& y) { return x.name == y.name && x.buffer == y.buffer; };
    return a.name == b.name && a.kernels.size() == b.kernels.size() &&
           std::equal(a.table.begin(), a.table.end(), b.table.begin(), b.table.end(), same_step) &&
           std::equal(a.results.begin(), a.results.end(), b.results.begin(), b.results.end(), same_result);
}

} // namespace

void verify(const Module& module) {
    verify_buffers(module);
    for (const auto& versions : module.programs) {
        const Program* first = nullptr;
        for (const std::optional<Program>& program : versions) {
            if (!program) continue;
            if (!first) first = &*program;
            verify_table(module, *program);
            check(same_frame(*first, *program), "lower", "program " + program->name + " differs between machines");
            for (const Kernel& kernel : program->kernels) {
                if (kernel.same_as) verify_shared(module, Isa(&program - versions.data()), kernel);
                else KernelVerifier(module, kernel).run();
            }
        }
        check(first, "lower", "a program was lowered for no machine");
    }
}

} // namespace gradc::loop

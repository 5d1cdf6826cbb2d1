// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop IR run as it stands, statement by statement, without any backend: an independent reading of what its
// operations mean. Checks every access against its buffer and remembers nothing between kernels but the arena.
#pragma once
#include "compiler/program/code.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace gradc::loop {

class Interpreter {
public:
    explicit Interpreter(const Module& module) : module_(module), arena_(size_t(module.arena_bytes) + 64, 0) {
        for (const Buffer& buffer : module.buffers) // those that are local lie behind the arena
            arena_.resize(std::max(arena_.size(), size_t(buffer.offset + buffer.size + 64)), 0xff);
        for (const Buffer& buffer : module.buffers)
            if (buffer.role == Buffer::Role::constant)
                for (size_t i = 0; i < buffer.values.size(); ++i) put(buffer, int64_t(i), buffer.values[i]);
    }

    void put(const Buffer& buffer, int64_t element, double value) {
        bool integer = !floating(buffer.dtype) && std::isfinite(value);
        Value one{{buffer.dtype, 1}, {value}, {integer ? int64_t(value) : 0}};
        store_element(buffer, element, one, 0);
    }
    double peek(const Buffer& buffer, int64_t element) const {
        Value one = blank({buffer.dtype, 1});
        load_element(buffer, element, one, 0);
        return floating(buffer.dtype) ? one.real[0] : double(one.integer[0]);
    }
    void fill_activations(double value) { // what a program must not rely on
        for (const Buffer& buffer : module_.buffers)
            if (buffer.role == Buffer::Role::activation && buffer.offset >= 0)
                for (int64_t i = 0; i < buffer.size / bytes(buffer.dtype); ++i) put(buffer, i, value);
    }

    /// Runs the table; `pieces` parts of each kernel's extent one after another, the last first.
    void run(const Program& program, int64_t row_count, int64_t pieces = 1) {
        rows_ = row_count;
        isa_ = isa_of(program);
        walk(program, 0, program.table.size(), pieces);
    }

private:
    struct Value {
        ValueType type;
        std::vector<double> real;
        std::vector<int64_t> integer;
    };

    size_t walk(const Program& program, size_t from, size_t to, int64_t pieces) {
        for (size_t i = from; i < to; ++i) {
            const Step& step = program.table[i];
            if (step.kind == Step::Kind::kernel) call(expanded(module_, isa_, program.kernels[step.kernel]), pieces);
            if (step.kind == Step::Kind::loop_end) return i;
            if (step.kind != Step::Kind::loop_begin) continue;
            size_t end = i;
            iterations_.push_back(0);
            for (int64_t t = 0; t < step.iterations; ++t) {
                iterations_.back() = step.reverse ? step.iterations - 1 - t : t;
                end = walk(program, i + 1, to, pieces);
            }
            iterations_.pop_back();
            i = end;
        }
        return to;
    }

    Isa isa_of(const Program& program) const {
        for (const auto& versions : module_.programs)
            for (int isa = 0; isa < isa_count; ++isa)
                if (versions[size_t(isa)] && &*versions[size_t(isa)] == &program) return Isa(isa);
        throw InternalError("interpret", "the program is of another module");
    }
    void call(const Kernel& kernel, int64_t pieces) {
        kernel_ = &kernel;
        const Extent& extent = kernel.extent;
        int64_t items = extent.fixed + (rows_ * extent.per_row + extent.divisor - 1) / extent.divisor;
        if (kernel.grain == 0) pieces = 1;
        pieces = std::min(pieces, items);
        for (int64_t p = pieces; p-- > 0;) {
            begin_ = items * p / pieces;
            end_ = items * (p + 1) / pieces;
            values_.assign(kernel.types.size(), {});
            body(kernel.body);
        }
    }

    Value blank(ValueType type) const {
        return {type, std::vector<double>(size_t(type.lanes), 0), std::vector<int64_t>(size_t(type.lanes), 0)};
    }
    int64_t index(ValueId id) const { return values_[id].integer.at(0); }

    void body(const Body& statements) {
        for (const Statement& statement : statements)
            std::visit([&](const auto& node) { visit(node); }, statement.node);
    }

    void visit(const Comment&) {}
    void visit(const Prefetch&) {}
    void visit(const If& branch) { body(index(branch.condition) ? branch.then : branch.otherwise); }
    void visit(const Loop& loop) {
        int64_t end = index(loop.end);
        std::vector<Value> carried;
        for (const Carried& c : loop.carried) carried.push_back(values_[c.initial]);
        for (int64_t i = index(loop.begin); i < end; i += loop.step) {
            values_[loop.index] = {{Dtype::i64, 1}, {0}, {i}};
            for (size_t c = 0; c < carried.size(); ++c) values_[loop.carried[c].phi] = carried[c];
            body(loop.body);
            for (size_t c = 0; c < carried.size(); ++c) carried[c] = values_[loop.carried[c].next];
        }
        for (size_t c = 0; c < carried.size(); ++c) values_[loop.carried[c].result] = carried[c];
    }

    int64_t address(const Affine& affine) const {
        int64_t at = affine.constant;
        for (auto [id, coefficient] : affine.terms) at += coefficient * index(id);
        return at;
    }
    void visit(const Load& load) {
        const Buffer& buffer = module_.buffers.at(load.buffer);
        Value value = blank(kernel_->types[load.result]);
        for (int lane = 0; lane < value.type.lanes; ++lane) {
            if (load.mask != no_value && !values_[load.mask].integer.at(size_t(lane))) continue;
            int64_t at = address(load.element) + lane * load.stride;
            if (load.lane_index != no_value)
                at += values_[load.lane_index].integer.at(size_t(lane)) - lane * load.stride;
            load_element(buffer, at, value, size_t(lane));
        }
        values_[load.result] = std::move(value);
    }
    void visit(const Store& store) {
        const Buffer& buffer = module_.buffers.at(store.buffer);
        const Value& value = values_[store.value];
        for (int lane = 0; lane < value.type.lanes; ++lane)
            if (store.mask == no_value || values_[store.mask].integer.at(size_t(lane)))
                store_element(buffer, address(store.element) + lane * store.stride, value, size_t(lane));
    }

    /// Reads may run over a buffer's end by 64 bytes, as vectors do.
    void load_element(const Buffer& buffer, int64_t element, Value& value, size_t lane) const {
        int64_t at = element * bytes(buffer.dtype);
        check(at >= 0 && at + bytes(buffer.dtype) <= buffer.size + 64, "interpret", "a load outside of " + buffer.name);
        const unsigned char* p = arena_.data() + buffer.offset + at;
        auto take = [&](auto as) {
            std::memcpy(&as, p, sizeof as);
            return as;
        };
        switch (buffer.dtype) {
        case Dtype::f32: value.real[lane] = double(take(float())); break;
        case Dtype::f64: value.real[lane] = take(double()); break;
        case Dtype::i32: value.integer[lane] = take(int32_t()); break;
        case Dtype::i64: value.integer[lane] = take(int64_t()); break;
        default: value.integer[lane] = *p;
        }
    }
    void store_element(const Buffer& buffer, int64_t element, const Value& value, size_t lane) {
        int64_t at = element * bytes(buffer.dtype);
        check(at >= 0 && at + bytes(buffer.dtype) <= buffer.size, "interpret", "a store outside of " + buffer.name);
        unsigned char* p = arena_.data() + buffer.offset + at;
        auto give = [&](auto as) { std::memcpy(p, &as, sizeof as); };
        switch (buffer.dtype) {
        case Dtype::f32: give(float(value.real[lane])); break;
        case Dtype::f64: give(value.real[lane]); break;
        case Dtype::i32: give(int32_t(value.integer[lane])); break;
        case Dtype::i64: give(value.integer[lane]); break;
        default: *p = static_cast<unsigned char>(value.integer[lane]);
        }
    }

    void visit(const Define& define) {
        Value result = blank(kernel_->types[define.result]);
        for (size_t lane = 0; lane < result.real.size(); ++lane) {
            if (define.operands.empty()) leaf(define, result, lane);
            else if (!lanes(define, result, lane)) arithmetic(define, result, lane);
            round(result, lane);
        }
        values_[define.result] = std::move(result);
    }

    static void round(Value& value, size_t lane) {
        if (value.type.dtype == Dtype::f32) value.real[lane] = double(float(value.real[lane]));
        if (value.type.dtype == Dtype::i32) value.integer[lane] = int32_t(uint64_t(value.integer[lane]));
        if (value.type.dtype == Dtype::u8) value.integer[lane] = uint8_t(uint64_t(value.integer[lane]));
    }

    void leaf(const Define& define, Value& result, size_t lane) const {
        switch (define.operation) {
        case Operation::literal:
            result.real[lane] = define.number;
            result.integer[lane] = result.type.dtype == Dtype::boolean ? define.number != 0 : define.integer;
            break;
        case Operation::lane_numbers: result.integer[lane] = int64_t(lane); break;
        case Operation::row_count: result.integer[lane] = rows_; break;
        case Operation::range_begin: result.integer[lane] = begin_; break;
        case Operation::range_end: result.integer[lane] = end_; break;
        case Operation::stream: result.integer[lane] = stream_half(*kernel_, define); break;
        case Operation::counter: result.integer[lane] = iterations_.at(size_t(define.integer)); break;
        default: throw InternalError("interpret", "no leaf");
        }
    }

    template <class T, class F> static T halved(std::vector<T> all, F f) {
        for (size_t n = all.size() / 2; n > 0; n /= 2)
            for (size_t i = 0; i < n; ++i) all[i] = f(all[i], all[i + n]);
        return all[0];
    }

    bool lanes(const Define& define, Value& result, size_t lane) const {
        const Value& x = values_[define.operands[0]];
        bool narrow = x.type.dtype == Dtype::f32;
        auto plus = [&](double a, double b) { return narrow ? double(float(a + b)) : a + b; };
        auto larger = [](auto a, auto b) { return a > b ? a : b; };
        auto smaller = [](auto a, auto b) { return a < b ? a : b; };
        switch (define.operation) {
        case Operation::splat: result.real[lane] = x.real[0], result.integer[lane] = x.integer[0]; return true;
        case Operation::extract:
            result.real[lane] = x.real[size_t(define.integer)],
            result.integer[lane] = x.integer[size_t(define.integer)];
            return true;
        case Operation::reduce_add:
            result.real[lane] = halved(x.real, plus);
            result.integer[lane] = halved(x.integer, [](int64_t a, int64_t b) { return a + b; });
            return true;
        case Operation::reduce_max:
            result.real[lane] = halved(x.real, larger), result.integer[lane] = halved(x.integer, larger);
            return true;
        case Operation::reduce_min:
            result.real[lane] = halved(x.real, smaller), result.integer[lane] = halved(x.integer, smaller);
            return true;
        case Operation::lane_mask: result.integer[lane] = int64_t(lane) < x.integer[0]; return true;
        default: return false;
        }
    }

    void arithmetic(const Define& define, Value& result, size_t lane) const {
        auto operand = [&](size_t i) -> const Value& { return values_[define.operands.at(i)]; };
        auto real = [&](size_t i) { return operand(i).real[operand(i).real.size() == 1 ? 0 : lane]; };
        auto whole_of = [&](size_t i) { return operand(i).integer[operand(i).integer.size() == 1 ? 0 : lane]; };
        if (define.operation == Operation::select) {
            size_t taken = whole_of(0) ? 1 : 2;
            result.real[lane] = real(taken), result.integer[lane] = whole_of(taken);
        } else if (define.operation == Operation::convert || define.operation == Operation::reinterpret) {
            converted(define, operand(0), result, lane);
        } else if (floating(operand(0).type.dtype)) {
            double c = define.operands.size() > 2 ? real(2) : 0;
            real_arithmetic(define.operation, real(0), define.operands.size() > 1 ? real(1) : 0, c, result, lane);
        } else {
            int64_t b = define.operands.size() > 1 ? whole_of(1) : 0;
            result.integer[lane] = integer_arithmetic(define.operation, whole_of(0), b, result.type.dtype);
        }
    }

    static void converted(const Define& define, const Value& x, Value& result, size_t lane) {
        if (define.operation == Operation::convert) {
            double real = floating(x.type.dtype) ? x.real[lane] : double(x.integer[lane]);
            result.real[lane] = real;
            result.integer[lane] = !floating(x.type.dtype) ? x.integer[lane] : std::isnan(real) ? 0 : int64_t(real);
            return;
        }
        float narrow = float(x.real[lane]);
        int32_t bits = int32_t(x.integer[lane]);
        switch (result.type.dtype) {
        case Dtype::i32: std::memcpy(&bits, &narrow, 4), result.integer[lane] = bits; break;
        case Dtype::i64: std::memcpy(&result.integer[lane], &x.real[lane], 8); break;
        case Dtype::f32: std::memcpy(&narrow, &bits, 4), result.real[lane] = double(narrow); break;
        default: std::memcpy(&result.real[lane], &x.integer[lane], 8);
        }
    }

    static void real_arithmetic(Operation operation, double a, double b, double c, Value& result, size_t lane) {
        double& to = result.real[lane];
        int64_t& truth = result.integer[lane];
        bool narrow = result.type.dtype == Dtype::f32;
        switch (operation) {
        case Operation::add: to = a + b; break;
        case Operation::subtract: to = a - b; break;
        case Operation::multiply: to = a * b; break;
        case Operation::divide: to = a / b; break;
        case Operation::negate: to = -a; break;
        case Operation::fma: to = narrow ? double(std::fmaf(float(a), float(b), float(c))) : std::fma(a, b, c); break;
        case Operation::sqrt: to = std::sqrt(a); break;
        case Operation::floor: to = std::floor(a); break;
        case Operation::abs: to = std::fabs(a); break;
        case Operation::minimum: to = a < b ? a : b; break;
        case Operation::maximum: to = a > b ? a : b; break;
        case Operation::less: truth = a < b; break;
        case Operation::less_equal: truth = a <= b; break;
        case Operation::equal: truth = a == b; break;
        case Operation::unordered: truth = std::isnan(a) || std::isnan(b); break;
        default: throw InternalError("interpret", "no such arithmetic of real numbers");
        }
    }

    static int64_t integer_arithmetic(Operation operation, int64_t a, int64_t b, Dtype dtype) {
        uint64_t x = uint64_t(a), y = uint64_t(b);
        int bits = dtype == Dtype::i32 ? 32 : 64;
        auto down = [&] { return a / b - (a % b != 0 && (a < 0) != (b < 0)); };
        switch (operation) {
        case Operation::add: return int64_t(x + y);
        case Operation::subtract: return int64_t(x - y);
        case Operation::multiply: return int64_t(x * y);
        case Operation::negate: return int64_t(0 - x);
        case Operation::abs: return a < 0 ? int64_t(0 - x) : a;
        case Operation::quotient: return down();
        case Operation::remainder: return a - b * down();
        case Operation::minimum: return a < b ? a : b;
        case Operation::maximum: return a > b ? a : b;
        case Operation::less: return a < b;
        case Operation::less_equal: return a <= b;
        case Operation::equal: return a == b;
        case Operation::bit_and: return a & b;
        case Operation::bit_or: return a | b;
        case Operation::bit_xor: return a ^ b;
        case Operation::bit_not: return dtype == Dtype::boolean ? !a : ~a;
        case Operation::shift_left: return int64_t(x << (b & (bits - 1)));
        case Operation::shift_right: return a >> (b & (bits - 1));
        case Operation::shift_right_logical:
            return int64_t((bits == 32 ? uint64_t(uint32_t(x)) : x) >> (b & (bits - 1)));
        case Operation::multiply_high: return int64_t((uint64_t(uint32_t(x)) * uint64_t(uint32_t(y))) >> 32);
        default: throw InternalError("interpret", "no such arithmetic of whole numbers");
        }
    }

    const Module& module_;
    std::vector<unsigned char> arena_;
    Isa isa_ = Isa::baseline;
    int64_t rows_ = 1, begin_ = 0, end_ = 0;
    std::vector<int64_t> iterations_;
    const Kernel* kernel_ = nullptr;
    std::vector<Value> values_;
};

} // namespace gradc::loop

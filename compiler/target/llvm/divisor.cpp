// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One walk in order of definition. A loop's index is divided by the common divisors of its begin and
// its step.
#include "compiler/target/llvm/divisor.h"
#include <numeric>

namespace gradc::target {
namespace {

using namespace loop;

struct Walk {
    std::vector<int64_t> divisor;

    void operator()(const Define& define) {
        auto operand = [&](size_t i) { return divisor[define.operands[i]]; };
        int64_t& result = divisor[define.result];
        switch (define.operation) {
        case Operation::literal: result = std::abs(define.integer); break;
        case Operation::add:
        case Operation::subtract: result = std::gcd(operand(0), operand(1)); break;
        case Operation::minimum:
        case Operation::maximum: result = std::gcd(operand(0), operand(1)); break;
        case Operation::multiply:
            if (operand(0) < 1 << 20 && operand(1) < 1 << 20) result = operand(0) * operand(1);
            break;
        default: break;
        }
        if (result < 0) result = 1;
    }
    void operator()(const Loop& loop) {
        divisor[loop.index] = std::gcd(divisor[loop.begin], loop.step);
        body(loop.body);
    }
    void operator()(const If& branch) {
        body(branch.then);
        body(branch.otherwise);
    }
    template <class Other> void operator()(const Other&) {}
    void body(const Body& statements) {
        for (const Statement& statement : statements) std::visit(*this, statement.node);
    }
};

} // namespace

std::vector<int64_t> divisors(const Kernel& kernel) {
    Walk walk{std::vector<int64_t>(kernel.types.size(), 1)};
    walk.body(kernel.body);
    for (size_t id = 0; id < kernel.types.size(); ++id)
        if (!(kernel.types[id] == ValueType{Dtype::i64, 1})) walk.divisor[id] = 1;
    return std::move(walk.divisor);
}

int64_t alignment(const Buffer& buffer, const Affine& element, const std::vector<int64_t>& divisors) {
    int64_t size = bytes(buffer.dtype);
    int64_t common = std::gcd(std::gcd(buffer.offset, element.constant * size), int64_t(64));
    for (auto [term, coefficient] : element.terms) {
        int64_t divided = std::gcd(divisors[term], int64_t(64));
        common = std::gcd(common, (coefficient % 64) * size * divided);
    }
    return common;
}

} // namespace gradc::target

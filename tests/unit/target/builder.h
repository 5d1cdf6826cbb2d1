// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hand-written loop programs for tests: a kernel statement by statement, with short forms for literals and lanes.
#pragma once
#include "compiler/program/program.h"
#include <cmath>
#include <functional>

namespace gradc::loop {

class KernelBuilder {
public:
    KernelBuilder(std::string name, Extent extent) {
        kernel.name = std::move(name);
        kernel.extent = extent;
    }
    Kernel kernel;

    ValueId value(ValueType type, std::string name = "") {
        kernel.types.push_back(type);
        kernel.names.push_back(std::move(name));
        return ValueId(kernel.types.size() - 1);
    }
    ValueId define(ValueType type, Operation operation, std::vector<ValueId> operands = {}, int64_t integer = 0,
                   double number = 0) {
        ValueId result = value(type);
        body().push_back({Define{result, operation, std::move(operands), number, integer}});
        return result;
    }
    /// result has the type of the first operand
    ValueId same(Operation operation, std::vector<ValueId> operands) {
        ValueType type = kernel.types[operands[0]];
        return define(type, operation, std::move(operands));
    }
    ValueId mask(Operation operation, ValueId a, ValueId b) {
        return define({Dtype::boolean, kernel.types[a].lanes}, operation, {a, b});
    }
    ValueId index(int64_t number) { return define({Dtype::i64, 1}, Operation::literal, {}, number); }
    ValueId number(ValueType type, double number) {
        return define(type, Operation::literal, {}, std::fabs(number) < 1e18 ? int64_t(number) : 0, number);
    }
    ValueId leaf(Operation operation) { return define({Dtype::i64, 1}, operation); }
    ValueId load(BufferId buffer, ValueType type, Affine element, int64_t stride = 1, ValueId mask = no_value,
                 ValueId lanes = no_value) {
        ValueId result = value(type);
        body().push_back({Load{result, buffer, std::move(element), stride, mask, lanes}});
        return result;
    }
    void store(BufferId buffer, Affine element, ValueId stored, ValueId mask = no_value, int64_t stride = 1) {
        body().push_back({Store{buffer, std::move(element), stored, stride, mask}});
    }
    void comment(std::string text) { body().push_back({Comment{std::move(text)}}); }
    void prefetch(BufferId buffer, Affine element) { body().push_back({Prefetch{buffer, std::move(element), false}}); }

    void loop(std::string name, ValueId begin, ValueId end, int64_t step, const std::function<void(ValueId)>& inside) {
        carried(std::move(name), begin, end, step, {}, [&](ValueId index, const std::vector<ValueId>&) {
            inside(index);
            return std::vector<ValueId>();
        });
    }
    std::vector<ValueId>
    carried(std::string name, ValueId begin, ValueId end, int64_t step, const std::vector<ValueId>& initial,
            const std::function<std::vector<ValueId>(ValueId, const std::vector<ValueId>&)>& inside) {
        Loop loop;
        loop.name = name;
        loop.begin = begin, loop.end = end, loop.step = step;
        loop.index = value({Dtype::i64, 1}, name);
        std::vector<ValueId> phis, results;
        for (ValueId start : initial) phis.push_back(value(kernel.types[start]));
        bodies_.push_back({});
        std::vector<ValueId> next = inside(loop.index, phis);
        loop.body = std::move(bodies_.back());
        bodies_.pop_back();
        for (size_t i = 0; i < initial.size(); ++i) {
            results.push_back(value(kernel.types[initial[i]]));
            loop.carried.push_back({phis[i], initial[i], next[i], results[i]});
        }
        body().push_back({std::move(loop)});
        return results;
    }
    void branch(ValueId condition, const std::function<void()>& then, const std::function<void()>& otherwise) {
        If branch{condition, {}, {}};
        bodies_.push_back({});
        then();
        branch.then = std::move(bodies_.back());
        bodies_.back().clear();
        otherwise();
        branch.otherwise = std::move(bodies_.back());
        bodies_.pop_back();
        body().push_back({std::move(branch)});
    }
    Kernel done() {
        kernel.body = std::move(bodies_.front());
        return std::move(kernel);
    }

private:
    Body& body() { return bodies_.back(); }
    std::vector<Body> bodies_ = {{}};
};

/// Adds a buffer in C order (or as panels) at the end of the arena.
inline BufferId add_buffer(Module& module, std::string name, Dtype dtype, Shape shape, Buffer::Role role,
                           int64_t panel = 0) {
    Buffer buffer;
    buffer.name = std::move(name);
    buffer.dtype = dtype;
    buffer.shape = shape;
    buffer.role = role;
    buffer.panel = panel;
    buffer.strides.assign(shape.size(), 1);
    for (size_t axis = shape.size(); axis-- > 1;) buffer.strides[axis - 1] = buffer.strides[axis] * shape[axis];
    int64_t elements = count(shape, module.batch);
    if (panel) elements = (shape.back() + panel - 1) / panel * panel * (elements / shape.back());
    buffer.offset = module.arena_bytes;
    buffer.size = elements * bytes(dtype);
    module.arena_bytes += (buffer.size + 64 + 63) / 64 * 64;
    module.buffers.push_back(std::move(buffer));
    return BufferId(module.buffers.size() - 1);
}

} // namespace gradc::loop

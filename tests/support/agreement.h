// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Planned, lowered and interpreted programs against the evaluator.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/program/lower.h"
#include "compiler/program/merge.h"
#include "compiler/program/print.h"
#include "compiler/program/verify.h"
#include "tests/support/interpret.h"
#include <optional>

namespace gradc {

/// Declared primitives by nothing at all: graphs of machine primitives only.
struct NoMath : MathLibrary {
    const Graph* definition(Primitive, Dtype) const override { return nullptr; }
};

struct AgreementOptions {
    int64_t batch = 4;
    int64_t rows = 4;
    int64_t pieces = 1;
    bool fuse = true;
    double tolerance = 1e-5; // of the largest element
    std::vector<loop::Isa> isas = {loop::Isa::baseline, loop::Isa::avx2, loop::Isa::avx512};
    LowerOptions lower = {};
};

namespace agreement {

inline int64_t dtype_of(const loop::Buffer& buffer, const Shape& shape, int64_t linear) {
    int64_t at = 0;
    if (buffer.panel) { // [K, N] as [ceil(N/W)][K][W]
        int64_t row = linear / shape[1], column = linear % shape[1];
        return (column / buffer.panel * shape[0] + row) * buffer.panel + column % buffer.panel;
    }
    for (size_t i = shape.size(); i-- > 0;) {
        at += linear % shape[i] * buffer.strides[i];
        linear /= shape[i];
    }
    return at;
}

inline const loop::Buffer& buffer_of(const loop::Module& module, loop::Buffer::Role role, const std::string& name) {
    for (const loop::Buffer& buffer : module.buffers)
        if (buffer.role == role && buffer.name == name) return buffer;
    throw InternalError("test", "no buffer " + name);
}

inline void write(loop::Interpreter& run, const loop::Module& module, loop::Buffer::Role role, const std::string& name,
                  const Tensor& tensor) {
    for (const loop::Buffer& buffer : module.buffers)
        if (buffer.role == role && buffer.name == name)
            for (size_t i = 0; i < tensor.values.size(); ++i)
                run.put(buffer, dtype_of(buffer, tensor.shape, int64_t(i)), tensor.values[i]);
}

inline std::string difference(const loop::Interpreter& run, const loop::Buffer& buffer, const Tensor& expected,
                              double tolerance) {
    double largest = 1e-2;
    for (double value : expected.values)
        if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < expected.values.size(); ++i) {
        double found = run.peek(buffer, dtype_of(buffer, expected.shape, int64_t(i)));
        double wanted = expected.values[i];
        bool same = std::isnan(wanted)   ? std::isnan(found)
                    : std::isinf(wanted) ? found == wanted
                                         : std::fabs(found - wanted) <= tolerance * largest;
        if (!same)
            return buffer.name + "[" + std::to_string(i) + "] is " + std::to_string(found) + ", not " +
                   std::to_string(wanted);
    }
    return {};
}

} // namespace agreement

/// "" if each kernel is lowered to the statements that it has when kernels share no function.
inline std::string unlike_unshared(const Plan& plan, const loop::Module& shared, loop::Isa isa, const MathLibrary& math,
                                   LowerOptions options) {
    options.share = false;
    loop::Module alone = lower(plan, {isa}, math, options);
    for (size_t p = 0; p < shared.programs.size(); ++p) {
        const auto &mine = shared.programs[p][size_t(isa)], &its = alone.programs[p][size_t(isa)];
        for (size_t k = 0; mine && k < mine->kernels.size(); ++k) {
            loop::Kernel own = loop::expanded(shared, isa, mine->kernels[k]);
            const loop::Kernel& other = its->kernels[k];
            bool same = loop::code_key(shared, own) == loop::code_key(alone, other) && own.streams == other.streams &&
                        own.grain == other.grain && own.extent.fixed == other.extent.fixed;
            for (size_t i = 0; same && i < plan.buffers.size(); ++i)
                same = shared.buffers[i].name == alone.buffers[i].name;
            if (!same) return own.name + " shares a function with another code";
        }
    }
    return {};
}

/// "" if the lowered program of every machine gives what the evaluator gives; else what differs first.
inline std::string disagreement(const Graph& graph, Environment environment, const AgreementOptions& options,
                                const MathLibrary& math = NoMath()) {
    using Role = loop::Buffer::Role;
    environment.rows = options.rows;
    std::vector<Tensor> expected = evaluate(graph, environment);
    Plan plan = make_plan({{"program", graph}}, {"test", options.batch, options.fuse});
    for (loop::Isa isa : options.isas) {
        loop::Module module = lower(plan, {isa}, math, options.lower);
        loop::verify(module);
        if (std::string error = unlike_unshared(plan, module, isa, math, options.lower); !error.empty()) return error;
        loop::Interpreter run(module);
        run.fill_activations(std::numeric_limits<double>::quiet_NaN());
        for (const auto& [name, tensor] : environment.fields) agreement::write(run, module, Role::field, name, tensor);
        for (const auto& [name, tensor] : environment.variables)
            agreement::write(run, module, Role::variable, name, tensor);
        for (const auto& [name, value] : environment.scalars)
            agreement::write(run, module, Role::scalar, name, {{}, {value}});
        agreement::write(run, module, Role::scalar, "rows", {{}, {double(options.rows)}});
        try {
            run.run(*module.programs[0][size_t(isa)], options.rows, options.pieces);
        } catch (const InternalError& error) {
            return error.what() + std::string("\n") + print(plan) + loop::print(module, isa);
        }
        for (size_t i = 0; i < graph.outputs.size(); ++i) {
            const Node& node = graph[graph.outputs[i].node];
            const loop::Buffer& buffer =
                node.op == Op::assign ? agreement::buffer_of(module, Role::variable, attribute<Assign>(node).path)
                                      : agreement::buffer_of(module, Role::output, "program." + graph.outputs[i].name);
            std::string error = agreement::difference(run, buffer, expected[i], options.tolerance);
            if (!error.empty()) return "isa " + std::to_string(int(isa)) + ": " + error + "\n" + print(plan);
        }
    }
    return {};
}

} // namespace gradc

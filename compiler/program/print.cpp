// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One statement a line, two spaces a level. A value is %number, or %name.number where lowering
// named it.
#include "compiler/program/print.h"
#include "compiler/program/code.h"
#include <fmt/format.h>

namespace gradc::loop {

std::string_view name(Operation operation) {
    static constexpr std::string_view names[] = {"literal",       "lane_numbers", "row_count",   "range_begin",
                                                 "range_end",     "counter",      "stream",      "add",
                                                 "subtract",      "multiply",     "divide",      "negate",
                                                 "remainder",     "quotient",     "fma",         "sqrt",
                                                 "floor",         "abs",          "minimum",     "maximum",
                                                 "less",          "less_equal",   "equal",       "unordered",
                                                 "select",        "bit_and",      "bit_or",      "bit_xor",
                                                 "bit_not",       "shift_left",   "shift_right", "shift_right_logical",
                                                 "multiply_high", "convert",      "reinterpret", "splat",
                                                 "extract",       "insert_lane",  "reduce_add",  "reduce_max",
                                                 "reduce_min",    "lane_mask"};
    static_assert(std::size(names) == size_t(Operation::lane_mask) + 1);
    return names[size_t(operation)];
}

std::string_view name(Isa isa) {
    static constexpr std::string_view names[] = {"baseline", "avx2", "avx512"};
    return names[size_t(isa)];
}

std::string_view name(Buffer::Role role) {
    static constexpr std::string_view names[] = {"field",      "scalar",  "variable", "output",
                                                 "activation", "scratch", "constant", "local"};
    return names[size_t(role)];
}

std::string print(ValueType type) {
    std::string dtype = gradc::name(type.dtype);
    return type.lanes == 1 ? dtype : fmt::format("{} x {}", dtype, type.lanes);
}

namespace {

struct Printer {
    const Module& module;
    const Kernel& kernel;
    std::string text = {};

    std::string value(ValueId id) const {
        const std::string& name = id < kernel.names.size() ? kernel.names[id] : std::string();
        return name.empty() ? fmt::format("%{}", id) : fmt::format("%{}.{}", name, id);
    }
    std::string typed(ValueId id) const { return fmt::format("{}: {}", value(id), loop::print(kernel.types[id])); }
    std::string place(BufferId buffer, const Affine& element, int64_t stride) const {
        std::string inside;
        for (auto [term, coefficient] : element.terms) {
            if (!inside.empty()) inside += " + ";
            inside += coefficient == 1 ? value(term) : fmt::format("{}*{}", coefficient, value(term));
        }
        if (inside.empty() || element.constant)
            inside += inside.empty()
                          ? fmt::format("{}", element.constant)
                          : fmt::format(" {} {}", element.constant < 0 ? '-' : '+', std::abs(element.constant));
        std::string step = stride == 1 ? "" : fmt::format(" by {}", stride);
        return fmt::format("{}[{}{}]", module.buffers[buffer].name, inside, step);
    }
    std::string masked(ValueId mask) const { return mask == no_value ? "" : fmt::format(" where {}", value(mask)); }
    void line(int level, const std::string& content) { text += fmt::format("{:{}}{}\n", "", 2 * level, content); }

    void print(int level, const Define& define) {
        std::string operands;
        for (ValueId operand : define.operands) operands += " " + value(operand);
        switch (define.operation) {
        case Operation::literal: {
            Dtype dtype = kernel.types[define.result].dtype;
            bool number = floating(dtype) || dtype == Dtype::boolean;
            operands = number ? fmt::format(" {}", define.number) : fmt::format(" {}", define.integer);
            break;
        }
        case Operation::stream: operands = fmt::format(" {}", stream_half(kernel, define)); break;
        case Operation::counter:
        case Operation::extract:
        case Operation::insert_lane: operands += fmt::format(" {}", define.integer); break;
        default: break;
        }
        line(level, fmt::format("{} = {}{}", typed(define.result), name(define.operation), operands));
    }
    void print(int level, const Load& load) {
        std::string at = place(load.buffer, load.element, load.stride);
        std::string lanes = load.lane_index == no_value ? "" : " at " + value(load.lane_index);
        line(level, fmt::format("{} = load {}{}{}", typed(load.result), at, lanes, masked(load.mask)));
    }
    void print(int level, const Store& store) {
        std::string at = place(store.buffer, store.element, store.stride);
        line(level, fmt::format("store {} = {}{}", at, value(store.value), masked(store.mask)));
    }
    void print(int level, const Prefetch& prefetch) {
        std::string at = place(prefetch.buffer, prefetch.element, 1);
        line(level, fmt::format("prefetch{} {}", prefetch.for_write ? " to write" : "", at));
    }
    void print(int level, const Comment& comment) { line(level, "# " + comment.text); }
    void print(int level, const Loop& loop) {
        line(level, fmt::format("for {} = {} .. {} by {} {{", value(loop.index), value(loop.begin), value(loop.end),
                                loop.step));
        for (const Carried& carried : loop.carried)
            line(level + 1, fmt::format("carry {} = {}, then {}", typed(carried.phi), value(carried.initial),
                                        value(carried.next)));
        print(level + 1, loop.body);
        std::string results;
        for (const Carried& carried : loop.carried) results += " " + value(carried.result);
        line(level, results.empty() ? "}" : "} ->" + results);
    }
    void print(int level, const If& branch) {
        line(level, fmt::format("if {} {{", value(branch.condition)));
        print(level + 1, branch.then);
        if (!branch.otherwise.empty()) {
            line(level, "} else {");
            print(level + 1, branch.otherwise);
        }
        line(level, "}");
    }
    void print(int level, const Body& body) {
        for (const Statement& statement : body)
            std::visit([&](const auto& node) { print(level, node); }, statement.node);
    }
};

std::string describe(BufferId id, const Buffer& buffer) {
    std::string text = fmt::format("buffer {} {}: {}{} {} at {}, {} bytes", id, buffer.name, gradc::name(buffer.dtype),
                                   gradc::print(buffer.shape), name(buffer.role), buffer.offset, buffer.size);
    text += fmt::format(", strides [{}]", fmt::join(buffer.strides, ", "));
    if (buffer.panel) text += fmt::format(", panels of {}", buffer.panel);
    return text + "\n";
}

std::string describe(const Program& program) {
    std::string text = fmt::format("program {}:", program.name);
    for (const Step& step : program.table) {
        switch (step.kind) {
        case Step::Kind::kernel: text += " " + program.kernels[step.kernel].name; break;
        case Step::Kind::loop_begin:
            text += fmt::format(" {} times{} (", step.iterations, step.reverse ? " backwards" : "");
            break;
        case Step::Kind::loop_end: text += " )"; break;
        case Step::Kind::guard: text += " | "; break;
        }
    }
    if (program.multi_step) text += fmt::format("\n  many steps of {} rows in one call", program.multi_step->rows);
    for (const Result& result : program.results)
        text += fmt::format("\n  result {} in buffer {}", result.name, result.buffer);
    return text + "\n";
}

} // namespace

std::string print(const Module& module, const Kernel& kernel) {
    Printer printer{module, kernel};
    const Extent& extent = kernel.extent;
    std::string rows =
        extent.per_row == 0 ? "" : fmt::format(" + ceil(rows * {} / {})", extent.per_row, extent.divisor);
    printer.line(0, fmt::format("kernel {}: extent {}{}, grain {}", kernel.name, extent.fixed, rows, kernel.grain));
    for (const std::string& comment : kernel.comments) printer.line(1, "# " + comment);
    printer.print(1, kernel.body);
    return std::move(printer.text);
}

std::string print(const Module& module, Isa isa) {
    std::string text = fmt::format("module {}: {} rows, arena of {} bytes, {}\n", module.name, module.batch,
                                   module.arena_bytes, name(isa));
    for (BufferId id = 0; id < module.buffers.size(); ++id) text += describe(id, module.buffers[id]);
    for (const auto& versions : module.programs) {
        const std::optional<Program>& program = versions[size_t(isa)];
        if (!program) continue;
        text += "\n" + describe(*program);
        for (const Kernel& kernel : program->kernels) text += print(module, expanded(module, isa, kernel));
    }
    return text;
}

} // namespace gradc::loop

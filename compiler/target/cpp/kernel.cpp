// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, loops and buffers; cpp_uses.cpp counts uses, cpp_expression.cpp writes values; see kernel.h.
#include "compiler/target/cpp/kernel.h"
#include "compiler/program/code.h"
#include "compiler/util/check.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradc::target {

using namespace loop;

namespace {

constexpr size_t widest = 100;        // columns of the text
constexpr size_t longest_inline = 64; // an expression beyond it gets a name

bool index_operation(Operation operation) {
    switch (operation) {
    case Operation::literal:
    case Operation::row_count:
    case Operation::range_begin:
    case Operation::range_end:
    case Operation::counter:
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::minimum:
    case Operation::maximum:
    case Operation::quotient:
    case Operation::remainder: return true;
    default: return false;
    }
}

/// Leaves and literals stand wherever they are used, however often.
bool always_inline(const Define& define) {
    switch (define.operation) {
    case Operation::literal:
    case Operation::stream:
    case Operation::row_count:
    case Operation::range_begin:
    case Operation::range_end:
    case Operation::counter: return true;
    default: return false;
    }
}

/// The last `count` parts of "mlp.linear_1.weight".
std::string last_parts(const std::string& path, int count) {
    size_t at = path.size();
    while (count-- > 0 && at != std::string::npos && at > 0) at = path.find_last_of("./", at - 1);
    return at == std::string::npos || at == 0 ? path : path.substr(at + 1);
}

} // namespace

CppKernel::CppKernel(const Module& module, const Kernel& kernel, const Machine& machine, Prelude& prelude)
    : module_(module), kernel_(kernel), machine_(machine), prelude_(prelude) {}

std::string CppKernel::run(const std::string& name) {
    count_uses();
    for (auto& [id, chosen] : buffers_) {
        const std::string& path = module_.buffers[id].name;
        for (int parts = 1; chosen.empty(); ++parts) {
            std::string candidate = identifier(last_parts(path, parts));
            if (names_.free(candidate) || last_parts(path, parts) == path) chosen = names_.fresh(candidate);
        }
    }
    print(kernel_.body);
    std::string head, macro;
    for (const std::string& comment : kernel_.comments) head += "// " + comment + "\n";
    for (char c : machine_.name) macro += char(std::toupper(static_cast<unsigned char>(c)));
    auto parameter = [&](const std::string& type, const char* parameter_name) {
        bool named = parameters_.count(parameter_name);
        return named ? fmt::format("{} {}", type, parameter_name) : type;
    };
    if (!buffers_.empty()) parameters_.insert("arena");
    head += fmt::format("{} static void {}({}, {}, const uint32_t*, {}, {}) {{\n", macro, name,
                        parameter("unsigned char*", "arena"), parameter("const int64_t*", "sizes"),
                        parameter("int64_t", "begin"), parameter("int64_t", "end"));
    return head + pointers() + text_ + "}\n";
}

std::string CppKernel::pointers() const {
    std::string text;
    for (const auto& [id, name] : buffers_) {
        const Buffer& buffer = module_.buffers[id];
        bool alone = true;
        for (const auto& [other, other_name] : buffers_)
            alone = alone && (other == id || !overlap(buffer, module_.buffers[other]));
        std::string type = (written_.count(id) ? "" : "const ") + memory_name(lane_of(buffer.dtype)) + "*";
        std::string shape = gradc::name(buffer.dtype) + gradc::print(buffer.shape);
        if (buffer.panel) shape += fmt::format(", panels of {}", buffer.panel);
        if (buffer.name != name) shape = buffer.name + ": " + shape;
        if (buffer.role == Buffer::Role::local) { // a vector may overrun
            int64_t elements = (buffer.size + 64) / bytes(buffer.dtype);
            text += fmt::format("    alignas(64) {} {}[{}];\n", memory_name(lane_of(buffer.dtype)), name, elements);
            continue;
        }
        std::string declared =
            fmt::format("    {}{} {} = ({})(arena + {});", type, alone ? " __restrict" : "", name, type, buffer.offset);
        text += fmt::format("{} // {}\n", declared, shape);
    }
    return text;
}

/// A long line is cut after a comma or before an operator; no string of a kernel's text holds
/// either.
void CppKernel::line(const std::string& content) {
    std::string rest = content;
    size_t margin = size_t(4 * indent_);
    for (bool first = true;; first = false) {
        size_t room = widest - margin;
        if (rest.size() <= room || rest.rfind("//", 0) == 0) {
            text_ += std::string(margin, ' ') + rest + "\n";
            return;
        }
        size_t cut = 0;
        for (const char* place : {", ", " + ", " ? ", " : ", " = "}) {
            size_t found = rest.rfind(place, room - 2);
            if (found != std::string::npos) cut = std::max(cut, place[0] == ',' ? found + 1 : found);
        }
        if (cut == 0) cut = std::min(rest.find(' ', room), rest.size());
        text_ += std::string(margin, ' ') + rest.substr(0, cut) + "\n";
        rest = rest.substr(std::min(rest.size(), cut + 1));
        if (rest.empty()) return;
        if (first) margin += 8;
    }
}

std::string CppKernel::declared(ValueId id) const {
    ValueType type = type_of(id);
    if (type.dtype == Dtype::boolean && type.lanes == 1) return "bool";
    return prelude_.type(vector_of(id));
}

std::string CppKernel::fresh_name(ValueId id, const std::string& otherwise) {
    bool has_name = id < kernel_.names.size() && !kernel_.names[id].empty();
    return has_name ? names_.fresh(kernel_.names[id]) : names_.numbered(otherwise);
}

/// The value stands where it is used, or gets a line of its own.
void CppKernel::settle(ValueId id, Expression expression) {
    const Uses& uses = uses_[id];
    const Define* define = definition(id);
    expression.known = true;
    bool anywhere = expression.scalar_literal || (define && always_inline(*define));
    bool once = uses.count == 1 && uses.body == home_[id] && expression.text.size() <= longest_inline;
    if (anywhere || once) {
        values_[id] = std::move(expression);
        return;
    }
    auto source = sources_.find(id);
    std::string name = fresh_name(id, source == sources_.end() ? "t" : source->second + "_");
    std::string value = expression.scalar_literal ? argument(id) : expression.text;
    line(fmt::format("const {} {} = {};", declared(id), name, value));
    values_[id] = {name, primary, false, true};
}

void CppKernel::print(const Body& body) {
    for (size_t i = 0; i < body.size(); ++i) {
        const Statement& statement = body[i];
        if (auto* load = std::get_if<Load>(&statement.node)) {
            if (uses_[load->result].count && !movable(load->result, int(i))) uses_[load->result].body = -1;
        }
        std::visit([&](const auto& node) { print(node); }, statement.node);
    }
}

void CppKernel::print(const Define& define) {
    ValueId id = define.result;
    if (uses_[id].count == 0) return;
    bool index = type_of(id) == ValueType{Dtype::i64, 1} && index_operation(define.operation);
    for (ValueId operand : define.operands) index = index && index_[operand];
    index_[id] = index;
    if (define.operation == Operation::splat && sources_.count(define.operands[0]))
        sources_[id] = sources_[define.operands[0]];
    if (define.operation != Operation::insert_lane || type_of(id).lanes == 1) {
        if (define.operation == Operation::insert_lane) return settle(id, values_[define.operands[1]]);
        return settle(id, expression(define));
    }
    std::string name = fresh_name(id, "t");
    line(fmt::format("{} {} = {};", declared(id), name, argument(define.operands[0])));
    line(fmt::format("{}[{}] = {};", name, define.integer, values_[define.operands[1]].text));
    values_[id] = {name, primary, false, true};
}

CppKernel::Expression CppKernel::place(BufferId buffer, const Affine& element, bool address, int64_t shift) {
    Expression result;
    std::string inside;
    int64_t constant = element.constant + shift;
    auto add = [&](bool negative, const std::string& term) {
        if (inside.empty()) inside = negative ? "-" + term : term;
        else inside += (negative ? " - " : " + ") + term;
    };
    bool constant_first = !element.terms.empty() && element.terms[0].second < 0 && constant > 0;
    if (constant_first) add(false, fmt::format("{}", constant));
    for (auto [term, coefficient] : element.terms) {
        const Define* define = definition(term);
        bool number = define && define->operation == Operation::literal;
        if (number) constant += coefficient * define->integer;
        if (number || coefficient == 0) continue;
        int64_t size = std::abs(coefficient);
        Expression value = operand(term, size == 1 ? sum + 1 : primary);
        merge(result, value);
        add(coefficient < 0, size == 1 ? value.text : fmt::format("{}*{}", size, value.text));
    }
    if (constant && !constant_first) add(constant < 0, fmt::format("{}", std::abs(constant)));
    const std::string& name = buffers_.at(buffer);
    if (!address) result.text = fmt::format("{}[{}]", name, inside.empty() ? "0" : inside);
    else if (inside.empty()) result.text = name;
    else if (inside[0] == '-') result.text = fmt::format("{} - {}", name, inside.substr(1)), result.level = sum;
    else result.text = fmt::format("{} + {}", name, inside), result.level = sum;
    return result;
}

void CppKernel::print(const Load& load) {
    ValueId id = load.result;
    if (uses_[id].count == 0) return;
    sources_[id] = buffers_.at(load.buffer);
    VectorType type = vector_of(id);
    bool masked = load.mask != no_value;
    Lane lane_mask = mask_lane(lane_bytes(type.lane));
    Expression at = place(load.buffer, load.element, true), result;
    std::string mask_text = masked ? mask(load.mask, lane_bytes(type.lane)) : "", rest = masked ? ", " + mask_text : "";
    if (masked) merge(result, values_[load.mask]);
    if (load.lane_index != no_value) merge(result, values_[load.lane_index]);
    if (type.lanes == 1) {
        Expression element = place(load.buffer, load.element, false);
        if (load.lane_index != no_value) element.text = fmt::format("({})[{}]", at.text, values_[load.lane_index].text);
        result.text = element.text;
        if (masked)
            result.text = fmt::format("{} ? {} : {}(0)", mask_text, element.text, scalar_name(type.lane)),
            result.level = ternary;
    } else if (load.lane_index != no_value) {
        Lane index = vector_of(load.lane_index).lane;
        result.text = fmt::format("{}({}, {}{})", prelude_.gather(type, index, masked, lane_mask), at.text,
                                  argument(load.lane_index), rest);
    } else if (load.stride == 1) {
        std::string function = masked ? prelude_.at_masked(type, lane_mask) : prelude_.at(type);
        result.text = fmt::format("{}({}{})", function, at.text, rest);
    } else if (load.stride == 0 && !masked) {
        result.text = fmt::format("{}({})", prelude_.of(type), place(load.buffer, load.element, false).text);
    } else {
        result.text =
            fmt::format("{}({}, {}{})", prelude_.strided(type, masked, lane_mask), at.text, load.stride, rest);
    }
    merge(result, at);
    settle(id, std::move(result));
}

void CppKernel::print(const Store& store) {
    VectorType type = vector_of(store.value);
    bool masked = store.mask != no_value;
    std::string condition = masked ? mask(store.mask, lane_bytes(type.lane)) : "";
    if (type.lanes == 1) {
        std::string text =
            fmt::format("{} = {};", place(store.buffer, store.element, false).text, values_[store.value].text);
        line(masked ? fmt::format("if ({}) {}", condition, text) : text);
        return;
    }
    bool strided = store.stride != 1;
    std::string function = prelude_.store(type, strided, masked, mask_lane(lane_bytes(type.lane)));
    std::string stride = strided ? fmt::format(", {}", store.stride) : "", rest = masked ? ", " + condition : "";
    line(fmt::format("{}({}{}, {}{});", function, place(store.buffer, store.element, true).text, stride,
                     argument(store.value), rest));
}

void CppKernel::print(const Prefetch& prefetch) {
    line(fmt::format("__builtin_prefetch({}, {});", place(prefetch.buffer, prefetch.element, true).text,
                     prefetch.for_write ? 1 : 0));
}

void CppKernel::print(const Comment& comment) { line("// " + comment.text); }

void CppKernel::print(const Loop& loop) {
    for (const Carried& carried : loop.carried) {
        std::string name = fresh_name(carried.phi, "sum");
        bool truth = type_of(carried.phi).dtype == Dtype::boolean;
        std::string initial = truth ? mask(carried.initial, mask_bytes(carried.phi)) : argument(carried.initial);
        line(fmt::format("{} {} = {};", declared(carried.phi), name, initial));
        values_[carried.phi] = {name, primary, false, true, {carried.phi}};
    }
    std::string index = names_.fresh(loop.name.empty() ? "i" : loop.name);
    values_[loop.index] = {index, primary, false, true};
    index_[loop.index] = true;
    std::string step = loop.step == 1 ? "++" + index : fmt::format("{} += {}", index, loop.step);
    line(fmt::format("for (int64_t {0} = {1}; {0} < {2}; {3}) {{", index, values_[loop.begin].text,
                     operand(loop.end, sum).text, step));
    ++indent_;
    print(loop.body);
    advance(loop);
    --indent_;
    line("}");
    for (const Carried& carried : loop.carried)
        values_[carried.result] = {values_[carried.phi].text, primary, false, true};
}

/// All carried values step at once: where one's next value reads another that has stepped, all wait
/// in a name.
void CppKernel::advance(const Loop& loop) {
    std::vector<std::string> next;
    bool entangled = false;
    for (size_t i = 0; i < loop.carried.size(); ++i) {
        const Carried& carried = loop.carried[i];
        bool truth = type_of(carried.phi).dtype == Dtype::boolean;
        next.push_back(truth ? mask(carried.next, mask_bytes(carried.phi)) : argument(carried.next));
        for (ValueId read : values_[carried.next].changing)
            for (size_t before = 0; before < i; ++before) entangled = entangled || read == loop.carried[before].phi;
    }
    for (size_t i = 0; i < next.size() && entangled; ++i) {
        std::string name = names_.fresh("next");
        line(fmt::format("const {} {} = {};", declared(loop.carried[i].phi), name, next[i]));
        next[i] = name;
    }
    for (size_t i = 0; i < next.size(); ++i)
        if (values_[loop.carried[i].phi].text != next[i])
            line(fmt::format("{} = {};", values_[loop.carried[i].phi].text, next[i]));
}

void CppKernel::print(const If& branch) {
    line(fmt::format("if ({}) {{", values_[branch.condition].text));
    ++indent_;
    print(branch.then);
    --indent_;
    if (!branch.otherwise.empty()) {
        line("} else {");
        ++indent_;
        print(branch.otherwise);
        --indent_;
    }
    line("}");
}

} // namespace gradc::target

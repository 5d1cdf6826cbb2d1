// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, loops and buffers; uses.cpp counts uses, expression.cpp writes values; see kernel.h.
#include "compiler/target/cpp/kernel.h"
#include "compiler/program/code.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc::target {

using namespace loop;

namespace {

constexpr size_t widest = 120;        // columns of the text
constexpr size_t longest_inline = 80; // an expression beyond it gets a name

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

/// Leaves and literals are written wherever they are used.
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
    if (size_t slash = path.find('/'); slash != std::string::npos) // "train.adam.m/mlp.linear_1.weight": weight_m
        return last_parts(path.substr(slash + 1), count) + "_" + last_parts(path.substr(0, slash), 1);
    size_t at = path.size();
    while (count-- > 0 && at != std::string::npos && at > 0) at = path.find_last_of("./", at - 1);
    return at == std::string::npos || at == 0 ? path : path.substr(at + 1);
}

} // namespace

CppKernel::CppKernel(const Module& module, const Kernel& kernel, const Machine& machine, Prelude& prelude,
                     Places* places)
    : module_(module), given_(kernel), rolled_(roll(module, kernel)), machine_(machine), prelude_(prelude),
      places_(places), arguments_(kernel.takes_arguments ? buffers_in(kernel.body) : std::vector<BufferId>()) {}

/// Which tiles are alike is known when they are printed.
std::string CppKernel::run(const std::string& name) {
    std::string text = attempt(name);
    std::set<int> single = single_, split = split_;
    for (const Tile& tile : tiles_)
        if (tile.users.size() == 1) single.insert(tile.users[0]);
    if (single == single_ && split.size() == given_splits_) return text;
    CppKernel again(module_, given_, machine_, prelude_, places_);
    again.single_ = single, again.split_ = split, again.given_splits_ = split.size();
    return again.run(name);
}

std::string CppKernel::attempt(const std::string& name) {
    kernel_name_ = name;
    for (const Call& call : kernel_.calls) names_.fresh(call.function), names_.fresh("relu");
    count_uses();
    for (auto& [id, chosen] : buffers_) {
        const std::string& path = module_.buffers[id].name;
        for (int parts = 1; chosen.empty(); ++parts) {
            std::string candidate = identifier(last_parts(path, parts));
            if (names_.free(candidate) || parts > 8) chosen = names_.fresh(candidate);
        }
    }
    print(kernel_.body);
    std::string head, macro;
    for (const Tile& tile : tiles_)
        head += fmt::format("template <int R>\n{} INLINE void {}({}) {{\n{}}}\n\n", upper(machine_.name), tile.name,
                            tile.parameters, tile.body);
    for (const std::string& comment : kernel_.comments) head += "// " + comment + "\n";
    macro = upper(machine_.name);
    auto parameter = [&](const std::string& type, const char* parameter_name) {
        bool named = parameters_.count(parameter_name);
        return named ? fmt::format("{} {}", type, parameter_name) : type;
    };
    if (!buffers_.empty()) parameters_.insert("arena");
    if (kernel_.takes_arguments && !buffers_.empty()) parameters_.insert("arguments");
    head += fmt::format("{} static void {}({}, {}, {}, {}, {}) {{\n", macro, name, parameter("unsigned char*", "arena"),
                        parameter("const int64_t*", "sizes"), parameter("const uint32_t*", "arguments"),
                        parameter("int64_t", "begin"), parameter("int64_t", "end"));
    return head + pointers() + text_ + "}\n";
}

bool CppKernel::alone(BufferId id) const {
    for (const auto& [other, name] : buffers_)
        if (other != id && overlap(module_.buffers[id], module_.buffers[other])) return false;
    return true;
}

std::string CppKernel::pointers() const {
    std::string text;
    for (const auto& [id, name] : buffers_) {
        const Buffer& buffer = module_.buffers[id];
        std::string type = (written_.count(id) ? "" : "const ") + memory_name(lane_of(buffer.dtype)) + "*";
        std::string shape = gradc::name(buffer.dtype) + gradc::print(buffer.shape);
        if (buffer.panel) shape += fmt::format(", panels of {}", buffer.panel);
        if (buffer.name != name) shape = buffer.name + ": " + shape;
        if (buffer.role == Buffer::Role::local) { // a vector may overrun
            int64_t elements = (buffer.size + 64) / bytes(buffer.dtype);
            text += fmt::format("    alignas(64) {} {}[{}];\n", memory_name(lane_of(buffer.dtype)), name, elements);
            continue;
        }
        std::string offset = fmt::format("{}", buffer.offset);
        if (!kernel_.takes_arguments && places_) {
            std::string constant = (*places_)[id];
            bool sum = constant.find(' ') != std::string::npos;
            offset = sum ? fmt::format("64 * ({})", constant) : "64 * " + constant;
        }
        if (kernel_.takes_arguments)
            offset = fmt::format("64 * int64_t(arguments[{}])",
                                 std::find(arguments_.begin(), arguments_.end(), id) - arguments_.begin());
        std::string declared =
            fmt::format("    {}{} {} = ({})(arena + {});", type, alone(id) ? " __restrict" : "", name, type, offset);
        text += fmt::format("{} // {}\n", declared, shape);
    }
    return text;
}

/// Cuts a long line after a comma or before an operator. Kernels have no string literals.
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

/// Keeps the value's text for where it is used, or prints it as a named constant.
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
    named_.insert(id);
    values_[id] = {name, primary, false, true};
}

void CppKernel::print_scope(const Body& body) {
    Names names = names_;
    std::set<ValueId> named = named_;
    print(body);
    names_ = std::move(names);
    named_ = std::move(named);
}

void CppKernel::print(const Body& body) {
    bool beside = beside_tiles_;
    beside_tiles_ = std::count_if(body.begin(), body.end(), [&](auto& each) { return is_tile(each); }) > 1;
    for (size_t i = 0; i < body.size(); ++i) {
        const Statement& statement = body[i];
        if (auto* load = std::get_if<Load>(&statement.node)) {
            if (uses_[load->result].count && !movable(load->result, int(i))) uses_[load->result].body = -1;
        }
        std::visit([&](const auto& node) { print(node); }, statement.node);
    }
    beside_tiles_ = beside;
}

void CppKernel::print(const Define& define) {
    ValueId id = define.result;
    if (uses_[id].count == 0) return;
    auto call = calls_.find(id);
    bool index = type_of(id) == ValueType{Dtype::i64, 1} && index_operation(define.operation);
    for (ValueId operand : define.operands) index = index && index_[operand];
    index_[id] = index;
    if (call != calls_.end()) return settle(id, call_text(call->second));
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

const Accumulators* CppKernel::array(BufferId buffer) const {
    size_t first = module_.buffers.size();
    return buffer < first ? nullptr : &rolled_.arrays[buffer - first];
}

void CppKernel::declare(BufferId buffer) {
    const Accumulators& sums = *array(buffer);
    std::string name = arrays_[buffer] = names_.fresh("sum");
    VectorType type{lane_of(sums.type.dtype), sums.type.lanes};
    std::string rows = rows_name_.empty() ? fmt::format("[{}]", sums.rows) : "[" + rows_name_ + "]";
    if (!sums.has_rows) rows.clear();
    std::string vectors = sums.vectors > 1 ? fmt::format("[{}]", sums.vectors) : "";
    line(fmt::format("{} {}{}{}{};", prelude_.type(type), name, rows, vectors, sums.zero ? " = {}" : ""));
}

/// sum[r][v]
CppKernel::Expression CppKernel::element(BufferId buffer, const Affine& at) const {
    Expression result{arrays_.at(buffer)};
    for (auto [term, coefficient] : at.terms) result.text += "[" + values_[term].text + "]";
    return result;
}

namespace {
/// Another term has the coefficient of term `at`.
bool any_later(const std::vector<std::pair<ValueId, int64_t>>& terms, size_t at) {
    for (size_t i = at + 1; i < terms.size(); ++i)
        if (terms[i].second == terms[at].second) return true;
    return false;
}
} // namespace

CppKernel::Expression CppKernel::place(BufferId buffer, const Affine& element, bool address, int64_t shift) {
    Expression result;
    std::string inside;
    int64_t constant = element.constant + shift;
    auto add = [&](bool negative, const std::string& term) {
        if (inside.empty()) inside = negative ? "-" + term : term;
        else inside += (negative ? " - " : " + ") + term;
    };
    std::vector<std::pair<ValueId, int64_t>> terms;
    for (auto [term, coefficient] : element.terms) {
        const Define* define = definition(term);
        bool number = define && define->operation == Operation::literal;
        if (number) constant += coefficient * define->integer;
        else if (coefficient != 0) terms.push_back({term, coefficient});
    }
    bool constant_first = !terms.empty() && terms[0].second < 0 && constant > 0;
    if (constant_first) add(false, fmt::format("{}", constant));
    for (size_t i = 0; i < terms.size(); ++i) {
        auto [term, coefficient] = terms[i];
        int64_t size = std::abs(coefficient);
        bool known = std::any_of(terms.begin(), terms.begin() + long(i),
                                 [&, c = coefficient](const auto& each) { return each.second == c; });
        if (known && size > 1) continue;
        std::string factors;
        int together = 0;
        for (size_t j = i; j < terms.size(); ++j) { // 64*(row + r)
            if (terms[j].second != coefficient || (size == 1 && j > i)) continue;
            ++together;
            bool alone = size > 1 && !any_later(terms, i);
            Expression value = operand(terms[j].first, alone ? int(primary) : sum + 1);
            merge(result, value);
            factors += (factors.empty() ? "" : " + ") + value.text;
        }
        if (together > 1) factors = "(" + factors + ")";
        add(coefficient < 0, size == 1 ? factors : fmt::format("{}*{}", size, factors));
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
    if (array(load.buffer)) return settle(id, element(load.buffer, load.element));
    sources_[id] = buffers_.at(load.buffer);
    VectorType type = vector_of(id);
    bool masked = load.mask != no_value;
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
        result.text =
            fmt::format("{}({}, {}{})", prelude_.gather(type, masked), at.text, argument(load.lane_index), rest);
    } else if (load.stride == 1) {
        std::string function = masked ? prelude_.load_masked(type) : prelude_.load(type);
        result.text = fmt::format("{}({}{})", function, at.text, rest);
    } else if (load.stride == 0 && !masked) {
        result.text = fmt::format("{}({})", prelude_.splat(type), place(load.buffer, load.element, false).text);
    } else {
        result.text = fmt::format("{}({}, {}{})", prelude_.strided(type, masked), at.text, load.stride, rest);
    }
    merge(result, at);
    settle(id, std::move(result));
}

void CppKernel::print(const Store& store) {
    if (array(store.buffer)) {
        line(fmt::format("{} = {};", element(store.buffer, store.element).text, argument(store.value)));
        return;
    }
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
    std::string function = prelude_.store(type, strided, masked);
    std::string stride = strided ? fmt::format(", {}", store.stride) : "", rest = masked ? ", " + condition : "";
    line(fmt::format("{}({}{}, {}{});", function, place(store.buffer, store.element, true).text, stride,
                     argument(store.value), rest));
}

void CppKernel::print(const Prefetch& prefetch) {
    if (array(prefetch.buffer)) return declare(prefetch.buffer);
    line(fmt::format("__builtin_prefetch({}, {});", place(prefetch.buffer, prefetch.element, true).text,
                     prefetch.for_write ? 1 : 0));
}

void CppKernel::print(const Comment& comment) { line("// " + comment.text); }

void CppKernel::print(const Loop& loop) {
    if (grouped_.count(&loop)) return groups_.count(&loop) ? print_group(loop) : void();
    for (const Carried& carried : loop.carried) {
        std::string name = fresh_name(carried.phi, "sum");
        bool truth = type_of(carried.phi).dtype == Dtype::boolean;
        std::string initial = truth ? mask(carried.initial, mask_bytes(carried.phi)) : argument(carried.initial);
        line(fmt::format("{} {} = {};", declared(carried.phi), name, initial));
        values_[carried.phi] = {name, primary, false, true, {carried.phi}};
        named_.insert(carried.phi);
    }
    Names outside = names_;
    std::set<ValueId> named = named_;
    std::string index = names_.fresh(loop.name.empty() ? "i" : loop.name);
    values_[loop.index] = {index, primary, false, true};
    named_.insert(loop.index);
    index_[loop.index] = true;
    std::string step = loop.step == 1 ? "++" + index : fmt::format("{} += {}", index, loop.step);
    bool unrolled = rolled_.unrolled.count(loop.index) != 0;
    line(fmt::format("{4}for (int64_t {0} = {1}; {0} < {2}; {3}) {{", index, values_[loop.begin].text,
                     !rows_name_.empty() && loop.name == "r" && unrolled ? rows_name_ : operand(loop.end, sum).text,
                     step, unrolled ? "UNROLL " : ""));
    ++indent_;
    size_t begin = text_.size();
    auto tile = tile_numbers_.find(&loop);
    if (beside_tiles_ && tile != tile_numbers_.end() && !single_.count(tile->second)) print_tile(loop);
    else print(loop.body);
    advance(loop);
    --indent_;
    bool one_line = text_.find('\n', begin) == text_.size() - 1;
    if (one_line) { // no braces around it
        size_t head = text_.rfind('\n', begin - 2) + 1, body = text_.find_first_not_of(' ', begin);
        bool fits = begin - head - 2 + text_.size() - body <= widest + 1;
        if (fits) text_.erase(begin - 2, body - begin + 2);
        else text_.erase(begin - 3, 2);
    } else line("}");
    names_ = std::move(outside);
    named_ = std::move(named);
    for (const Carried& carried : loop.carried)
        values_[carried.result] = {values_[carried.phi].text, primary, false, true};
}

/// Assigns the carried values' next values. If one reads another that is assigned before it, all get names first.
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
    for (size_t i = 0; i < next.size(); ++i) {
        const std::string& name = values_[loop.carried[i].phi].text;
        const Define* define = definition(loop.carried[i].next);
        bool added = define && define->operation == Operation::add && define->operands[0] == loop.carried[i].phi &&
                     next[i].rfind(name + " + ", 0) == 0;
        if (added) line(fmt::format("{} += {};", name, next[i].substr(name.size() + 3)));
        else if (name != next[i]) line(fmt::format("{} = {};", name, next[i]));
    }
}

void CppKernel::print(const If& branch) {
    line(fmt::format("if ({}) {{", values_[branch.condition].text));
    ++indent_;
    print_scope(branch.then);
    --indent_;
    if (!branch.otherwise.empty()) {
        line("} else {");
        ++indent_;
        print_scope(branch.otherwise);
        --indent_;
    }
    line("}");
}

} // namespace gradc::target

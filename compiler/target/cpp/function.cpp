// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// exp, log, max and the like are statements in the loop IR. Their statements become an inline function of the prelude,
// once for each type, and the kernel calls it.
#include "compiler/target/cpp/kernel.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc::target {

using namespace loop;

/// Statements that lead from the arguments to `id`, operands first. False where they read anything else.
bool CppKernel::collect(const Call& call, ValueId id, std::set<ValueId>& seen, Body& slice) const {
    const auto& arguments = call.arguments;
    if (std::find(arguments.begin(), arguments.end(), id) != arguments.end() || !seen.insert(id).second) return true;
    const Define* define = definition(id);
    if (!define || define->operation == Operation::stream || define->operation == Operation::row_count ||
        define->operation == Operation::counter)
        return false;
    for (ValueId operand : define->operands)
        if (!collect(call, operand, seen, slice)) return false;
    slice.push_back({*define});
    return true;
}

/// Of the calls that were noted, those whose statements are what they say and no more.
void CppKernel::find_calls() {
    for (const Call& noted : kernel_.calls) {
        Call call = noted;
        if (call.function == "max") {
            const Define* second = definition(call.arguments[1]);
            while (second && second->operation == Operation::splat) second = definition(second->operands[0]);
            if (second && second->operation == Operation::literal && second->number == 0)
                call = {call.result, "relu", {call.arguments[0]}};
        }
        std::set<ValueId> seen;
        Body slice;
        bool odd = !definition(call.result) || type_of(call.result).dtype == Dtype::boolean;
        for (ValueId id : call.arguments) odd = odd || type_of(id).dtype == Dtype::boolean || id == call.result;
        if (odd || calls_.count(call.result) || !collect(call, call.result, seen, slice) || slice.size() < 2) continue;
        calls_[call.result] = std::move(call);
    }
}

CppKernel::Expression CppKernel::call_text(const Call& call) {
    Kernel function;
    std::set<ValueId> seen;
    collect(call, call.result, seen, function.body);
    function.types = kernel_.types;
    function.names.resize(function.types.size());
    for (const Call& inner : kernel_.calls)
        if (inner.result != call.result && seen.count(inner.result)) function.calls.push_back(inner);
    return this->call(CppKernel(module_, function, machine_, prelude_).print_function(call), call.arguments);
}

/// Adds this kernel's statements to the prelude as a function; returns its name.
std::string CppKernel::print_function(const Call& call) {
    static constexpr const char* numbers[] = {"x", "y", "z", "u", "v", "w"};
    static constexpr const char* rows[] = {"rows", "from", "to"}; // of the tiles that a call works on
    for (const Call& inner : kernel_.calls) names_.fresh(inner.function);
    count_uses({call.result});
    Prelude::Parameters taken;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
        ValueId id = call.arguments[i];
        std::string name = names_.fresh(type_of(id).dtype == Dtype::i64 && i < 3 ? rows[i] : numbers[i]);
        values_[id] = {name, primary, false, true};
        index_[id] = type_of(id) == ValueType{Dtype::i64, 1};
        taken.push_back({prelude_.taken(vector_of(id)), name});
    }
    print(kernel_.body);
    line(fmt::format("return {};", argument(call.result)));
    for (auto& [type, name] : taken)
        if (!contains_word(text_, name)) name.clear();
    return prelude_.function(call.function, prelude_.type(vector_of(call.result)), taken, text_);
}

} // namespace gradc::target

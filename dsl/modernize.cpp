// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Replacements are collected by place during a walk over the tree, then applied from the last to the first.
#include "dsl/modernize.h"
#include "dsl/other_names.h"
#include <fmt/format.h>
#include <map>

namespace gradc {

using namespace ast;

namespace {

class Replacements {
public:
    explicit Replacements(const std::set<std::string>& declared) : declared_(declared) {}

    std::string made_in(std::string text) const {
        for (auto at = all_.rbegin(); at != all_.rend(); ++at)
            text.replace(at->first, at->second.length, at->second.text);
        return text;
    }

    // ---- expressions
    void operator()(const ExprRef& expression) {
        if (expression) std::visit([&](const auto& node) { of(node, *expression); }, expression->node);
    }
    void operator()(const std::vector<ExprRef>& all) {
        for (const ExprRef& each : all) (*this)(each);
    }
    void operator()(const BlockRef& block) {
        if (!block) return;
        for (const Statement& each : block->statements) (*this)(each);
    }
    void operator()(const std::vector<IndexBinder>& binders) {
        for (const IndexBinder& each : binders) (*this)(each.bound);
    }
    void operator()(const std::optional<TypeExpr>& type) {
        if (type && type->shape) (*this)(*type->shape);
        if (type) (*this)(type->upper);
    }
    void operator()(const Statement& statement) {
        std::visit([&](const auto& node) { of(node); }, statement.node);
    }
    void operator()(const Item& item) {
        std::visit([&](const auto& node) { of(node); }, item.node);
    }

private:
    struct Replacement {
        size_t length;
        std::string text;
    };

    void replace(uint32_t begin, size_t length, std::string text) { all_[begin] = {length, std::move(text)}; }

    void of(const Number&, const Expr&) {}
    void of(const Text&, const Expr&) {}
    void of(const Ellipsis&, const Expr&) {}
    void of(const Name&, const Expr&) {}
    void of(const Range& node, const Expr&) { (*this)(node.first), (*this)(node.last); }
    void of(const Slice& node, const Expr&) { (*this)(node.start), (*this)(node.stop), (*this)(node.step); }
    void of(const Unary& node, const Expr&) { (*this)(node.operand); }
    void of(const Transpose& node, const Expr&) { (*this)(node.operand); }
    void of(const Binary& node, const Expr&) { (*this)(node.left), (*this)(node.right); }
    void of(const Member& node, const Expr&) { (*this)(node.object); }
    void of(const Index& node, const Expr&) { (*this)(node.object), (*this)(node.items); }
    void of(const List& node, const Expr&) { (*this)(node.items); }
    void of(const Scan& node, const Expr&) {
        (*this)(node.bound);
        for (const Carried& each : node.carried) (*this)(each.initial);
        (*this)(node.body);
    }
    void of(const Call& call, const Expr&) {
        (*this)(call.indices);
        bool own = declared_.count(call.callee);
        if (!own) name(call.callee, call.callee_span);
        for (const ast::Argument& each : call.arguments) {
            auto old = each.name && !own ? renamed_parameter(call.callee, *each.name) : nullptr;
            if (old) argument(each, *old);
            (*this)(each.value);
        }
    }

    // ---- statements
    void of(const Assign& node) { (*this)(node.values); }
    void of(const IndexDefinition& node) { (*this)(node.indices), (*this)(node.value); }
    void of(const Update& node) { (*this)(node.value); }
    void of(const Declaration& node) { (*this)(node.type), (*this)(node.initial); }
    void of(const Return& node) { (*this)(node.values); }
    void of(const Yield& node) { (*this)(node.values); }
    void of(const If& node) { (*this)(node.condition), (*this)(node.then), (*this)(node.otherwise); }
    void of(const Repeat& node) { (*this)(node.count), (*this)(node.body); }
    void of(const Evaluate& node) { (*this)(node.value); }

    // ---- declarations
    void of(const Use&) {}
    void of(const Constants& node) {
        for (const Constant& each : node.all) (*this)(each.value);
    }
    void of(const Function& node) {
        for (const Parameter& each : node.parameters) (*this)(each.type), (*this)(each.initial);
        (*this)(node.value), (*this)(node.body);
        for (const Derivative& each : node.derivatives) (*this)(each.value);
    }
    void of(const Rule& node) { (*this)(node.left), (*this)(node.right), (*this)(node.condition); }
    void of(const Dataset& node) {
        for (const DatasetItem& each : node.items) {
            auto field = std::get_if<Field>(&each.node);
            if (!field) continue;
            (*this)(field->type), (*this)(field->indices), (*this)(field->value);
            for (const FieldName& other : field->others) (*this)(other.type);
        }
    }
    void of(const Train& node) {
        for (const TrainItem& each : node.items) {
            if (auto setting = std::get_if<Setting>(&each.node)) of(*setting);
            if (auto statement = std::get_if<Statement>(&each.node)) (*this)(*statement);
        }
    }
    /// A name may be an optimizer without arguments: `optimizer accumulate`.
    void of(const Setting& setting) {
        if (!setting.value) return;
        auto bare = std::get_if<Name>(&setting.value->node);
        if (bare && setting.key == "optimizer" && !declared_.count(bare->name)) name(bare->name, setting.value->span);
        (*this)(setting.value);
    }

    void name(const std::string& old_name, Span span) {
        if (auto old = renamed_function(old_name)) replace(span.begin, old_name.size(), old->new_name);
    }
    void argument(const ast::Argument& given, const Renamed& old) {
        replace(given.span.begin, given.name->size(), old.new_name);
        size_t at = old.value.find('_');
        if (at == std::string::npos) return;
        replace(given.value->span.begin, 0, old.value.substr(0, at) + "(");
        replace(given.value->span.end, 0, ")" + old.value.substr(at + 1));
    }

    const std::set<std::string>& declared_;
    std::map<uint32_t, Replacement> all_;
};

} // namespace

std::string modernized(const Module& module, const Sources& sources, const std::set<std::string>& declared) {
    Replacements replacements(declared);
    for (const Item& item : module.items) replacements(item);
    return replacements.made_in(sources.all[module.source].text);
}

std::set<std::string> declared_functions(const Module& module) {
    std::set<std::string> names;
    for (const Item& item : module.items)
        if (auto function = std::get_if<Function>(&item.node)) names.insert(function->name);
    return names;
}

} // namespace gradc

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks the names of a function without its types. Names assigned in a block that may not run count as known after it.
// So it reports a subset of the errors of an elaboration.
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/library/unused.h"
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/types.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace gradc {

namespace {

using Names = std::set<std::string>;

class NameCheck {
public:
    NameCheck(Elaborator& elaborator, const FunctionEntry& function)
        : elaborator_(elaborator), function_(function),
          frame_(block_frame(elaborator.definitions, "names", function.module, nullptr)) {
        scope_.frame = &frame_;
    }

    void run();
    void visit(const ast::ExprRef& expression) {
        if (!expression) return;
        std::visit([&](const auto& node) { of(node, expression->span); }, expression->node);
    }

private:
    // ---- expressions
    void of(const ast::Number&, Span) {}
    void of(const ast::Text&, Span) {}
    void of(const ast::Ellipsis&, Span) {}
    void of(const ast::Name& name, Span span) { use(name.name, span); }
    void of(const ast::Range& range, Span) { visit(range.first), visit(range.last); }
    void of(const ast::Slice& slice, Span) { visit(slice.start), visit(slice.stop), visit(slice.step); }
    void of(const ast::Unary& unary, Span) { visit(unary.operand); }
    void of(const ast::Transpose& tick, Span) { visit(tick.operand); }
    void of(const ast::Binary& binary, Span) { visit(binary.left), visit(binary.right); }
    void of(const ast::Member& member, Span span) {
        if (function_.tree->kind == ast::FunctionKind::optimizer) return;
        elaborator_.evaluate(ast::Expr{span, member}, scope_);
    }
    void of(const ast::Index& index, Span) { visit(index.object), all(index.items); }
    void of(const ast::List& list, Span) { all(list.items); }
    void of(const ast::Scan& scan, Span) {
        visit(scan.bound);
        Names outside = names_;
        for (const ast::Carried& carried : scan.carried) {
            visit(carried.initial);
            names_.insert(carried.name);
        }
        names_.insert(scan.index);
        block(scan.body);
        names_ = std::move(outside);
    }
    void of(const ast::Call& call, Span span) {
        Names outside = names_;
        binders(call.indices);
        for (const ast::Argument& argument : call.arguments) visit(argument.value);
        names_ = std::move(outside);
        if (!call.indexed) callee(call, span);
    }

    // ---- statements
    void of(const ast::Assign& assign, Span) {
        all(assign.values);
        for (const ast::Target& target : assign.targets) names_.insert(target.name);
    }
    void of(const ast::IndexDefinition& definition, Span) {
        Names outside = names_;
        binders(definition.indices);
        visit(definition.value);
        names_ = std::move(outside);
        names_.insert(definition.target.name);
    }
    void of(const ast::Update& update, Span) {
        use(update.target.name, update.target.span);
        visit(update.value);
    }
    void of(const ast::Declaration& declaration, Span) {
        if (declaration.type) type(*declaration.type);
        in_start_ = true;
        visit(declaration.initial);
        in_start_ = false;
        names_.insert(declaration.target.name);
    }
    void of(const ast::Return& line, Span) { all(line.values); }
    void of(const ast::Yield& line, Span) { all(line.values); }
    void of(const ast::If& line, Span) { visit(line.condition), block(line.then), block(line.otherwise); }
    void of(const ast::Repeat& line, Span) {
        visit(line.count);
        if (line.index) names_.insert(line.index->name);
        block(line.body);
    }
    void of(const ast::Evaluate& line, Span) { visit(line.value); }

    void all(const std::vector<ast::ExprRef>& expressions) {
        for (const ast::ExprRef& each : expressions) visit(each);
    }
    void block(const ast::BlockRef& body) {
        if (!body) return;
        for (const ast::Statement& each : body->statements)
            std::visit([&](const auto& node) { of(node, each.span); }, each.node);
    }
    void binders(const std::vector<ast::IndexBinder>& indices) {
        for (const ast::IndexBinder& binder : indices) names_.insert(binder.name);
        for (const ast::IndexBinder& binder : indices) visit(binder.bound);
    }
    void type(const ast::TypeExpr& written) {
        if (written.shape) all(*written.shape);
        visit(written.upper);
    }

    void use(const std::string& name, Span span);
    void callee(const ast::Call& call, Span span);
    void arguments(const ast::Call& call, Span span, const std::vector<std::string>& parameters,
                   const std::vector<bool>& needed);
    void solved_names(const ast::TypeExpr& written);

    Elaborator& elaborator_;
    const FunctionEntry& function_;
    Frame frame_;
    Scope scope_;
    Names names_;
    bool in_start_ = false; // in the initial value of a param or state, which provides `shape:`
};

void NameCheck::use(const std::string& name, Span span) {
    if (names_.count(name)) return;
    Scope near = scope_; // candidates for "did you mean"
    for (const std::string& known : names_) near.bind(known, {});
    lookup(elaborator_, name, span, near);
    names_.insert(name); // report it once
}

void NameCheck::callee(const ast::Call& call, Span span) {
    bool optimizer = function_.tree->kind == ast::FunctionKind::optimizer;
    for (const char* word : {"gradient", "loss", "total"})
        if (optimizer && call.callee == word) return;
    if (optimizer && names_.count(call.callee)) return;
    std::vector<std::string> parameters;
    std::vector<bool> needed;
    auto function = elaborator_.definitions.find_function(call.callee, function_.module);
    if (function) {
        if (function->tree->kind == ast::FunctionKind::optimizer) return;
        for (const ast::Parameter& each : function->tree->parameters) {
            parameters.push_back(each.name);
            needed.push_back(!each.initial);
        }
    } else if (auto builtin = find_builtin(call.callee)) {
        if (builtin->many) return;
        parameters.assign(builtin->parameters.begin(), builtin->parameters.end());
        for (size_t i = 0; i < parameters.size(); ++i) needed.push_back(i < builtin->required);
    } else {
        ast::Expr bare{span, ast::Call{call.callee, call.callee_span, false, {}, {}}};
        elaborator_.evaluate(bare, scope_);
        return;
    }
    arguments(call, span, parameters, needed);
}

void NameCheck::arguments(const ast::Call& call, Span span, const std::vector<std::string>& parameters,
                          const std::vector<bool>& needed) {
    std::vector<bool> given(parameters.size(), false);
    size_t place = 0;
    for (const ast::Argument& argument : call.arguments) {
        size_t number = place;
        if (argument.name) {
            auto found = std::find(parameters.begin(), parameters.end(), *argument.name);
            number = size_t(found - parameters.begin());
            if (found == parameters.end()) {
                report_unknown_argument(elaborator_, call.callee, *argument.name, argument.span, parameters);
                return;
            }
        } else if (place++ >= parameters.size()) {
            elaborator_.error(Code::too_many_arguments, argument.value->span,
                              fmt::format("`{}` takes {} argument{}, not more", call.callee, parameters.size(),
                                          parameters.size() == 1 ? "" : "s"));
            return;
        }
        if (given[number]) {
            elaborator_.error(Code::too_many_arguments, argument.value->span,
                              fmt::format("`{}` of `{}` is given twice", parameters[number], call.callee));
            return;
        }
        given[number] = true;
    }
    for (size_t i = 0; i < parameters.size(); ++i)
        if (needed[i] && !given[i] && !(in_start_ && parameters[i] == "shape"))
            elaborator_.error(Code::missing_argument, span,
                              fmt::format("`{}` needs an argument `{}`", call.callee, parameters[i]));
}

/// Names in a parameter's type, which a call solves.
void NameCheck::solved_names(const ast::TypeExpr& written) {
    std::vector<std::string> found;
    if (written.shape)
        for (const ast::ExprRef& size : *written.shape) collect_names(*size, found);
    if (written.upper) collect_names(*written.upper, found);
    names_.insert(found.begin(), found.end());
}

void NameCheck::run() {
    const ast::Function& tree = *function_.tree;
    for (const ast::Parameter& parameter : tree.parameters) {
        if (parameter.type) solved_names(*parameter.type);
    }
    for (const ast::Parameter& parameter : tree.parameters) {
        Names before = names_;
        names_.insert(std::begin(run_scalars), std::end(run_scalars));
        visit(parameter.initial);
        names_ = std::move(before);
        names_.insert(parameter.name);
    }
    Names arguments = names_;
    if (tree.kind == ast::FunctionKind::optimizer) names_.insert({"w", "g", "t", "inner"});
    visit(tree.value);
    block(tree.body);
    for (const ast::Derivative& clause : tree.derivatives) {
        names_ = arguments;
        names_.insert("g");
        visit(clause.value);
        std::vector<std::string> parameters;
        for (const ast::Parameter& parameter : tree.parameters) parameters.push_back(parameter.name);
        if (std::find(parameters.begin(), parameters.end(), clause.parameter) != parameters.end()) continue;
        auto near = nearest(clause.parameter, parameters);
        elaborator_.error(Code::bad_derivative, clause.span,
                          fmt::format("`{}` has no parameter `{}`", tree.name, clause.parameter), "",
                          near ? fmt::format("did you mean `{}`?", *near) : "");
    }
}

} // namespace

void check_names(Elaborator& elaborator, const FunctionEntry& function) { NameCheck(elaborator, function).run(); }

} // namespace gradc

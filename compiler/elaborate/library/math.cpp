// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls are inlined. A name stands for the last value assigned to it. Each definition is a graph of its own.
#include "compiler/elaborate/library/math.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <cmath>
#include <limits>

namespace gradc {

namespace {

[[noreturn]] void wrong(const std::string& message) { throw InternalError("math.grad", message); }

using Functions = std::unordered_map<std::string, const ast::Function*>;
using Names = std::unordered_map<std::string, NodeId>;

/// Elaborates one definition in one dtype.
class ScalarElaborator {
public:
    ScalarElaborator(const Functions& functions, Graph& graph, Dtype dtype)
        : functions_(functions), graph_(graph), dtype_(dtype) {}

    NodeId call(const ast::Function& function, const std::vector<NodeId>& arguments) {
        if (function.parameters.size() != arguments.size()) wrong("arguments of " + function.name);
        if (++depth_ > 32) wrong("recursion in " + function.name);
        Names names;
        for (size_t i = 0; i < arguments.size(); ++i) names[function.parameters[i].name] = arguments[i];
        NodeId result = function.value ? value(*function.value, names, NodeId::none) : block(*function.body, names);
        --depth_;
        if (result == NodeId::none) wrong(function.name + " returns nothing");
        return result;
    }

private:
    const Functions& functions_;
    Graph& graph_;
    Dtype dtype_;
    int depth_ = 0;

    NodeId block(const ast::Block& body, Names& names) {
        for (const ast::Statement& statement : body.statements) {
            if (auto* assign = std::get_if<ast::Assign>(&statement.node)) {
                if (assign->targets.size() != 1) wrong("one name a line");
                NodeId node = value(*assign->values[0], names, NodeId::none);
                graph_.name_node(node, assign->targets[0].name);
                names[assign->targets[0].name] = node;
            } else if (auto* result = std::get_if<ast::Return>(&statement.node)) {
                return value(*result->values.at(0), names, NodeId::none);
            } else wrong("only assignments and a return");
        }
        return NodeId::none;
    }

    Dtype integer_dtype() const { return dtype_ == Dtype::f64 ? Dtype::i64 : Dtype::i32; }

    static bool literal(const ast::Expr& e) {
        if (auto* unary = std::get_if<ast::Unary>(&e.node)) return literal(*unary->operand);
        if (auto* name = std::get_if<ast::Name>(&e.node)) return name->name == "inf" || name->name == "nan";
        return std::holds_alternative<ast::Number>(e.node);
    }

    NodeId number(double value, bool integer) {
        if (!integer && dtype_ == Dtype::f32) value = double(float(value));
        return build::constant(graph_, value, integer ? integer_dtype() : dtype_);
    }

    /// `beside`: the other operand, whose dtype a literal takes.
    NodeId value(const ast::Expr& e, Names& names, NodeId beside) {
        if (auto* n = std::get_if<ast::Number>(&e.node))
            return number(n->value, n->integer && (beside == NodeId::none || integer(graph_.type(beside).dtype)));
        if (auto* name = std::get_if<ast::Name>(&e.node)) {
            if (auto found = names.find(name->name); found != names.end()) return found->second;
            if (name->name == "inf") return number(INFINITY, false);
            if (name->name == "nan") return number(std::numeric_limits<double>::quiet_NaN(), false);
            wrong("unknown name " + name->name);
        }
        if (auto* unary = std::get_if<ast::Unary>(&e.node)) return negated(*unary->operand, names, beside);
        if (auto* binary = std::get_if<ast::Binary>(&e.node)) return arithmetic(*binary, names);
        if (auto* call = std::get_if<ast::Call>(&e.node)) return called(*call, names);
        wrong("an expression of another kind");
    }

    NodeId negated(const ast::Expr& operand, Names& names, NodeId beside) {
        NodeId x = value(operand, names, beside);
        if (graph_[x].op == Op::constant) {
            Type type = graph_.type(x);
            return build::constant(graph_, -attribute<Constant>(graph_[x]).values[0], type.dtype);
        }
        return build::elementwise(graph_, Primitive::negate, {x});
    }

    /// Elaborates operands, literals last, so that they take the dtype of the others.
    std::vector<NodeId> operands(const std::vector<ast::ExprRef>& expressions, Names& names) {
        std::vector<NodeId> result(expressions.size(), NodeId::none);
        NodeId beside = NodeId::none;
        for (size_t i = 0; i < result.size(); ++i)
            if (!literal(*expressions[i])) {
                result[i] = value(*expressions[i], names, NodeId::none);
                if (graph_.type(result[i]).dtype != Dtype::boolean) beside = result[i];
            }
        for (size_t i = 0; i < result.size(); ++i)
            if (result[i] == NodeId::none) result[i] = value(*expressions[i], names, beside);
        return result;
    }

    NodeId arithmetic(const ast::Binary& binary, Names& names) {
        auto primitive = [&] {
            switch (binary.op) {
            case ast::BinaryOperator::add: return Primitive::add;
            case ast::BinaryOperator::subtract: return Primitive::subtract;
            case ast::BinaryOperator::multiply: return Primitive::multiply;
            case ast::BinaryOperator::divide: return Primitive::divide;
            default: wrong("an operator other than + - * /");
            }
        }();
        return build::elementwise(graph_, primitive, operands({binary.left, binary.right}, names));
    }

    NodeId called(const ast::Call& call, Names& names) {
        std::vector<ast::ExprRef> expressions;
        for (const ast::Argument& argument : call.arguments) expressions.push_back(argument.value);
        auto arguments = operands(expressions, names);
        if (auto found = functions_.find(call.callee); found != functions_.end())
            return this->call(*found->second, arguments);
        const Primitive* primitive = graph_.primitives().find(call.callee);
        if (!primitive || *primitive >= Primitive::first_declared) wrong(call.callee + " is not a built-in primitive");
        if (graph_.primitives().arity(*primitive) != int(arguments.size())) wrong("arguments of " + call.callee);
        return build::elementwise(graph_, *primitive, arguments);
    }
};

class Definitions : public MathLibrary {
public:
    std::unordered_map<std::string, Graph> graphs; // "exp_f32"
    std::shared_ptr<PrimitiveTable> table;

    const Graph* definition(Primitive primitive, Dtype dtype) const override {
        if (dtype != Dtype::f32 && dtype != Dtype::f64) return nullptr;
        auto found = graphs.find(std::string(table->name(primitive)) + "_" + name(dtype));
        return found == graphs.end() ? nullptr : &found->second;
    }
};

} // namespace

std::shared_ptr<const MathLibrary> make_math_library(const ast::Module& module, std::shared_ptr<PrimitiveTable> table) {
    Functions functions;
    for (const ast::Item& item : module.items)
        if (auto* function = std::get_if<ast::Function>(&item.node)) functions[function->name] = function;
    auto library = std::make_shared<Definitions>();
    library->table = table;
    for (auto& [name, function] : functions) {
        size_t cut = name.rfind('_');
        std::string suffix = cut == std::string::npos ? "" : name.substr(cut + 1);
        if (suffix != "f32" && suffix != "f64") continue;
        const Primitive* primitive = table->find(name.substr(0, cut));
        if (!primitive) continue; // a part of another definition
        Dtype dtype = suffix == "f64" ? Dtype::f64 : Dtype::f32;
        Graph graph(table);
        std::vector<NodeId> arguments;
        for (size_t i = 0; i < function->parameters.size(); ++i)
            arguments.push_back(
                graph.add(Op::input, {dtype, {}}, {}, Input{Input::Source::carry, std::to_string(i), 0, -1}));
        check(int(arguments.size()) == table->arity(*primitive), "math.grad", "arity of " + name);
        NodeId result = ScalarElaborator(functions, graph, dtype).call(*function, arguments);
        graph.outputs = {{"value", result}};
        library->graphs.emplace(name, extract(graph, graph.outputs));
    }
    return library;
}

} // namespace gradc

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The optimizer of a parameter runs in an Elaborator of its own over the step's graph, from the start in every round. A
// barrier whose value is not known yet gives a poisoned term, so that the rest of the text has no effect.
#include "compiler/training/optimizer.h"
#include "compiler/elaborate/variables.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace gradc {

namespace {

enum class BarrierKind : uint8_t { gradient, loss, total };

/// A value that needs all parameters under one optimizer.
struct Barrier {
    BarrierKind kind = BarrierKind::total;
    std::string optimizer;
    std::map<size_t, NodeId> at; // the argument of each parameter
    bool resolved = false;
    NodeId joint = NodeId::none;      // of loss and total
    std::map<size_t, NodeId> of_each; // of gradient
};

NodeId node_of(const Term& term) {
    auto node = term.as<NodeTerm>();
    return node ? node->node : NodeId::none;
}

/// State that is kept between rounds.
struct Rounds {
    const OptimizerRequest& request;
    std::map<std::string, Barrier> barriers = {};
    std::set<std::string> under_condition = {}; // states first declared there: their cells must exist before
    std::set<std::string> own_counters = {};    // counters that depend on the parameter and cannot be shared
    bool again = false;
};

/// The run of one parameter's optimizer in one round.
struct ParameterRun {
    Rounds& rounds;
    size_t number;
    Elaborator elaborator;
    std::vector<std::string> states = {}; // in order of declaration
    std::set<std::string> counters = {};
    bool stopped = false;
    std::string waits_for = {};

    ParameterRun(Rounds& rounds, size_t number)
        : rounds(rounds), number(number),
          elaborator(rounds.request.definitions, rounds.request.graph, rounds.request.mode) {}
    const MovedParameter& parameter() const { return rounds.request.parameters[number]; }
};

/// One optimizer within a run; an `inner` one has an outer one.
class Body : public Extension {
public:
    Body(ParameterRun& run, InstanceRef instance, Body* outer, bool conditional)
        : run_(run), instance_(std::move(instance)), outer_(outer), conditional_(conditional) {
        const OptimizerRequest& request = run.rounds.request;
        std::string stream = fmt::format("{}.{}/{}", request.block, instance_->path, run.parameter().path);
        frame_ = block_frame(run.elaborator.definitions, stream, instance_->function->module, this);
        frame_.function = instance_->function;
        frame_.floating_default = request.graph.type(run.parameter().node).dtype;
        scope_.frame = &frame_;
        for (const auto& [name, value] : instance_->settings) scope_.bind(name, value);
    }

    void run(const Term& gradient, const Term& iteration) {
        FloatingDefault floating(run_.elaborator, frame_.floating_default);
        scope_.bind_cell("w", run_.parameter().path);
        scope_.bind("g", gradient);
        scope_.bind("t", iteration);
        iteration_ = iteration;
        run_.elaborator.run(*instance_->function->tree->body, scope_);
    }

    std::optional<Term> call(Elaborator&, const ast::Call& call, Span span, Scope& scope) override;
    bool effect(Elaborator&, const ast::Expr& expression, Scope& scope) override;
    bool declare(Elaborator&, const ast::Declaration& declaration, Span span, Scope& scope) override;
    void assigning(Elaborator&, const ast::Target& target, Scope&) override {
        if (target.name == "g") gradient_set_ = true;
    }

private:
    Term wait(BarrierKind kind, const Term& at, Span span);
    Term counted();
    bool outside_loops(Span span);
    void check_gradient_kept(Span span);
    void check_gradient_read(const Cells::Values& before, const Body& inner, Scope& scope);
    void make_state(const std::string& path, bool conditional);

    ParameterRun& run_;
    InstanceRef instance_;
    Body* outer_;
    bool conditional_; // relative to the step: under an `if` of an optimizer around it
    Frame frame_;
    Scope scope_;
    Term iteration_;
    int barriers_ = 0;
    bool gradient_set_ = false;
};

// ---- barriers

std::optional<Term> Body::call(Elaborator& elaborator, const ast::Call& call, Span span, Scope& scope) {
    BarrierKind kind;
    if (call.callee == "gradient") kind = BarrierKind::gradient;
    else if (call.callee == "loss") kind = BarrierKind::loss;
    else if (call.callee == "total") kind = BarrierKind::total;
    else return {};
    bool at = kind != BarrierKind::total;
    bool fits = call.arguments.size() == 1 && (at ? call.arguments[0].name == "at" : !call.arguments[0].name);
    if (!fits) {
        elaborator.error(Code::optimizer_misuse, span, fmt::format("`{}` takes one value", call.callee), "",
                         at ? call.callee + "(at: w)" : "total(g^2)");
        return Term{};
    }
    if (kind == BarrierKind::gradient) check_gradient_kept(span);
    return wait(kind, elaborator.evaluate(*call.arguments[0].value, scope), call.arguments[0].value->span);
}

/// Reports that the change of `g` by an outer optimizer would be lost.
void Body::check_gradient_kept(Span span) {
    for (Body* around = outer_; around; around = around->outer_) {
        if (!around->gradient_set_) continue;
        run_.elaborator
            .error(Code::optimizer_misuse, instance_->span,
                   fmt::format("`{}` computes its own gradient, so the change of `g` by `{}` is lost",
                               instance_->function->tree->name, around->instance_->function->tree->name),
                   "", fmt::format("swap them: inside, `{}` reads `g`", around->instance_->function->tree->name))
            .remarks.push_back({span, "taken here"});
        return;
    }
}

Term Body::wait(BarrierKind kind, const Term& at, Span span) {
    if (run_.stopped || at.poisoned() || !outside_loops(span)) return Term{};
    Elaborator& elaborator = run_.elaborator;
    Graph& graph = elaborator.graph();
    const Type type = graph.type(run_.parameter().node);
    NodeId node = to_floating_node(elaborator, at, type.dtype, span);
    if (node == NodeId::none) return Term{};
    Shape joined;
    bool fits = kind == BarrierKind::total ||
                (broadcast_shapes(graph.type(node).shape, type.shape, joined) && joined == type.shape);
    if (!fits) {
        elaborator.error(Code::shape_mismatch, span,
                         fmt::format("`w` is {}, but this is {}", print(type.shape), describe(elaborator, at)));
        return Term{};
    }
    if (kind != BarrierKind::total) node = build::broadcast_to(graph, node, type.shape);
    const std::string& name = instance_->function->tree->name;
    int nested = 0;
    for (Body* around = outer_; around; around = around->outer_)
        nested += around->instance_->function == instance_->function;
    std::string key = fmt::format("{}#{}#{}", name, nested, barriers_++);
    Barrier& barrier = run_.rounds.barriers[key];
    barrier.kind = kind;
    barrier.optimizer = name;
    if (!barrier.resolved) {
        barrier.at[run_.number] = node;
        run_.stopped = true;
        run_.waits_for = key;
        return Term{};
    }
    if (kind != BarrierKind::gradient) return elaborator.term(barrier.joint);
    auto own = barrier.of_each.find(run_.number);
    if (own != barrier.of_each.end()) return elaborator.term(own->second);
    elaborator.error(Code::optimizer_misuse, instance_->span,
                     "each of these optimizers needs the gradient of the other");
    return Term{};
}

// ---- states and inner optimizers

void Body::make_state(const std::string& path, bool conditional) {
    if (conditional && !run_.elaborator.cells.find(path) && run_.rounds.under_condition.insert(path).second)
        run_.rounds.again = true;
    if (!run_.elaborator.cells.find(path))
        if (auto value = existing_variable(run_.elaborator, path)) run_.elaborator.cells.set(path, *value);
    if (std::find(run_.states.begin(), run_.states.end(), path) == run_.states.end()) run_.states.push_back(path);
}

bool Body::outside_loops(Span span) {
    if (run_.elaborator.level() == 0) return true;
    run_.elaborator.error(Code::optimizer_misuse, span, "this runs once per step and cannot be inside a `scan`");
    return false;
}

bool Body::declare(Elaborator& elaborator, const ast::Declaration& declaration, Span span, Scope& scope) {
    const std::string& name = declaration.target.name;
    if (!declaration.state) {
        elaborator.error(Code::parameter_misplaced, span, "an optimizer cannot declare a param", "",
                         fmt::format("state {} = ..", name));
        scope.bind(name, {}, declaration.target.span);
        return true;
    }
    if (scope.find(name)) {
        elaborator.error(Code::hidden_name, declaration.target.span, fmt::format("`{}` already has a value here", name),
                         "", "choose another name");
        return true;
    }
    if (!outside_loops(span)) return true;
    const OptimizerRequest& request = run_.rounds.request;
    std::string path = fmt::format("{}.{}.{}/{}", request.block, instance_->path, name, run_.parameter().path);
    if (frame_.repeats > 0) {
        elaborator.error(Code::optimizer_misuse, span, "an optimizer's state cannot be declared in a `repeat`");
        scope.bind(name, {}, declaration.target.span);
        return true;
    }
    Term value = variable_at(elaborator, Variable::Role::optimizer, path,
                             declaration.type ? &*declaration.type : nullptr, declaration.initial, scope,
                             declaration.target.span, request.graph.type(run_.parameter().node), request.number);
    if (value.poisoned()) {
        scope.bind(name, {}, declaration.target.span);
        return true;
    }
    make_state(path, conditional_ || scope.conditional);
    scope.bind_cell(name, path, declaration.target.span);
    return true;
}

bool Body::effect(Elaborator& elaborator, const ast::Expr& expression, Scope& scope) {
    auto name = std::get_if<ast::Name>(&expression.node);
    auto binding = name ? scope.find(name->name) : nullptr;
    auto held = binding ? binding->value.as<std::shared_ptr<const Foreign>>() : nullptr;
    auto inner = held ? std::dynamic_pointer_cast<const OptimizerInstance>(*held) : nullptr;
    if (!inner) return false;
    if (!outside_loops(expression.span)) return true;
    bool conditional = conditional_ || scope.conditional;
    Body body(run_, inner, this, conditional);
    Term iteration = scope.conditional ? body.counted() : iteration_;
    Cells::Values before = elaborator.cells.values();
    body.run(lookup(elaborator, "g", expression.span, scope), iteration);
    if (gradient_set_ && !run_.stopped) check_gradient_read(before, body, scope);
    return true;
}

/// The `g` that this optimizer assigned must be used in a value that the inner one changed.
void Body::check_gradient_read(const Cells::Values& before, const Body& inner, Scope& scope) {
    Elaborator& elaborator = run_.elaborator;
    NodeId made = node_of(lookup(elaborator, "g", instance_->span, scope));
    std::vector<NodeId> changed;
    for (const auto& [path, value] : elaborator.cells.values()) {
        if (value.poisoned()) return;
        auto known = before.find(path);
        if (known == before.end() || node_of(known->second) != node_of(value)) changed.push_back(node_of(value));
    }
    std::vector<NodeId> parts = reachable(elaborator.graph(), changed);
    if (made == NodeId::none || std::find(parts.begin(), parts.end(), made) != parts.end()) return;
    const std::string& name = inner.instance_->function->tree->name;
    elaborator.error(Code::optimizer_misuse, inner.instance_->span,
                     fmt::format("`{}` does not read `g`, so the change of `g` by `{}` is lost", name,
                                 instance_->function->tree->name));
}

/// The number of runs of this optimizer. All parameters of a line share one counter if their counts agree.
Term Body::counted() {
    const OptimizerRequest& request = run_.rounds.request;
    int line = run_.parameter().line;
    std::string path =
        fmt::format("{}.{}{}.t", request.block, instance_->path, line ? fmt::format("_{}", line + 1) : "");
    if (run_.rounds.own_counters.count(path)) path += "/" + run_.parameter().path;
    ast::Expr zero{instance_->span, ast::Number{0, true, "0"}};
    Term start =
        variable_at(run_.elaborator, Variable::Role::optimizer, path, nullptr, std::make_shared<ast::Expr>(zero),
                    scope_, instance_->span, Type{Dtype::f64, {}}, request.number);
    if (start.poisoned()) return start;
    make_state(path, true);
    run_.counters.insert(path);
    Graph& graph = run_.elaborator.graph();
    NodeId before = std::get<NodeTerm>(run_.elaborator.cells.find(path)->data).node;
    NodeId now = build::elementwise(graph, Primitive::add, {before, build::constant(graph, 1, Dtype::f64)});
    run_.elaborator.cells.set(path, run_.elaborator.term(now));
    return run_.elaborator.term(now, {}, true);
}

// ---- rounds

class OptimizerRounds {
public:
    explicit OptimizerRounds(const OptimizerRequest& request) : request_(request), rounds_{request} {}

    std::optional<OptimizerMoves> run() {
        size_t errors = request_.definitions.diagnostics->count();
        for (int round = 0; round < 256; ++round) {
            rounds_.again = false;
            parameters_.clear();
            states_.clear();
            waiting_.clear();
            for (auto& each : rounds_.barriers)
                if (!each.second.resolved) each.second.at.clear();
            for (size_t i = 0; i < request_.parameters.size(); ++i) {
                run_parameter(i);
                if (request_.definitions.diagnostics->count() > errors) return tell_parameter(i), std::nullopt;
            }
            if (!waiting_.empty()) resolve();
            else if (!rounds_.again) return results();
        }
        request_.definitions.diagnostics->report(
            Code::optimizer_misuse, request_.parameters[0].optimizer->span,
            "an optimizer needs more than 250 joint gradients, losses or totals per step");
        return {};
    }

private:
    const OptimizerRequest& request_;
    Rounds rounds_;
    std::vector<std::pair<std::string, NodeId>> parameters_, states_;
    std::map<size_t, std::string> waiting_; // parameter -> the barrier it waits at

    void run_parameter(size_t number) {
        ParameterRun run(rounds_, number);
        const MovedParameter& parameter = run.parameter();
        OriginScope origin(request_.graph, parameter.span);
        run.elaborator.cells.set(parameter.path, run.elaborator.term(parameter.node));
        for (const std::string& path : rounds_.under_condition) {
            bool own = path.ends_with("/" + parameter.path) || path.find('/') == std::string::npos;
            auto value = own ? existing_variable(run.elaborator, path) : std::nullopt;
            if (value) run.elaborator.cells.set(path, *value);
        }
        Body body(run, parameter.optimizer, nullptr, false);
        body.run(run.elaborator.term(parameter.gradient), run_scalar(run.elaborator, "step"));
        if (run.stopped) {
            waiting_[number] = run.waits_for;
            return;
        }
        NodeId value = node_of(*run.elaborator.cells.find(parameter.path));
        if (value != NodeId::none) parameters_.push_back({parameter.path, value});
        for (const std::string& path : run.states) add_state(path, node_of(*run.elaborator.cells.find(path)));
    }

    /// The other parameters of the same line that the optimizer fits, tried without reports.
    std::vector<std::string> fitting(size_t failed) {
        struct Silence {
            Definitions& definitions;
            Diagnostics own = {};
            Diagnostics* before = std::exchange(definitions.diagnostics, &own);
            ~Silence() { definitions.diagnostics = before; }
        } silence{request_.definitions};
        std::vector<std::string> result;
        for (size_t i = 0; i < request_.parameters.size(); ++i) {
            if (i == failed || request_.parameters[i].line != request_.parameters[failed].line) continue;
            size_t before = silence.own.count();
            if (run_parameter(i), silence.own.count() == before) result.push_back(request_.parameters[i].path);
        }
        return result;
    }

    /// An error of this parameter that others do not have is about its shape: a bias under an optimizer of matrices.
    void tell_parameter(size_t number) {
        Diagnostic* error = request_.definitions.diagnostics->last();
        std::vector<std::string> fit = fitting(number);
        if (!error || fit.empty()) return;
        const MovedParameter& parameter = request_.parameters[number];
        auto end_of = [](const std::string& path) { return path.substr(path.rfind('.') + 1); };
        std::string end = end_of(fit[0]), pattern = "*." + end;
        bool alike = std::all_of(fit.begin(), fit.end(), [&](auto& path) { return end_of(path) == end; });
        if (!alike || end_of(parameter.path) == end) pattern = fit[0] + (fit.size() > 1 ? ", .." : "");
        const Shape& shape = request_.graph.type(parameter.node).shape;
        std::string told = shape.empty() ? "a scalar" : print(shape);
        error->remarks.push_back({parameter.span, fmt::format("`w` is `{}` here, {}", parameter.path, told)});
        error->repair = fmt::format("write `optimizer {}(..) on {}` and another optimizer for the rest",
                                    parameter.optimizer->function->tree->name, pattern);
    }

    void add_state(const std::string& path, NodeId value) {
        auto known = std::find_if(states_.begin(), states_.end(), [&](auto& each) { return each.first == path; });
        if (value == NodeId::none) return;
        if (known == states_.end()) states_.push_back({path, value});
        else if (known->second != value && !rounds_.again && rounds_.own_counters.insert(path).second)
            rounds_.again = true;
    }

    bool uses(const OptimizerInstance& instance, const std::string& name) const {
        if (instance.function->tree->name == name) return true;
        for (const auto& each : instance.settings) {
            auto held = each.second.as<std::shared_ptr<const Foreign>>();
            auto inner = held ? dynamic_cast<const OptimizerInstance*>(held->get()) : nullptr;
            if (inner && uses(*inner, name)) return true;
        }
        return false;
    }

    /// Computes the barriers that every parameter under their optimizer has reached or will never reach. If all wait
    /// for each other, it computes the first.
    void resolve() {
        bool any = false;
        for (auto& [key, barrier] : rounds_.barriers) {
            if (barrier.resolved || barrier.at.empty()) continue;
            bool complete = true;
            for (const auto& [number, other] : waiting_)
                complete =
                    complete && (other == key || !uses(*request_.parameters[number].optimizer, barrier.optimizer));
            if (complete) compute(barrier), any = true;
        }
        for (auto& [key, barrier] : rounds_.barriers)
            if (!any && !barrier.resolved && !barrier.at.empty()) compute(barrier), any = true;
    }

    void compute(Barrier& barrier) {
        barrier.resolved = true;
        if (barrier.kind == BarrierKind::total) return total(barrier);
        Graph& graph = request_.graph;
        std::unordered_map<NodeId, NodeId> places,
            values; // parameter -> stand-in -> the point where it is evaluated
        std::vector<NodeId> stand_ins;
        for (const auto& [number, at] : barrier.at) {
            const MovedParameter& parameter = request_.parameters[number];
            Type type = graph.type(parameter.node);
            NodeId stand_in = build::variable(graph, "@" + parameter.path, type);
            places[parameter.node] = stand_in;
            values[stand_in] = at;
            stand_ins.push_back(stand_in);
        }
        NodeId loss = substitute(graph, {request_.loss}, places)[0];
        if (barrier.kind == BarrierKind::loss) {
            barrier.joint = substitute(graph, {loss}, values)[0];
            return;
        }
        auto gradients = gradient(graph, loss, stand_ins, derivative_rules(request_.definitions));
        for (size_t i = 0; i < gradients.size(); ++i)
            if (gradients[i] == NodeId::none)
                gradients[i] =
                    build::constant(graph, 0, graph.type(stand_ins[i]).dtype, graph.type(stand_ins[i]).shape);
        gradients = substitute(graph, gradients, values);
        size_t next = 0;
        for (const auto& each : barrier.at) barrier.of_each[each.first] = gradients[next++];
    }

    void total(Barrier& barrier) {
        Graph& graph = request_.graph;
        for (const auto& each : barrier.at) {
            std::vector<int> axes(graph.type(each.second).shape.size());
            for (size_t i = 0; i < axes.size(); ++i) axes[i] = int(i);
            NodeId sum = build::sum(graph, each.second, axes);
            if (barrier.joint != NodeId::none)
                sum = build::elementwise(graph, Primitive::add,
                                         {barrier.joint, build::cast(graph, sum, graph.type(barrier.joint).dtype)});
            barrier.joint = sum;
        }
    }

    OptimizerMoves results() {
        OptimizerMoves moves{parameters_, {}};
        moves.values.insert(moves.values.end(), states_.begin(), states_.end());
        moves.point = common_point(moves.values);
        return moves;
    }

    std::unordered_map<NodeId, NodeId> common_point(const std::vector<std::pair<std::string, NodeId>>& values) const {
        const Barrier* common = nullptr;
        for (const auto& [key, barrier] : rounds_.barriers) {
            if (barrier.kind == BarrierKind::total) continue;
            if (common || barrier.kind == BarrierKind::loss) return {};
            common = &barrier;
        }
        if (!common || common->at.size() != request_.parameters.size()) return {};
        std::vector<NodeId> roots;
        for (const auto& [path, value] : values) roots.push_back(value);
        std::vector<NodeId> parts = reachable(request_.graph, roots);
        std::unordered_map<NodeId, NodeId> point;
        for (const auto& [number, at] : common->at) {
            const MovedParameter& parameter = request_.parameters[number];
            if (std::find(parts.begin(), parts.end(), parameter.gradient) != parts.end()) return {};
            point[parameter.node] = at;
        }
        return point;
    }
};

} // namespace

std::optional<OptimizerMoves> run_optimizers(const OptimizerRequest& request) { return OptimizerRounds(request).run(); }

} // namespace gradc

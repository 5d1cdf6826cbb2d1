// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The computation of `gradc check`: for one scalar of a model, the symbolic gradient of every parameter and finite
// differences, both by the evaluator. The command compares the compiled gradient with it, entry by entry.
#pragma once
#include "compiler/check/surrogates.h"

namespace gradc {

/// A scalar and the parameters that it is differentiated by: the loss of a train block, or the result of a model that
/// stands alone.
struct Question {
    std::string name;               // of the train block or model
    Graph graph;                    // as elaborated
    NodeId value;                   // the scalar
    std::vector<NodeId> parameters; // variable nodes
    std::vector<Flag> flags;
    NodeId result = NodeId::none; // the result whose elements `value` sums; `value` itself if that is a scalar
    size_t results = 1;           // number of results of the model; `value` is of the first
};
/// All train blocks, then all models that stand alone.
std::vector<Question> questions(const TrainingJob&);

/// The parameter with the path `word`, or the only one whose path ends with it (`w1` for `net.w1`); NodeId::none if
/// there is none or more than one.
NodeId parameter_named(const Question&, const std::string& word);

/// Number of rows to check a gradient on: 2, or 5 if rows depend on each other. With two rows batch_norm gives 1 and -1
/// for any input, so the layers before it have gradients of rounding errors alone.
int64_t telling_rows(const Graph&, NodeId value);
/// The same for a model that stands alone; 1 if nothing in it has an axis N.
int64_t planned_rows(const Graph&, NodeId value);
/// The largest batch of all train blocks and `planned_rows` of all models.
int64_t largest_batch(const TrainingJob&);

/// The gradient by one parameter.
struct CheckedParameter {
    std::string path;
    Type type;
    Tensor gradient;          // symbolic
    double difference = 0;    // DifferenceResult::error
    double largest = 0;       // DifferenceResult::largest
    bool independent = false; // the scalar does not depend on it
    bool surrogate = false;   // its gradient passes a surrogate clause that is not linear: `difference` means nothing
};
/// The gradients of one question by all its parameters.
struct GradientCheck {
    Environment environment; // the inputs that everything was evaluated at
    double value = 0;        // of the scalar
    std::vector<CheckedParameter> parameters;
    Graph graph;             // outputs: "value", then "gradient I" for each parameter I that it depends on
    Graph loss;              // output "value" alone
    bool surrogates = false; // the graph has functions with surrogate clauses
};

/// Draws inputs, evaluates value and gradients, and compares each gradient with differences.
GradientCheck check_gradient(const TrainingJob&, const Question&, const SampleOptions&, const DifferenceOptions&);

/// Largest |a - b|, relative to the largest finite |b| or to `least_scale` if that is larger. Infinite if one entry is
/// NaN and the other is not, or if the sizes differ.
double relative_error(const std::vector<double>& a, const std::vector<double>& b, double least_scale = 0);

} // namespace gradc

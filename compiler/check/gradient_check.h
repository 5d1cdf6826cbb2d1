// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The proof behind `gradc check`: for one scalar of a model, every parameter's symbolic gradient beside finite
// differences, both by the evaluator. The compiled gradient is compared by the command, entry by entry.
#pragma once
#include "compiler/check/surrogates.h"

namespace gradc {

/// A scalar and what it is differentiated by: a training loss, or a model that takes nothing.
struct Question {
    std::string name; // of the train block or model
    Graph graph;      // as elaborated
    NodeId value;
    std::vector<NodeId> parameters; // variable nodes
    std::vector<Flag> flags;
    NodeId result = NodeId::none; // of which `value` is the sum, if it is no scalar; else `value`
    size_t results = 1;           // of a model that returns several: the first is meant
};
std::vector<Question> questions(const TrainingJob&);

/// The parameter that a word means: its whole path, or the end of it (`w1` for
/// `net.w1`) if no other path ends so; none.
NodeId parameter_named(const Question&, const std::string& word);

/// How many rows show what a gradient is: 2, or 5 where rows meet inside the model. Two rows of a
/// batch_norm are 1 and -1 whatever comes in: what comes before has a gradient that is all rounding.
int64_t telling_rows(const Graph&, NodeId value);
/// So many for a model that stands alone, if it has rows at all.
int64_t planned_rows(const Graph&, NodeId value);
/// The largest batch of the train blocks; of a file without any, the rows that its models are shown on.
int64_t largest_batch(const TrainingJob&);

struct CheckedParameter {
    std::string path;
    Type type;
    Tensor gradient;          // symbolic
    double difference = 0;    // error against finite differences
    double largest = 0;       // largest |difference quotient|
    bool independent = false; // the scalar does not depend on it
    bool surrogate = false;   // a surrogate clause that no differences can follow leads to it: they are not compared
};
struct GradientCheck {
    Environment environment;
    double value = 0;
    std::vector<CheckedParameter> parameters;
    Graph graph;             // outputs: "value", then "gradient 0", "gradient 1" .. for the dependent parameters
    Graph loss;              // output "value" alone
    bool surrogates = false; // functions with surrogate clauses are in it
};

GradientCheck check_gradient(const TrainingJob&, const Question&, const SampleOptions&, const DifferenceOptions&);

/// Largest |a - b| over the largest |b| or `least_scale`; infinite where one is
/// NaN and the other is not, or sizes differ.
double relative_error(const std::vector<double>& a, const std::vector<double>& b, double least_scale = 0);

} // namespace gradc

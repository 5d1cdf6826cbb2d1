// The proof behind `gradc check`: for one scalar of a model, every parameter's symbolic gradient beside finite
// differences, both by the evaluator. The compiled gradient is compared by the command, entry by entry.
#pragma once
#include "compiler/check/differences.h"

namespace gradc {

/// A scalar and what it is differentiated by: a training loss, or a model that takes nothing.
struct Question {
    std::string name; // of the train block or model
    Graph graph;      // as elaborated
    NodeId value;
    std::vector<NodeId> parameters; // variable nodes
    std::vector<Flag> flags;
};
std::vector<Question> questions(const Elaborated&);

/// The parameter that a word means: its whole path, or the end of it (`w1` for
/// `net.w1`) if no other path ends so; none.
NodeId parameter_named(const Question&, const std::string& word);

/// How many rows show what a gradient is: 2, or 5 where rows meet inside the model. Two rows of a
/// batch_norm are 1 and -1 whatever comes in: what comes before has a gradient that is all rounding.
int64_t telling_rows(const Question&);

struct CheckedParameter {
    std::string path;
    Type type;
    Tensor gradient;          // symbolic
    double difference = 0;    // error against finite differences
    double largest = 0;       // largest |difference quotient|
    bool independent = false; // the scalar does not depend on it
};
struct GradientCheck {
    Environment environment;
    double value = 0;
    std::vector<CheckedParameter> parameters;
    Graph graph; // outputs: "value", then "gradient 0", "gradient 1" .. for the dependent parameters
};

GradientCheck check_gradient(const Elaborated&, const Question&, const SampleOptions&, const DifferenceOptions&);

/// Largest |a - b| over the largest |b| or `least_scale`; infinite where one is
/// NaN and the other is not, or sizes differ.
double relative_error(const std::vector<double>& a, const std::vector<double>& b, double least_scale = 0);

} // namespace gradc

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is trained, as plain data: variables, flags, metrics, train blocks, and all of a file's together. Filled by
// compiler/training from the syntax tree; everything after it reads no syntax tree.
#pragma once
#include "compiler/gradient/backward.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/math_library.h"
#include "compiler/graph/pattern.h"
#include "compiler/spec/dataset.h"
#include <memory>
#include <optional>

namespace gradc {

/// A number that outlives the step.
struct Variable {
    enum class Role : uint8_t { parameter, state, optimizer, statistic, accumulator };
    std::string path;     // "mlp.linear_1.weight"; optimizer state "train.adam.m/mlp.linear_1.weight"
    std::string saved_as; // name in files: `as "..."`, else path
    Role role = Role::parameter;
    Type type;
    Span span;
    int block = -1; // of an optimizer state or accumulator
};

/// A setting of a train block that is a flag of the trainer; the graph reads it as scalar input
/// `input`.
struct Flag {
    std::string name;  // "beta1"
    std::string full;  // "artist.beta1", or "artist.learning-rate" of what sets the rate; unique
    std::string input; // name of the scalar input
    double value = 0;  // as written, or the default
    bool integer = false;
    std::string help; // one line: "beta1 of adam (default 0.9)"
};

/// Formulas over a whole split, computed in passes over its batches. Each pass adds to accumulators
/// (variables of role accumulator, f64); `finish` computes the results from them, once.
struct WholeSplit {
    std::vector<Graph> passes; // outputs: assigns only
    Graph finish;              // outputs: named results ("loss", "accuracy"), or assigns of statistics; no
                               // fields, no N
};
struct Metric {
    std::string name;
    Type type; // scalar, or e.g. a confusion matrix
};

enum class RowOrder : uint8_t { shuffled, file, random };

/// What a train block says beside its formulas.
struct TrainSettings {
    std::string name; // "train" if it has none
    int dataset = -1; // none: rows are drawn, N is batch
    int64_t batch = 1;
    bool batch_all = false;
    int64_t epochs = 1;
    int64_t steps = 0; // if no dataset (or `steps` written): number of steps
    int64_t turns = 1;
    RowOrder order = RowOrder::shuffled;
    std::vector<Flag> flags;
    std::vector<Metric> metrics; // "loss" first
};

struct TrainBlock : TrainSettings {
    Graph forward;                  // loss and metrics in training mode, as written: for --emit=forward and check
    NodeId loss = NodeId::none;     // in forward
    std::vector<NodeId> parameters; // variable nodes in forward that some optimizer line moves
    Graph step;                     // outputs: "loss" first, then assigns: states, parameters, optimizer states,
                                    // accumulators of `training`
    WholeSplit training;            // pass 0 is inside step; only finish is used (metrics that need several
                                    // passes are absent)
    WholeSplit evaluation;          // loss and metrics with training = false
    std::optional<Graph> predict;   // outputs: "predict"
};

struct TrainingJob {
    std::string name; // of the file without folder and .grad
    std::shared_ptr<PrimitiveTable> primitives;
    std::vector<Variable> variables = {};
    std::vector<DatasetSpec> datasets = {};
    std::vector<TrainBlock> blocks = {};
    Graph initial;                   // assigns of every variable; reads scalar "seed"
    WholeSplit statistics;           // of dataset 0's training split; assigns of role statistic. No passes if
                                     // there are none
    std::vector<Graph> columns = {}; // a dataset's formula fields as outputs, for export
    /// Models without parameters of shape N: for `gradc grad`: value of the model called with
    /// nothing, if it takes nothing.
    struct Circuit {
        std::string model;
        Graph graph; // output "value"
        std::vector<NodeId> parameters;
        std::vector<std::pair<std::string, NodeId>> inner; // named values inside, in order
    };
    std::vector<Circuit> circuits = {};
    /// Of a file without train blocks: its models whose parameters' types are written in full, with
    /// fields for them.
    std::vector<Circuit> models = {};
    std::shared_ptr<const DerivativeRules> rules = {};                  // for whoever differentiates later
    std::shared_ptr<const std::vector<PatternRule>> pattern_rules = {}; // identities for the optimizer; see rules.h
    std::shared_ptr<const MathLibrary> math = {};                       // what declared primitives are made of
    std::vector<std::string> data_read = {}; // hashes of the data files that sizes and ranges were read from
};

} // namespace gradc

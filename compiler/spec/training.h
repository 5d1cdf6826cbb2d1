// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training job as plain data: variables, flags, metrics, train blocks, and all of a file together.
// compiler/training fills it from the syntax tree; later stages do not use the tree.
#pragma once
#include "compiler/gradient/backward.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/math_library.h"
#include "compiler/graph/pattern.h"
#include "compiler/spec/dataset.h"
#include <memory>
#include <optional>

namespace gradc {

/// A tensor that outlives the step.
struct Variable {
    enum class Role : uint8_t { parameter, state, optimizer, statistic, accumulator };
    std::string path;     // "mlp.linear_1.weight"; optimizer state "train.adam.m/mlp.linear_1.weight"
    std::string saved_as; // name in files: `as "..."`, else path
    Role role = Role::parameter;
    Type type;
    Span span;
    int block = -1; // of an optimizer state or accumulator
};

/// A setting of a train block that is a flag of the trainer; the graph reads it as scalar input `input`.
struct Flag {
    std::string name;  // "beta1"
    std::string full;  // "artist.beta1", or "artist.learning-rate" for the setting of the learning rate; unique
    std::string input; // name of the scalar input
    double value = 0;  // as written, or the default
    bool integer = false;
    std::string help; // one line: "beta1 of adam (default 0.9)"
};

/// Formulas over a whole split, computed in passes over its batches. Each pass adds to accumulators (variables of role
/// accumulator, f64); `finish` computes the results from them, once.
struct WholeSplit {
    std::vector<Graph> passes; // outputs: assigns only
    Graph finish;              // outputs: named results ("loss", "accuracy"), or assigns of statistics; no
                               // fields, no N
};
/// A metric of a train block.
struct Metric {
    std::string name;
    Type type; // scalar, or e.g. a confusion matrix
};

/// The order of rows in an epoch.
enum class RowOrder : uint8_t { shuffled, file, random };

/// The settings of a train block, without its formulas.
struct TrainSettings {
    std::string name; // "train" by default
    int dataset = -1; // -1: no data, N is batch
    int64_t batch = 1;
    bool batch_all = false;
    int64_t epochs = 1;
    int64_t steps = 0; // number of steps, without a dataset or if `steps` is given
    int64_t turns = 1;
    RowOrder order = RowOrder::shuffled;
    int64_t context = 0; // `generate`: positions before the trainer starts again; 0: any number
    std::vector<Flag> flags;
    std::vector<Metric> metrics; // "loss" first
};

/// One `train` block with its programs, by number.
struct TrainBlock : TrainSettings {
    Graph forward;                  // loss and metrics in training mode, as written: for --emit=forward and check
    NodeId loss = NodeId::none;     // in forward
    std::vector<NodeId> parameters; // variable nodes in forward that an optimizer updates
    Graph step;                     // outputs: "loss" first, then assigns: states, parameters, optimizer states,
                                    // accumulators of `training`
    WholeSplit training;            // pass 0 is inside step; only finish is used (metrics that need several
                                    // passes are absent)
    WholeSplit evaluation;          // loss and metrics with training = false
    std::optional<Graph> predict;   // outputs: "predict"
    std::optional<Graph> generate;  // outputs: "generate", then assigns of the carried values; see generation.h
};

/// Everything that a trainer needs beside the code of its kernels.
struct TrainingJob {
    std::string name; // of the file without folder and .grad
    std::shared_ptr<PrimitiveTable> primitives;
    std::vector<Variable> variables = {};
    std::vector<DatasetSpec> datasets = {};
    std::vector<TrainBlock> blocks = {};
    Graph initial;                   // assigns of every variable; reads scalar "seed"
    Graph derived;                   // assigns of those whose initial values depend on other variables, which it reads
    WholeSplit statistics;           // of dataset 0's training split; assigns of role statistic. No passes if
                                     // there are none
    std::vector<Graph> columns = {}; // a dataset's formula fields as outputs, for export
    /// Models without parameters of shape N, for `gradc grad`: the value of the model called without arguments.
    struct Circuit {
        std::string model;
        Graph graph; // output "value"
        std::vector<NodeId> parameters;
        std::vector<std::pair<std::string, NodeId>> inner; // named values inside, in order
    };
    std::vector<Circuit> circuits = {};
    /// In a file without train blocks: the models whose parameters have complete types, with fields for them.
    std::vector<Circuit> models = {};
    std::shared_ptr<const DerivativeRules> rules = {};                  // for later differentiation
    std::shared_ptr<const std::vector<PatternRule>> pattern_rules = {}; // identities for the optimizer; see rules.h
    std::shared_ptr<const MathLibrary> math = {};                       // definitions of declared primitives
    std::vector<std::string> data_read = {}; // hashes of the data files that sizes and bounds were read from
};

} // namespace gradc

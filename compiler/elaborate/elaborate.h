// From syntax tree to typed graphs: everything that the later stages and the trainer need to know
// about a model file. Names, dimensions, constants, whole-number ranges and call paths are resolved
// here and exist nowhere later.
#pragma once
#include "compiler/gradient/gradient.h"
#include "compiler/graph/graph.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"
#include <map>

namespace gradc {

struct PatternRule;
struct MathLibrary;

struct Options {
    std::map<std::string, std::string> set; // const name -> text of its value, from --set
    Element precision = Element::f32;       // what f32 in a model file stands for
    int64_t node_limit = 1'000'000;
    std::vector<std::string> data_folders; // where files are sought when compiling (sizes, ranges), in order
    bool reads_data = true;                // false: no data file is opened, all of them count as missing
};

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
    std::string name;  // "rate"
    std::string full;  // "artist.rate"; unique
    std::string input; // name of the scalar input
    double value = 0;  // as written, or the default
    bool whole = false;
    std::string help; // one line: "adam: rate of descent (default 1e-3)"
};

/// Where a field's column comes from. `files` holds one path a split if they are named (idx), else
/// one.
struct Reader {
    enum class Kind : uint8_t { none, csv, idx, literal, range, characters, npy } kind = Kind::none;
    struct File {
        std::string split; // "" for all
        std::string path;  // as written
    };
    std::vector<File> files;
    std::vector<int64_t> columns;          // csv: from 0, when numbered
    std::vector<std::string> column_names; // csv: when named
    std::vector<double> values;            // literal: all rows
    int64_t rows = 0;                      // literal, range
    std::string alphabet;                  // characters: UTF-8, in order of code
    int64_t window = 0,
            stride = 1; // windows(reader, length: window): rows are runs of the column; 0: none
    Span span;
};
struct Field { // of a dataset, read by the trainer; formulas are part of the graphs
    std::string name;
    Element stored = Element::f32; // u8 f32 f64 i32
    Shape shape;                   // of one row
    int64_t low = 0, high = -1;    // whole numbers: allowed range
    Reader reader;
    Span span;
};
struct SplitRange {
    std::string name;
    double fraction = 1;
};
struct DatasetSpec {
    std::string name;
    std::vector<Field> fields;      // the ones that are read
    std::vector<SplitRange> splits; // empty: all rows are "train"; idx may name splits by files instead
    bool in_order = false;
    bool split_by_file = false;
    Span span;
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

struct TrainBlock {
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

struct PatternRule;

struct Elaborated {
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

/// Elaborates source number `main` of `sources` together with what it uses. Returns nullopt after
/// errors.
std::optional<Elaborated> elaborate(Sources& sources, uint32_t main, SourceReader& reader, const Options& options,
                                    Diagnostics& diagnostics);

/// Scalar definitions of math.grad: what `primitive` computes at `element` (f32 or f64), as a graph
/// with one carry input a parameter and output "value", all scalars. Nullopt: a primitive of the
/// machine.
struct MathLibrary {
    virtual ~MathLibrary() = default;
    virtual const Graph* definition(Primitive primitive, Element element) const = 0;
};

} // namespace gradc

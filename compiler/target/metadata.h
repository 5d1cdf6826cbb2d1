// What a module's table (runtime/abi.h) says beyond its programs: names, data sets, train blocks,
// hashes. The driver fills it from what was elaborated; field by field it mirrors abi.h. Programs
// are indices into loop::Module::programs, scalars indices into `tensors`.
#pragma once
#include "compiler/program/program.h"
#include "runtime/abi.h"
#include <string>
#include <vector>

namespace gradc::target {

struct Metadata {
    struct Tensor { // element, shape, strides and place are those of the buffer
        std::string name, saved_as;
        gradc_role role = GRADC_FIELD;
        loop::BufferId buffer = 0;
    };
    struct File {
        std::string split, path;
    };
    struct Field {
        std::string name;
        gradc_reader reader = GRADC_READ_CSV;
        Element stored = Element::f32;
        Shape shape; // of one row
        int64_t low = 0, high = -1;
        std::vector<File> files;
        std::vector<int64_t> columns;
        std::vector<std::string> column_names;
        std::vector<double> values;
        int64_t rows = 0;
        std::string alphabet;
        int64_t window = 0, stride = 1;
    };
    struct Split {
        std::string name;
        double fraction = 1;
    };
    struct Dataset {
        std::string name;
        std::vector<Field> fields;
        std::vector<Split> splits;
        bool in_order = false, split_by_file = false;
    };
    struct Flag {
        std::string name, full, help;
        int32_t scalar = -1;
        bool whole = false;
        double value = 0;
    };
    struct Metric {
        std::string name;
        Shape shape;
    };
    struct WholeSplit {
        int32_t first_pass = 0, pass_count = 0, finish = -1;
    };
    struct Block {
        std::string name;
        int32_t dataset = -1;
        bool batch_all = false;
        gradc_order order = GRADC_SHUFFLED;
        int64_t batch = 1, epochs = 1, steps = 0, turns = 1;
        std::vector<Flag> flags;
        std::vector<Metric> metrics;
        int32_t step = 0;
        WholeSplit training, evaluation;
        int32_t predict = -1, diagnose = -1; // programs
    };

    std::string name, compiler, options, source_hash, program_hash;
    int64_t parameter_bytes = 0, optimizer_bytes = 0, activation_bytes = 0, scratch_bytes = 0, least_bytes = 0;
    std::vector<Tensor> tensors; // a program's results are added where they are missing
    std::vector<Dataset> datasets;
    std::vector<Block> blocks;
    int32_t initial = -1;
    WholeSplit statistics;
    int32_t columns = -1;
    bool flush_denormals = true;
};

} // namespace gradc::target

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `export`: the columns of the data set split by split, formula fields included, and the initial weights, so that
// another program can train on the same numbers. The output is one safetensors file, or a folder of NPY files.
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/data/array_file.h"
#include "runtime/data/loader.h"
#include "runtime/train/evaluation.h"
#include <cerrno>
#include <sys/stat.h>

namespace gradc::runtime {

namespace {

struct Exported {
    std::string name;
    int32_t dtype;
    std::vector<int64_t> shape;
    std::vector<unsigned char> bytes;
};

Exported column_of_split(const Column& column, const Split& split) {
    Exported exported{
        text(split.name, '.', column.field->name), column.field->stored, {int64_t(split.rows.size())}, {}};
    exported.shape.insert(exported.shape.end(), column.field->shape, column.field->shape + column.field->rank);
    exported.bytes.resize(split.rows.size() * size_t(column.row_bytes()));
    unsigned char* to = exported.bytes.data();
    for (int64_t row : split.rows) column.copy_row(row, to), to += column.row_bytes();
    make_nans_canonical(exported.bytes.data(), int64_t(exported.bytes.size()), exported.dtype);
    return exported;
}

/// Fields that are formulas, computed batch by batch by the module's program for them.
void add_formulas(Session& session, const Dataset& dataset, int split, std::vector<Exported>& all) {
    const gradc_module& module = session.module();
    if (module.columns < 0) return;
    const gradc_program& program = module.programs[module.columns];
    size_t first = all.size();
    const Split& of = dataset.splits[size_t(split)];
    for (int32_t r = 0; r < program.result_count; r++) {
        const gradc_tensor& tensor = module.tensors[program.results[r]];
        Exported exported{
            text(of.name, '.', tensor.name), tensor.dtype, {tensor.shape, tensor.shape + tensor.rank}, {}};
        if (tensor.has_rows) exported.shape[0] = int64_t(of.rows.size());
        all.push_back(std::move(exported));
    }
    Loader loader(module, dataset, split, GRADC_FILE_ORDER, session.seed());
    while (!loader.at_end()) {
        int64_t rows = loader.next(module.batch, session.arena());
        session.run(module.columns, rows, {});
        for (int32_t r = 0; r < program.result_count; r++) {
            const gradc_tensor& tensor = module.tensors[program.results[r]];
            std::vector<unsigned char>& bytes = all[first + size_t(r)].bytes;
            size_t before = tensor.has_rows ? bytes.size() : 0;
            bytes.resize(before + size_t(tensor_bytes(tensor, rows)));
            read_tensor(tensor, session.arena(), bytes.data() + before, rows);
        }
    }
}

std::vector<Exported> collect(Session& session, const Dataset* dataset) {
    std::vector<Exported> all;
    const gradc_module& module = session.module();
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!is_variable(tensor)) continue;
        Exported exported{file_name_of(tensor), tensor.dtype, {tensor.shape, tensor.shape + tensor.rank}, {}};
        exported.bytes.resize(size_t(tensor_bytes(tensor)));
        read_tensor(tensor, session.arena(), exported.bytes.data());
        all.push_back(std::move(exported));
    }
    if (!dataset) return all;
    for (int split = 0; split < int(dataset->splits.size()); split++) {
        for (const Column& column : dataset->columns) { // the formulas include fields that are read as they are
            bool computed = module.columns >= 0 && session.result(module.columns, column.field->name);
            if (!computed) all.push_back(column_of_split(column, dataset->splits[size_t(split)]));
        }
        add_formulas(session, *dataset, split, all);
    }
    return all;
}

bool write_npy(const std::string& path, const Exported& exported, Error& error) {
    ReplacingFile file(path);
    if (!file.open(error) || !file.write(npy_header(exported.dtype, exported.shape), error)) return false;
    if (exported.dtype != GRADC_BF16)
        return file.write(exported.bytes.data(), exported.bytes.size(), error) && file.commit(error);
    for (size_t at = 0; at < exported.bytes.size(); at += 2) { // numpy has no bf16
        float number = float(load_element(exported.bytes.data() + at, GRADC_BF16));
        if (!file.write(&number, 4, error)) return false;
    }
    return file.commit(error);
}

bool write_folder(const std::string& folder, const std::vector<Exported>& all, Error& error) {
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
        return error.fail(folder, ": error: cannot create this folder: ", system_error());
    }
    for (const Exported& exported : all) {
        std::string name = exported.name;
        for (char& c : name) c = c == '/' ? '_' : c;
        if (!write_npy(joined(folder, name + ".npy"), exported, error)) return false;
    }
    return true;
}

} // namespace

ExitCode export_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    std::string out = arguments.value("output");
    if (out.empty()) return error.set("--output FILE is needed", wrong_usage), error.code;
    Prepared prepared;
    if (!prepare(module, arguments, {}, prepared, error)) return error.code;
    std::vector<Exported> all = collect(*prepared.session, prepared.has_data ? &prepared.dataset : nullptr);
    if (!out.ends_with(".safetensors")) {
        if (!write_folder(out, all, error)) return error.code;
    } else {
        std::vector<WrittenTensor> tensors;
        for (const Exported& exported : all) {
            tensors.push_back({exported.name, exported.dtype, exported.shape, [&exported](unsigned char* to) {
                                   std::copy(exported.bytes.begin(), exported.bytes.end(), to);
                               }});
        }
        Metadata metadata;
        add_metadata(metadata, "model", module.name);
        add_metadata(metadata, "bits", module.bits[prepared.session->isa()]);
        add_metadata(metadata, "seed", integer(prepared.settings.seed));
        add_metadata(metadata, "split_seed", integer(prepared.settings.cutting_seed()));
        put_dictionaries(prepared.dataset.dictionaries, metadata);
        if (!write_safetensors(out, tensors, metadata, error)) return error.code;
    }
    print(text(all.size(), " tensors in ", visible(out), '\n'), error);
    return error.code;
}

} // namespace gradc::runtime

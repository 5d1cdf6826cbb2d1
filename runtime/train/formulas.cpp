// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows are computed batch by batch; each result is copied to the position of its row.
#include "runtime/train/formulas.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

static bool reads(const gradc_module& module, int32_t program, const gradc_tensor* field) {
    if (program < 0) return false;
    const gradc_program& of = module.programs[program];
    for (int32_t f = 0; f < of.field_count; f++) {
        if (&module.tensors[of.fields[f]] == field) return true;
    }
    return false;
}

static bool trains_on(const gradc_module& module, const gradc_tensor* field) {
    for (int32_t b = 0; b < module.block_count; b++) {
        const gradc_block& block = module.blocks[b];
        if (reads(module, block.step, field)) return true;
        const gradc_whole_split& integer = block.evaluation;
        for (int32_t pass = 0; pass < integer.pass_count; pass++) {
            if (reads(module, integer.first_pass + pass, field)) return true;
        }
    }
    return false;
}

static bool is_read(const gradc_dataset& table, std::string_view name) {
    for (int32_t f = 0; f < table.field_count; f++) {
        if (name == table.fields[f].name) return true;
    }
    return false;
}

std::vector<const gradc_tensor*> generated_fields(const gradc_module& module) {
    std::vector<const gradc_tensor*> fields;
    if (module.columns < 0) return fields;
    const gradc_program& program = module.programs[module.columns];
    for (int32_t r = 0; r < program.result_count; r++) {
        std::string_view name = module.tensors[program.results[r]].name;
        const gradc_tensor* field = find_field(module, module.datasets[0], name);
        if (field && !is_read(module.datasets[0], name) && trains_on(module, field)) fields.push_back(field);
    }
    return fields;
}

static gradc_field field_like(const gradc_tensor& tensor) {
    gradc_field field{};
    field.name = tensor.name;
    field.stored = tensor.dtype;
    field.rank = tensor.rank - 1, field.shape = tensor.shape + 1;
    field.high = -1;
    return field;
}

void make_room_for_formulas(const gradc_module& module, Dataset& dataset) {
    for (const gradc_tensor* field : generated_fields(module)) dataset.formula_fields.push_back(field_like(*field));
    for (const gradc_field& field : dataset.formula_fields) dataset.formulas.emplace_back(field).grow(dataset.rows);
}

static void keep_rows(const gradc_tensor& result, const unsigned char* arena, const std::vector<int64_t>& rows,
                      Column& column) {
    size_t bytes = size_t(column.row_bytes());
    std::vector<unsigned char> values(rows.size() * bytes);
    read_tensor(result, arena, values.data(), int64_t(rows.size()));
    for (size_t i = 0; i < rows.size(); i++)
        memcpy(column.owned.data() + size_t(rows[i]) * bytes, values.data() + i * bytes, bytes);
}

void compute_formulas(Session& session, Dataset& dataset) {
    const gradc_module& module = session.module();
    if (dataset.formulas.empty()) return;
    for (int split = 0; split < int(dataset.splits.size()); split++) {
        Loader loader(module, dataset, split, GRADC_FILE_ORDER, session.seed());
        while (!loader.at_end()) {
            int64_t rows = loader.next(module.batch, session.arena());
            session.run(module.columns, rows, {});
            for (Column& column : dataset.formulas) {
                const gradc_tensor* result = session.result(module.columns, column.field->name);
                keep_rows(*result, session.arena(), loader.batch_rows(), column);
            }
        }
    }
}

} // namespace gradc::runtime

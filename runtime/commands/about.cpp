// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `info`: describes the trainer, from the module's table, and the dictionaries of a checkpoint.
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/formulas.h"

namespace gradc::runtime {

/// Of each arithmetic that the trainer has code for.
static std::string bits(const gradc_module& module) {
    std::string lines;
    auto line = [&](int isa, std::string_view meaning) {
        const char* title = lines.empty() ? "\n  bits       " : "\n             ";
        if (*module.bits[isa]) lines += text(title, module.bits[isa], "  ", arithmetic_name(isa), ": ", meaning);
    };
    line(*module.bits[GRADC_AVX512] ? GRADC_AVX512 : GRADC_AVX2, "the same bits on AVX2 and AVX-512 machines");
    line(GRADC_BASELINE, "no FMA, own bits");
    return lines;
}

static std::string identity(const gradc_module& module) {
    std::string able;
    for (int isa = 0; isa < GRADC_ISA_COUNT; isa++) {
        if (module_has(module, isa) && cpu_has(isa)) able = isa_name(isa);
    }
    return text(module.name, ": trainer compiled by ", module.compiler,
                module.options && *module.options ? " with " : "", module.options ? module.options : "",
                "\n  sources    ", module.source_hash, bits(module), "\n  built for  ", module_isas(module), "; ",
                able.empty() ? "this CPU runs none of them" : text("here it runs ", able), "\n  ABI        ",
                module.abi_version, "\n  denormals  ",
                module.flush_denormals ? "flushed to zero in steps (f32)" : "kept", "\n");
}

static std::string variables(const gradc_module& module, int32_t role, std::string_view title) {
    std::string lines;
    int64_t elements = 0, bytes = 0;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (tensor.role != role) continue;
        int64_t size = tensor_bytes(tensor);
        elements += size / element_size(tensor.dtype);
        bytes += size;
        lines += text("  ", padded(tensor.name, 36), ' ',
                      padded(text(dtype_name(tensor.dtype), shape_text(tensor.shape, tensor.rank)), 20), ' ',
                      padded_left(byte_size(double(size)), 12), '\n');
    }
    if (lines.empty()) return "";
    return text("\n", title, ": ", grouped(elements), " numbers, ", byte_size(double(bytes)), '\n', lines);
}

static std::string memory_map(const gradc_module& module) {
    std::string lines =
        text("\nmemory: ", byte_size(double(module.arena_bytes)), " in one allocation, known when compiling\n");
    auto line = [&](std::string_view name, int64_t bytes) {
        lines +=
            text("  ", padded(name, 36), ' ', padded("", 20), ' ', padded_left(byte_size(double(bytes)), 12), '\n');
    };
    line("parameters", module.parameter_bytes);
    line("optimizer", module.optimizer_bytes);
    line("activations, for the backward pass", module.activation_bytes);
    line("scratch", module.scratch_bytes);
    line("fields, scalars, constants, gaps", module.arena_bytes - module.parameter_bytes - module.optimizer_bytes -
                                                 module.activation_bytes - module.scratch_bytes);
    double more = double(module.arena_bytes) / double(std::max<int64_t>(1, module.least_bytes)) - 1;
    lines += text("  at most ", byte_size(double(module.least_bytes)), " are in use at one step; the arena is ",
                  general(100 * more, 2), " % larger\n");
    return lines;
}

/// Generated fields that are computed once; like data from files, they are outside of the arena.
static std::string kept_formulas(const gradc_module& module, const gradc_dataset& table) {
    std::string lines;
    if (&table != training_data(module)) return lines;
    for (const gradc_tensor* field : generated_fields(module)) {
        std::string type = text(dtype_name(field->dtype), shape_text(field->shape + 1, field->rank - 1));
        double row_bytes = double(tensor_bytes(*field, 1)), rows = double(table.fields[0].rows);
        lines += text("  ", padded(field->name, 20), ' ', padded(type, 16),
                      " computed once, at the start: ", byte_size(rows * row_bytes), '\n');
    }
    return lines;
}

static std::string data(const gradc_module& module) {
    std::string lines;
    for (int32_t d = 0; d < module.dataset_count; d++) {
        const gradc_dataset& table = module.datasets[d];
        lines += text("\ndata set ", table.name, '\n');
        for (int32_t f = 0; f < table.field_count; f++) {
            const gradc_field& field = table.fields[f];
            std::string files;
            for (int32_t i = 0; i < field.file_count; i++)
                files += text(i > 0 ? ", " : "", visible(field.files[i].path));
            if (field.low <= field.high && is_integer(field.stored))
                files += text(" (", field.low, "..", field.high, ")");
            lines +=
                text("  ", padded(field.name, 20), ' ',
                     padded(text(dtype_name(field.stored), shape_text(field.shape, field.rank)), 16), ' ', files, '\n');
        }
        lines += kept_formulas(module, table);
        for (int32_t s = 0; s < table.split_count; s++) {
            if (table.split_by_file) break;
            lines += text("  split ", table.splits[s].name, ": ", general(table.splits[s].fraction), '\n');
        }
        if (table.split_count > 0 && !table.split_by_file && !table.in_order)
            lines += "  rows are shuffled into splits by --split-seed (default: --seed)\n";
    }
    return lines;
}

/// Its strings in lines of at most 100 columns.
static std::string listed(const Dictionary& dictionary) {
    std::string lines, line = "   ";
    for (int64_t code = 0; code < dictionary.size(); code++) {
        std::string string = " " + quoted(dictionary.spelling(code));
        if (columns_of(line) + columns_of(string) > 100) lines += line + '\n', line = "   ";
        line += string;
    }
    return lines + line + '\n';
}

static std::string strings(const gradc_module& module, const Dictionaries& dictionaries) {
    std::string lines;
    const gradc_dataset* table = training_data(module);
    for (int32_t f = 0; table && f < table->field_count; f++) {
        const gradc_field& field = table->fields[f];
        if (!has_strings(field)) continue;
        const Dictionary* known = find_dictionary(dictionaries, field.name);
        std::string_view kind = is_text(field) ? " characters" : field.strings == GRADC_WORDS ? " words" : " classes";
        lines += text("\ndictionary of ", field.name, ": ",
                      known ? text(known->size(), kind, '\n', listed(*known))
                            : text("made from the rows, at most ", dictionary_room(field), kind,
                                   "; --checkpoint FILE shows it\n"));
    }
    return lines;
}

static std::string settings(const gradc_module& module) {
    std::string lines;
    for (int32_t b = 0; b < module.block_count; b++) {
        const gradc_block& block = module.blocks[b];
        lines += text("\nblock ", block.name, ": batch ", block.batch, ", ",
                      block.steps > 0 ? text(block.steps, " steps") : text(block.epochs, " epochs"), ", ",
                      general(module.programs[block.step].flops * 1e-6, 4), " MFLOP a step\n");
        for (const BlockFlag& known : block_flags(module)) {
            if (known.block != b) continue;
            const gradc_flag& flag = block.flags[known.flag];
            lines += text("  --", padded(known.names.front(), 18), ' ', padded_left(general(flag.value), 10), "  ",
                          flag.help ? flag.help : "", '\n');
        }
    }
    return lines;
}

ExitCode info_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    Dictionaries dictionaries;
    SafetensorsFile file;
    std::string path = arguments.value("checkpoint");
    const gradc_dataset* table = training_data(module);
    if (!path.empty() && !open_checkpoint(path, file, error)) return error.code;
    if (table && !take_dictionaries(*table, file.metadata(), path, dictionaries, error)) return error.code;
    if (table) add_alphabets(*table, dictionaries);
    print(identity(module) + variables(module, GRADC_PARAMETER, "parameters") +
              variables(module, GRADC_STATE, "states") + variables(module, GRADC_STATISTIC, "statistics") +
              variables(module, GRADC_OPTIMIZER, "optimizer states") + memory_map(module) + data(module) +
              strings(module, dictionaries) + settings(module),
          error);
    return error.code;
}

} // namespace gradc::runtime

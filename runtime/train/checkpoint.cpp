// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names of metadata, and the comparison of a file with the module.
#include "runtime/train/checkpoint.h"
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cstring>

namespace gradc::runtime {

// ---- writing -----------------------------------------------------------------------------------

static std::string listed(const std::vector<int64_t>& numbers) {
    std::string result;
    for (int64_t number : numbers) result += text(result.empty() ? "" : " ", number);
    return result;
}
static std::string listed_bits(const std::vector<double>& numbers) {
    std::string result;
    for (double number : numbers) {
        uint64_t bits;
        memcpy(&bits, &number, 8);
        result += text(result.empty() ? "" : " ", hexadecimal(bits));
    }
    return result;
}

static Metadata metadata_of(const Session& session, const Written& written) {
    const gradc_module& module = session.module();
    const Position& position = written.position;
    Metadata metadata;
    add_metadata(metadata, "format", text("gradc ", checkpoint_format));
    add_metadata(metadata, "model", module.name);
    add_metadata(metadata, "compiler", module.compiler);
    add_metadata(metadata, "options", module.options);
    add_metadata(metadata, "source_hash", module.source_hash);
    add_metadata(metadata, "bits", module.bits[session.isa()]);
    add_metadata(metadata, "data_hash", hexadecimal(written.data_hash));
    add_metadata(metadata, "arithmetic", arithmetic_name(session.isa()));
    add_metadata(metadata, "step", integer(position.step));
    add_metadata(metadata, "epoch", integer(position.epoch));
    add_metadata(metadata, "cursor", integer(position.cursor));
    add_metadata(metadata, "block", integer(position.block));
    add_metadata(metadata, "turn", integer(position.turn));
    add_metadata(metadata, "block_steps", listed(position.block_steps));
    add_metadata(metadata, "loss_sums", listed_bits(position.loss_sums));
    add_metadata(metadata, "loss_rows", listed_bits(position.loss_rows));
    put_settings(module, written.settings, metadata);
    put_dictionaries(written.dictionaries, metadata);
    JsonWriter history;
    write_epochs(history, written.epochs);
    add_metadata(metadata, "epochs_reported", history.text());
    return metadata;
}

static bool is_kept(const gradc_tensor& tensor) { return is_variable(tensor) || tensor.role == GRADC_ACCUMULATOR; }

bool write_checkpoint(const Session& session, const Written& written, Error& error) {
    const gradc_module& module = session.module();
    std::vector<WrittenTensor> tensors;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!is_kept(tensor)) continue;
        tensors.push_back({file_name_of(tensor),
                           tensor.dtype,
                           {tensor.shape, tensor.shape + tensor.rank},
                           [&tensor, &session](unsigned char* to) { read_tensor(tensor, session.arena(), to); }});
    }
    return write_safetensors(written.settings.checkpoint, tensors, metadata_of(session, written), error);
}

// ---- reading -----------------------------------------------------------------------------------

bool open_checkpoint(const std::string& path, SafetensorsFile& file, Error& error) {
    if (!exists(path)) return error.fail(path, ": error: there is no such checkpoint");
    if (!file.open(path, error)) return false;
    std::string format = metadata_value(file.metadata(), "format");
    int64_t version = 0;
    if (!format.starts_with("gradc ") || !parse_integer(format.substr(6), version))
        return true; // weights of another program
    if (version < checkpoint_format)
        return error.fail(path, ": error: was written by gradc 0.1, which had other names; train it again");
    if (version == checkpoint_format) {
        return !metadata_value(file.metadata(), "checksum").empty() ||
               error.fail(path, ": error: damaged: it has no checksum");
    }
    return error.fail(path, ": error: was written by a newer gradc (format ", version, "; this trainer reads ",
                      checkpoint_format, ")");
}

/// Lines about tensors, twenty at most.
struct Lines {
    std::string all;
    int count = 0;
    void add(const std::string& line) {
        if (++count <= 20) all += "\n    " + line;
    }
    std::string text() const { return count > 20 ? all + runtime::text("\n    and ", count - 20, " more") : all; }
};

/// The tensors of a file beside those of the module.
struct Comparison {
    struct Pair {
        const gradc_tensor* tensor;
        const StoredTensor* stored;
    };
    std::vector<Pair> pairs; // that fit
    Lines missing;           // in the file
    Lines unlike;            // of another shape or dtype
    Lines unknown;           // in the module; they do not count among `different`
    int different() const { return missing.count + unlike.count; }
};

enum class Part { weights, whole_run };

/// A tensor that evaluation reads; the others belong to a run.
static bool is_weight(const gradc_tensor& tensor) { return is_variable(tensor) && tensor.role != GRADC_OPTIMIZER; }

/// The name of an optimizer state or a sum begins with that of its block.
static bool belongs_to_run(std::string_view name, const gradc_module& module) {
    return std::any_of(module.blocks, module.blocks + module.block_count, [&](const gradc_block& block) {
        return name.starts_with(block.name) && name.substr(strlen(block.name)).starts_with('.');
    });
}

static std::string shape_of(const gradc_tensor& tensor) {
    return text(dtype_name(tensor.dtype), shape_text(tensor.shape, tensor.rank));
}
static std::string shape_of(const StoredTensor& stored) {
    return text(dtype_name(stored.dtype), shape_text(stored.shape.data(), int(stored.shape.size())));
}

/// Floating-point weights are converted; a run goes on with the dtypes that it had.
static bool fits(const gradc_tensor& tensor, const StoredTensor& stored, Part part) {
    bool converts = part == Part::weights && !is_integer(tensor.dtype) && !is_integer(stored.dtype);
    return (converts || tensor.dtype == stored.dtype) &&
           stored.shape == std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank);
}

static Comparison compare(const SafetensorsFile& file, const gradc_module& module, Part part, std::string_view only) {
    Comparison result;
    std::vector<std::string_view> known;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        std::string_view name = file_name_of(tensor);
        if (!is_kept(tensor)) continue;
        known.push_back(name);
        if (!any_matches(only, name) || (part == Part::weights && !is_variable(tensor))) continue;
        const StoredTensor* stored = file.find(name);
        bool needed = part == Part::whole_run || is_weight(tensor);
        if (stored && fits(tensor, *stored, part)) result.pairs.push_back({&tensor, stored});
        else if (stored && needed)
            result.unlike.add(
                text(name, ": ", shape_of(tensor), " in this trainer, ", shape_of(*stored), " in the file"));
        else if (needed) result.missing.add(text(name, ": ", shape_of(tensor), " in this trainer, absent in the file"));
    }
    for (const StoredTensor& stored : file.tensors()) {
        bool is_known = std::find(known.begin(), known.end(), stored.name) != known.end() ||
                        (part == Part::weights && belongs_to_run(stored.name, module));
        if (!is_known && any_matches(only, stored.name))
            result.unknown.add(
                text(visible(stored.name), ": absent in this trainer, ", shape_of(stored), " in the file"));
    }
    return result;
}

static void copy_tensors(const SafetensorsFile& file, const std::vector<Comparison::Pair>& pairs, Session& session) {
    for (auto [tensor, stored] : pairs) {
        const unsigned char* numbers = file.numbers(*stored);
        std::vector<unsigned char> converted;
        if (tensor->dtype != stored->dtype) {
            int64_t from = element_size(stored->dtype), to = element_size(tensor->dtype);
            converted.resize(size_t(tensor_bytes(*tensor)));
            for (int64_t i = 0; i * to < int64_t(converted.size()); i++)
                store_element(&converted[size_t(i * to)], tensor->dtype,
                              load_element(numbers + i * from, stored->dtype));
            numbers = converted.data();
        }
        write_tensor(*tensor, session.arena(), numbers);
    }
}

static std::string another_model(const SafetensorsFile& file, const std::string& path, const gradc_module& module,
                                 const std::string& lines) {
    std::string name = metadata_value(file.metadata(), "model");
    return text(path, ": error: the checkpoint of another model",
                name.empty() || name == module.name ? "" : text(" (", visible(name), ")"), ":", lines);
}

bool restore_weights(const SafetensorsFile& file, const std::string& path, Session& session, Error& error) {
    Comparison found = compare(file, session.module(), Part::weights, "");
    if (found.different() > 0)
        return error.set(another_model(file, path, session.module(), found.unlike.text() + found.missing.text()));
    copy_tensors(file, found.pairs, session);
    return true;
}

/// The name of a tensor, or of a group of them, that is most like the pattern.
static std::string nearest_tensor(std::string_view pattern, const SafetensorsFile& file, const gradc_module& module) {
    std::vector<std::string> names;
    auto add = [&](std::string_view name) {
        for (size_t end = 0; end < name.size();) names.emplace_back(name.substr(0, end = name.find('.', end + 1)));
    };
    for (const StoredTensor& stored : file.tensors()) add(stored.name);
    for (int32_t t = 0; t < module.tensor_count; t++)
        if (is_weight(module.tensors[t])) add(file_name_of(module.tensors[t]));
    return nearest(pattern.ends_with(".*") ? pattern.substr(0, pattern.size() - 2) : pattern, names);
}

bool take_weights(const SafetensorsFile& file, const std::string& path, std::string_view only, Session& session,
                  std::string& note, Error& error) {
    const gradc_module& module = session.module();
    Comparison found = compare(file, module, Part::weights, only);
    std::string single = found.missing.text() + found.unknown.text();
    if (found.unlike.count > 0) return error.fail(path, ": error: tensors of another shape:", found.unlike.text());
    std::erase_if(found.pairs, [](const Comparison::Pair& pair) { return !is_weight(*pair.tensor); });
    for (std::string_view rest = only; !rest.empty();) {
        std::string_view pattern = take_pattern(rest);
        bool any = std::any_of(found.pairs.begin(), found.pairs.end(), [&](const Comparison::Pair& pair) {
            return matches(pattern, file_name_of(*pair.tensor));
        });
        if (any) continue;
        std::string near = single.empty() ? nearest_tensor(pattern, file, module) : "";
        return error.fail(path, ": error: no tensor that matches ", quoted(pattern),
                          " is both in it and in this trainer", near.empty() ? "" : "; did you mean ", near,
                          near.empty() ? "" : "?", single.empty() ? "" : ":", single);
    }
    if (found.pairs.empty())
        return error.fail(path, ": error: none of its tensors has a name of this trainer:", single);
    copy_tensors(file, found.pairs, session);
    if (module.derived > 0) { // a state may start from a weight; the file may have that state too
        session.run(module.derived - 1, 1, {});
        copy_tensors(file, found.pairs, session);
    }
    note = text(visible(path), ": note: ", found.pairs.size(), found.pairs.size() == 1 ? " tensor" : " tensors",
                " taken", single.empty() ? "" : "; others are only on one side:", single);
    return true;
}

static bool parse_list(std::string_view list, std::vector<int64_t>& numbers) {
    for (int64_t& number : numbers) {
        size_t end = std::min(list.find(' '), list.size());
        if (!parse_integer(list.substr(0, end), number)) return false;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return list.empty();
}
static bool parse_bits(std::string_view list, std::vector<double>& numbers) {
    if (list.size() + 1 != numbers.size() * 17) return false;
    for (size_t i = 0; i < numbers.size(); i++) {
        uint64_t bits = 0;
        for (char digit : list.substr(i * 17, 16)) {
            size_t worth = std::string_view("0123456789abcdef").find(digit);
            if (worth == std::string_view::npos) return false;
            bits = bits << 4 | worth;
        }
        memcpy(&numbers[i], &bits, 8);
    }
    return true;
}

static bool read_position(const Metadata& metadata, const gradc_module& module, Position& position) {
    size_t blocks = size_t(module.block_count);
    position.block_steps.assign(blocks, 0);
    position.loss_sums.assign(blocks, 0);
    position.loss_rows.assign(blocks, 0);
    int64_t block = 0;
    bool read = parse_integer(metadata_value(metadata, "step"), position.step) &&
                parse_integer(metadata_value(metadata, "epoch"), position.epoch) &&
                parse_integer(metadata_value(metadata, "cursor"), position.cursor) &&
                parse_integer(metadata_value(metadata, "turn"), position.turn) &&
                parse_integer(metadata_value(metadata, "block"), block) &&
                parse_list(metadata_value(metadata, "block_steps"), position.block_steps) &&
                parse_bits(metadata_value(metadata, "loss_sums"), position.loss_sums) &&
                parse_bits(metadata_value(metadata, "loss_rows"), position.loss_rows);
    if (!read || block < 0 || block >= module.block_count) return false;
    position.block = int32_t(block);
    return true;
}

/// The first value of a position that no run can reach, as "name value"; "" if there is none.
static std::string impossible_part(const Position& position, const gradc_module& module, int64_t rows) {
    constexpr int64_t most = int64_t(1) << 53;
    auto outside = [](int64_t number, int64_t end) { return number < 0 || number >= end; };
    if (outside(position.step, most)) return text("step ", position.step);
    int64_t steps = 0;
    for (int64_t count : position.block_steps) {
        if (outside(count, position.step + 1)) return text("block_steps ", count);
        steps += count;
    }
    if (steps != position.step) return text("step ", position.step);
    if (outside(position.epoch, position.step + 1)) return text("epoch ", position.epoch);
    if (outside(position.cursor, rows > 0 ? rows : position.step + 1)) return text("cursor ", position.cursor);
    int64_t turns = std::max<int64_t>(1, module.blocks[position.block].turns);
    if (outside(position.turn, turns)) return text("turn ", position.turn);
    for (double count : position.loss_rows) {
        if (!(count >= 0 && count < double(most))) return text("loss_rows ", general(count));
    }
    return "";
}

/// Other differences, as a sentence; "" if there are none.
static std::string other_origin(const Metadata& metadata, const Session& session, uint64_t data_hash) {
    const gradc_module& module = session.module();
    std::string says;
    auto compare = [&](std::string_view what, std::string_view key, std::string_view own) {
        std::string theirs = metadata_value(metadata, key);
        if (theirs != own)
            says +=
                text("\n    ", what, ": ", own, " here, ", theirs.empty() ? "none" : visible(theirs), " in the file");
    };
    std::string_view own = module.bits[session.isa()];
    if (metadata_value(metadata, "bits") != own) {
        compare("bits", "bits", own);
        compare("arithmetic", "arithmetic", arithmetic_name(session.isa()));
        compare("model file", "source_hash", module.source_hash);
        compare("options", "options", module.options);
        compare("compiler", "compiler", module.compiler);
    }
    compare("data", "data_hash", hexadecimal(data_hash));
    return says;
}

bool restore_run(const SafetensorsFile& file, const Settings& settings, const Material& data, Session& session,
                 Position& position, std::vector<EpochReport>& epochs, Error& error) {
    const gradc_module& module = session.module();
    const std::string& path = settings.checkpoint;
    Comparison found = compare(file, module, Part::whole_run, "");
    if (found.different() + found.unknown.count > 0)
        return error.set(
            another_model(file, path, module, found.unlike.text() + found.missing.text() + found.unknown.text()));
    if (!read_position(file.metadata(), module, position)) {
        return error.fail(path, ": error: it holds weights, but no run to resume");
    }
    std::string origin = other_origin(file.metadata(), session, data.hash);
    if (!origin.empty() && !settings.allow_mismatch) {
        return error.fail(path, ": error: the run in this checkpoint had another origin:", origin,
                          "\n--resume --allow-mismatch continues from it; the bits may differ");
    }
    std::string problem = impossible_part(position, module, data.rows);
    std::string reported = metadata_value(file.metadata(), "epochs_reported");
    if (problem.empty() && !reported.empty() && !read_epochs(reported, epochs)) problem = "epochs_reported";
    if (!problem.empty()) return error.fail(path, ": error: its position is invalid: ", problem);
    copy_tensors(file, found.pairs, session);
    return true;
}

} // namespace gradc::runtime

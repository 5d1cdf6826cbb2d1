// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names of metadata, and the comparison of a file with the module.
#include "runtime/train/checkpoint.h"
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
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

/// One line for each tensor that the file lacks or has in another shape; for whole runs also for each that the module
/// lacks.
static std::string differences(const SafetensorsFile& file, const gradc_module& module, bool whole_run) {
    std::string lines;
    int count = 0;
    auto line = [&](const std::string& what) {
        if (++count <= 20) lines += "\n    " + what;
    };
    std::vector<std::string_view> known;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!is_kept(tensor)) continue;
        known.push_back(file_name_of(tensor));
        if (!whole_run && (tensor.role == GRADC_OPTIMIZER || tensor.role == GRADC_ACCUMULATOR)) continue;
        const StoredTensor* stored = file.find(file_name_of(tensor));
        std::string own = text(dtype_name(tensor.dtype), shape_text(tensor.shape, tensor.rank));
        if (!stored) {
            line(text(file_name_of(tensor), ": ", own, " in this trainer, absent in the file"));
            continue;
        }
        std::string theirs =
            text(dtype_name(stored->dtype), shape_text(stored->shape.data(), int(stored->shape.size())));
        if (own != theirs) line(text(file_name_of(tensor), ": ", own, " in this trainer, ", theirs, " in the file"));
    }
    for (const StoredTensor& stored : file.tensors()) {
        if (!whole_run) break;
        bool is_known = false;
        for (std::string_view name : known) is_known |= name == stored.name;
        if (is_known) continue;
        line(text(visible(stored.name), ": absent in this trainer, ", dtype_name(stored.dtype),
                  shape_text(stored.shape.data(), int(stored.shape.size())), " in the file"));
    }
    if (count > 20) lines += text("\n    and ", count - 20, " more");
    return lines;
}

static void copy_tensors(const SafetensorsFile& file, Session& session, bool whole_run) {
    const gradc_module& module = session.module();
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!is_kept(tensor) || (!whole_run && !is_variable(tensor))) continue;
        const StoredTensor* stored = file.find(file_name_of(tensor));
        if (stored && stored->end - stored->begin == tensor_bytes(tensor)) {
            write_tensor(tensor, session.arena(), file.numbers(*stored));
        }
    }
}

static std::string another_model(const SafetensorsFile& file, const std::string& path, const gradc_module& module,
                                 const std::string& lines) {
    std::string name = metadata_value(file.metadata(), "model");
    return text(path, ": error: the checkpoint of another model",
                name.empty() || name == module.name ? "" : text(" (", visible(name), ")"), ":", lines);
}

bool restore_weights(const SafetensorsFile& file, const std::string& path, Session& session, Error& error) {
    std::string lines = differences(file, session.module(), false);
    if (!lines.empty()) return error.set(another_model(file, path, session.module(), lines));
    copy_tensors(file, session, false);
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
    std::string lines = differences(file, module, true);
    if (!lines.empty()) return error.set(another_model(file, path, module, lines));
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
    copy_tensors(file, session, true);
    return true;
}

} // namespace gradc::runtime

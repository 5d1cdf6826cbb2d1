// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The interpreter of the protocol.
#include "runtime/commands/turns.h"
#include "runtime/base/console.h"
#include "runtime/base/files.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/data/array_file.h"
#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc::runtime {

namespace {

/// The next line of standard input without its end; false at its end.
bool read_line(std::string& line) {
    line.clear();
    for (char byte;;) {
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return !line.empty();
        if (byte == '\n') return true;
        line += byte;
    }
}

bool make_folder(const std::string& folder, Error& error) {
    if (mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return true;
    return error.fail(folder, ": error: cannot create this folder: ", system_error());
}

/// `bytes` are of that many batches, one after another.
bool write_array(const std::string& folder, std::string name, const gradc_tensor& tensor, std::vector<int64_t> before,
                 int64_t rows, const std::vector<unsigned char>& bytes, Error& error) {
    std::replace(name.begin(), name.end(), '/', '_');
    before.insert(before.end(), tensor.shape, tensor.shape + tensor.rank);
    if (tensor.has_rows) before[before.size() - size_t(tensor.rank)] = rows;
    ReplacingFile file(joined(folder, name + ".npy"));
    return file.open(error) && file.write(npy_header(tensor.dtype, before), error) &&
           file.write(bytes.data(), bytes.size(), error) && file.commit(error);
}

bool write_weights(const Turns& turns, const std::string& folder, Error& error) {
    if (!make_folder(folder, error)) return false;
    const gradc_module& module = turns.session.module();
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (tensor.role != GRADC_PARAMETER && tensor.role != GRADC_STATE) continue;
        std::vector<unsigned char> bytes(static_cast<size_t>(tensor_bytes(tensor)));
        read_tensor(tensor, turns.session.arena(), bytes.data());
        if (!write_array(folder, file_name_of(tensor), tensor, {}, 0, bytes, error)) return false;
    }
    return true;
}

bool write_rows(const Turns& turns, const std::string& folder, int64_t count, Error& error) {
    if (!make_folder(folder, error)) return false;
    if (!turns.loader) return true;
    const gradc_module& module = turns.session.module();
    const gradc_program& step = module.programs[turns.block.step];
    std::vector<std::vector<unsigned char>> columns(size_t(step.field_count));
    turns.loader->begin(0);
    for (int64_t batch = 0; batch < count; batch++) {
        fill_batch(turns.session, turns.loader, turns.batch);
        for (int32_t f = 0; f < step.field_count; f++) {
            const gradc_tensor& tensor = module.tensors[step.fields[f]];
            std::vector<unsigned char>& bytes = columns[size_t(f)];
            size_t at = bytes.size();
            bytes.resize(at + size_t(tensor_bytes(tensor, turns.batch)));
            read_tensor(tensor, turns.session.arena(), bytes.data() + at, turns.batch);
        }
    }
    for (int32_t f = 0; f < step.field_count; f++) {
        const gradc_tensor& tensor = module.tensors[step.fields[f]];
        if (!write_array(folder, tensor.name, tensor, {count}, turns.batch, columns[size_t(f)], error)) return false;
    }
    return true;
}

std::string losses(const Turns& turns, int64_t count) {
    if (turns.loader) turns.loader->begin(0);
    std::string numbers;
    double first = 0;
    for (int64_t step = 1; step <= count; step++) {
        fill_batch(turns.session, turns.loader, turns.batch);
        double begin = now();
        turns.session.run(turns.block.step, turns.batch, {double(step), 1e6, 1});
        if (step == 1) first = now() - begin;
        numbers += text(" ", exact(turns.session.loss(turns.block.step)));
    }
    return text("losses ", exact(first), numbers, "\n");
}

std::string round_of(const Turns& turns, double seconds) {
    StepTimes times = turns.measure(seconds);
    return text("round ", exact(times.fastest), " ", exact(times.median), " ", times.steps, " ", exact(times.peak),
                "\n");
}

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    for (size_t at = 0; at < line.size();) {
        size_t end = std::min(line.find(' ', at), line.size());
        if (end > at) words.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

bool answer(const Turns& turns, const std::string& line, std::string& reply, Error& error) {
    std::vector<std::string> words = words_of(line);
    int64_t count = 0;
    double seconds = 0;
    if (words.size() >= 3 && words[0] == "batches" && parse_integer(words.back(), count)) {
        size_t begin = line.find(' ') + 1; // the folder may have spaces
        std::string folder = line.substr(begin, line.rfind(' ') - begin);
        reply = "batches\n";
        return write_weights(turns, joined(folder, "weights"), error) &&
               write_rows(turns, joined(folder, "rows"), count, error);
    }
    if (words.size() == 2 && words[0] == "losses" && parse_integer(words[1], count))
        return reply = losses(turns, count), true;
    if (words.size() == 2 && words[0] == "round" && parse_number(words[1], seconds))
        return reply = round_of(turns, seconds), true;
    if (words.size() == 1 && words[0] == "machine") {
        reply = text("machine ", turns.batch, " ", exact(turns.flops), " ", isa_name(turns.session.isa()), "\n");
        return true;
    }
    return error.fail_as(wrong_usage, "--turns: unknown command `", line, "`");
}

} // namespace

void fill_batch(Session& session, Loader* loader, int64_t batch) {
    if (!loader) return number_rows(session.module(), session.arena(), batch);
    if (loader->at_end()) loader->begin(0);
    loader->next(batch, session.arena());
}

bool take_turns(const Turns& turns, Error& error) {
    bool heard = print("ready\n", error);
    for (std::string line; heard && read_line(line) && line != "end";) {
        std::string reply;
        heard = answer(turns, line, reply, error) && print(reply, error);
    }
    return heard;
}

} // namespace gradc::runtime

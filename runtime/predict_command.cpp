// `predict`: one CSV line a row with what `predict` in the model is worth; codes of characters
// become text again.
#include "runtime/data/characters.h"
#include "runtime/element.h"
#include "runtime/evaluation.h"
#include "runtime/tensor.h"
#include "runtime/text.h"
#include "runtime/trainer.h"
#include <unistd.h>

namespace gradc::runtime {

namespace {

/// CSV that goes to standard output as it grows, or to a file that appears when it is whole.
class CsvSink {
public:
    bool open(const std::string& path, Fault& fault) {
        if (path.empty()) return true;
        file_.emplace(path);
        return file_->open(fault);
    }
    /// False when nobody reads any more, or with a fault.
    bool write(std::string_view text, Fault& fault) {
        if (file_) return file_->write(text, fault);
        buffer_ += text;
        return buffer_.size() < (1 << 16) || flush();
    }
    bool finish(Fault& fault) { return file_ ? file_->commit(fault) : flush(); }

private:
    bool flush() {
        bool written = write_all(STDOUT_FILENO, buffer_);
        buffer_.clear();
        return written;
    }
    std::optional<ReplacingFile> file_;
    std::string buffer_;
};

const gradc_block* predicting_block(const gradc_module& module) {
    for (int32_t b = 0; b < module.block_count; b++) {
        if (module.blocks[b].predict >= 0) return &module.blocks[b];
    }
    return nullptr;
}

class Prediction {
public:
    Prediction(const gradc_module& module, const gradc_tensor& result, const gradc_dataset* table)
        : result_(result), has_rows_(result.has_rows != 0) {
        if (!table || !is_whole(result.element) || result.rank < 2) return;
        for (int32_t f = 0; f < table->field_count; f++) {
            if (table->fields[f].reader == GRADC_READ_CHARACTERS)
                alphabet_.emplace(table->fields[f].alphabet);
        }
        (void)module;
    }
    std::string header() const {
        int64_t width = columns();
        if (width == 1 || alphabet_) return "predict\n";
        std::string line;
        for (int64_t i = 0; i < width; i++) line += text(i > 0 ? "," : "", "predict_", i);
        return line + "\n";
    }
    std::string lines(const unsigned char* arena, int64_t rows) {
        bytes_.resize(size_t(tensor_bytes(result_, rows)));
        read_tensor(result_, arena, bytes_.data(), rows);
        std::string result;
        int64_t width = columns(), size = element_size(result_.element);
        int64_t count = has_rows_ ? rows : 1;
        for (int64_t row = 0; row < count; row++) {
            const unsigned char* at = bytes_.data() + row * width * size;
            result += alphabet_ ? written(at, width) : numbers(at, width);
            result += '\n';
        }
        return result;
    }

private:
    int64_t columns() const {
        return element_count(result_.shape + (has_rows_ ? 1 : 0),
                             result_.rank - (has_rows_ ? 1 : 0));
    }
    std::string numbers(const unsigned char* at, int64_t width) const {
        int64_t size = element_size(result_.element);
        std::string line;
        for (int64_t i = 0; i < width; i++) {
            double value = load_element(at + i * size, result_.element);
            bool is_double = result_.element == GRADC_F64;
            line += text(i > 0 ? "," : "",
                         is_double || is_whole(result_.element) ? exact(value) : general(value, 9));
        }
        return line;
    }
    std::string written(const unsigned char* at, int64_t width) const { // text, as one quoted cell
        int64_t size = element_size(result_.element);
        std::string cell = "\"";
        for (int64_t i = 0; i < width; i++) {
            auto code = int64_t(load_element(at + i * size, result_.element));
            if (code < 0 || code >= alphabet_->size()) continue;
            std::string_view spelling = alphabet_->spelling(code);
            cell += spelling == "\"" ? "\"\"" : spelling;
        }
        return cell + "\"";
    }

    const gradc_tensor& result_;
    bool has_rows_;
    std::optional<Alphabet> alphabet_;
    std::vector<unsigned char> bytes_;
};

/// The split to predict: --split, else "test", else the last.
int choose_split(const Dataset& dataset, const std::string& wanted, Fault& fault) {
    int split = dataset.find_split(wanted.empty() ? "test" : wanted);
    if (split >= 0 || wanted.empty()) return split >= 0 ? split : int(dataset.splits.size()) - 1;
    std::string known;
    for (const Split& each : dataset.splits) known += text(known.empty() ? "" : ", ", each.name);
    fault.fail_as(wrong_usage, "--split ", wanted, ": the data has ", known);
    return -1;
}

/// Fields of the data set that the program reads.
std::vector<bool> needed_fields(const gradc_module& module, const gradc_dataset& table,
                                const gradc_program& program) {
    std::vector<bool> needed;
    for (int32_t f = 0; f < table.field_count; f++) {
        const gradc_tensor* tensor = find_field(module, table, table.fields[f].name);
        bool read = false;
        for (int32_t i = 0; i < program.field_count; i++)
            read |= &module.tensors[program.fields[i]] == tensor;
        needed.push_back(read);
    }
    return needed;
}

ExitCode predict_rows(Prepared& prepared, const gradc_block& block, int split, CsvSink& sink,
                      Fault& fault) {
    Session& session = *prepared.session;
    const gradc_module& module = session.module();
    const gradc_tensor& result = *session.result(block.predict, "predict");
    Prediction prediction(module, result, prepared.dataset.table);
    bool open = sink.write(prediction.header(), fault);
    Loader loader(module, prepared.dataset, split, GRADC_FILE_ORDER, session.seed());
    while (open && !loader.at_end()) {
        int64_t rows = loader.next(module.batch, session.arena());
        session.run(block.predict, rows, {});
        open = sink.write(prediction.lines(session.arena(), rows), fault);
    }
    if (open) sink.finish(fault);
    return fault.code;
}

ExitCode predict_drawn(Prepared& prepared, const gradc_block& block, int64_t wanted, CsvSink& sink,
                       Fault& fault) {
    Session& session = *prepared.session;
    const gradc_module& module = session.module();
    Prediction prediction(module, *session.result(block.predict, "predict"), nullptr);
    bool open = sink.write(prediction.header(), fault);
    double step = 1;
    for (int64_t done_rows = 0; open && done_rows < wanted; step++) {
        int64_t rows = std::min(wanted - done_rows, module.batch);
        number_rows(module, session.arena(), rows);
        session.run(block.predict, rows, {step, 1, 1});
        open = sink.write(prediction.lines(session.arena(), rows), fault);
        done_rows += rows;
    }
    if (open) sink.finish(fault);
    return fault.code;
}

} // namespace

ExitCode predict_command(const gradc_module& module, const Arguments& arguments, Fault& fault) {
    const gradc_block* block = predicting_block(module);
    if (!block)
        return fault.fail("the train block of ", module.name, " has no `predict` line"), fault.code;
    const std::vector<std::string>& files = arguments.others();
    if (files.size() > 1) return fault.set("predict takes one file", wrong_usage), fault.code;
    const gradc_dataset* table = training_data(module);
    std::vector<bool> needed;
    bool reads_fields = false;
    if (table) needed = needed_fields(module, *table, module.programs[block->predict]);
    for (bool field : needed) reads_fields |= field;
    int64_t rows = module.batch;
    if (!arguments.whole("rows", 1, int64_t(1) << 40, rows, fault)) return fault.code;
    bool drawn = !reads_fields && (files.empty() || !table) && (arguments.has("rows") || !table);
    Prepared prepared;
    bool own_data = !drawn && files.empty();
    if (!prepare(module, arguments, {own_data, true}, prepared, fault)) return fault.code;
    if (!files.empty()) {
        if (!reads_fields)
            return fault.set("what is predicted depends on no row; leave the file out",
                             wrong_usage),
                   fault.code;
        if (!load_rows(*table, needed, files[0], prepared.dataset, fault)) return fault.code;
    }
    int split = 0;
    if (own_data) split = choose_split(prepared.dataset, arguments.value("split"), fault);
    CsvSink sink;
    if (split < 0 || !sink.open(arguments.value("out"), fault)) return fault.code;
    return drawn ? predict_drawn(prepared, *block, rows, sink, fault)
                 : predict_rows(prepared, *block, split, sink, fault);
}

} // namespace gradc::runtime

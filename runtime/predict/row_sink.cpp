// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The three formats of predicted rows.
#include "runtime/predict/row_sink.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include "runtime/data/array_file.h"

namespace gradc::runtime {

/// The field of predicted integers, if it is the only integer of the data and has a dictionary.
static const gradc_field* coded_field(const gradc_dataset* table) {
    const gradc_field* coded = nullptr;
    for (int32_t f = 0; table && f < table->field_count; f++) {
        const gradc_field& field = table->fields[f];
        if (!is_integer(field.stored) || is_row_number(field)) continue;
        bool same = coded && is_text(*coded) && is_text(field);
        if (!has_strings(field) || (coded && !same)) return nullptr;
        coded = &field;
    }
    return coded;
}

RowSink::RowSink(const gradc_tensor& result, const gradc_dataset* table, const Dictionaries& dictionaries,
                 std::vector<std::string> names)
    : result_(result), names_(std::move(names)) {
    int skip = result.has_rows ? 1 : 0;
    width_ = element_count(result.shape + skip, result.rank - skip);
    const gradc_field* coded = coded_field(table);
    const Dictionary* known = coded ? find_dictionary(dictionaries, coded->name) : nullptr;
    if (!known) return;
    characters_ = is_text(*coded);
    bool integers = is_integer(result.dtype) && result.dtype != GRADC_BOOL;
    if (integers) dictionary_ = known;
    if (integers || characters_ || !names_.empty() || known->size() != width_) return;
    for (int64_t code = 0; code < width_; code++) names_.emplace_back(known->spelling(code));
}

/// Quoted where RFC 4180 requires it.
static std::string csv_cell(const std::string& name) {
    bool plain = visible(name) == name && name.find_first_of("\",") == std::string::npos;
    if (plain && !name.starts_with(' ') && !name.ends_with(' ')) return name;
    std::string cell = "\"";
    for (char byte : name) cell += byte == '"' ? "\"\"" : std::string(1, byte);
    return cell + '"';
}

std::string RowSink::header() const {
    if (width_ == 1 || characters()) return (names_.empty() ? "predict" : csv_cell(names_[0])) + "\n";
    std::string line;
    for (int64_t i = 0; i < width_; i++) {
        line += i > 0 ? "," : "";
        line += names_.empty() ? text("predict_", i) : csv_cell(names_[size_t(i)]);
    }
    return line + "\n";
}

bool RowSink::open(const std::string& path, int64_t rows, Error& error) {
    if (path.ends_with(".npy")) format_ = Format::npy;
    if (path.ends_with(".txt")) format_ = Format::text;
    if (format_ == Format::text && !characters())
        return error.fail_as(wrong_usage, "--output ", path, ": the prediction is not text; write .csv or .npy");
    if (!names_.empty() && int64_t(names_.size()) != (characters() ? 1 : width_))
        return error.fail_as(wrong_usage, "--class-names has ", names_.size(), ", but a row has ",
                             characters() ? 1 : width_);
    if (!path.empty()) {
        file_.emplace(path);
        if (!file_->open(error)) return false;
    }
    if (format_ == Format::text) return true;
    if (format_ == Format::csv) return write(header(), error);
    std::vector<int64_t> shape(result_.shape, result_.shape + result_.rank);
    if (result_.has_rows) shape[0] = rows;
    return write(npy_header(result_.dtype, shape), error);
}

std::string RowSink::numbers(const unsigned char* at) const {
    int64_t size = element_size(result_.dtype);
    bool in_full = result_.dtype == GRADC_F64 || is_integer(result_.dtype);
    std::string line;
    for (int64_t i = 0; i < width_; i++) {
        double value = load_element(at + i * size, result_.dtype);
        bool is_code = dictionary_ && value >= 0 && value < double(dictionary_->size());
        line += text(i > 0 ? "," : "", is_code   ? csv_cell(std::string(dictionary_->spelling(int64_t(value))))
                                       : in_full ? exact(value)
                                                 : general(value, 9));
    }
    return line;
}

/// The characters of one row; one quoted cell in CSV.
std::string RowSink::written(const unsigned char* at) const {
    int64_t size = element_size(result_.dtype);
    bool quotes = format_ == Format::csv;
    std::string cell = quotes ? "\"" : "";
    for (int64_t i = 0; i < width_; i++) {
        auto code = int64_t(load_element(at + i * size, result_.dtype));
        if (code < 0 || code >= dictionary_->size()) continue;
        std::string_view spelling = dictionary_->spelling(code);
        cell += quotes && spelling == "\"" ? "\"\"" : spelling;
    }
    return quotes ? cell + "\"" : cell;
}

bool RowSink::add(const unsigned char* bytes, int64_t rows, Error& error) {
    if (done_) return true;
    done_ = !result_.has_rows;
    int64_t count = result_.has_rows ? rows : 1, size = element_size(result_.dtype);
    std::string lines;
    if (format_ == Format::npy && result_.dtype != GRADC_BF16) {
        return write({reinterpret_cast<const char*>(bytes), size_t(count * width_ * size)}, error);
    }
    for (int64_t row = 0; row < count; row++, bytes += width_ * size) {
        if (format_ == Format::npy) { // numpy has no bf16
            for (int64_t i = 0; i < width_; i++) {
                auto number = float(load_element(bytes + i * size, GRADC_BF16));
                lines.append(reinterpret_cast<const char*>(&number), sizeof number);
            }
            continue;
        }
        lines += characters() ? written(bytes) : numbers(bytes);
        // Rows of one character each form one text.
        if (format_ == Format::csv || width_ > 1) lines += '\n';
    }
    return write(lines, error);
}

bool RowSink::write(std::string_view text, Error& error) {
    if (file_) return file_->write(text, error);
    buffer_ += text;
    return buffer_.size() < (1 << 16) || flush(error);
}

bool RowSink::flush(Error& error) {
    bool written = print(buffer_, error);
    buffer_.clear();
    return written;
}

bool RowSink::finish(Error& error) { return file_ ? file_->commit(error) : flush(error); }

} // namespace gradc::runtime

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plain u8 data are used in place, in the mapped file; all other data are converted number by number.
#include "runtime/data/array_file.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

namespace {

template <class Number> double as(const unsigned char* bytes) {
    Number number;
    memcpy(&number, bytes, sizeof number);
    return double(number);
}

} // namespace

double read_number(const unsigned char* at, FileNumber number) {
    unsigned char bytes[8];
    for (int i = 0; i < number.size; i++) bytes[i] = at[number.big_endian ? number.size - 1 - i : i];
    if (number.kind == 'f') {
        return number.size == 2 ? load_half(bytes) : number.size == 4 ? as<float>(bytes) : as<double>(bytes);
    }
    bool is_signed = number.kind == 'i';
    switch (number.size) {
    case 1: return is_signed ? as<int8_t>(bytes) : as<uint8_t>(bytes);
    case 2: return is_signed ? as<int16_t>(bytes) : as<uint16_t>(bytes);
    case 4: return is_signed ? as<int32_t>(bytes) : as<uint32_t>(bytes);
    default: return is_signed ? as<int64_t>(bytes) : as<uint64_t>(bytes);
    }
}

namespace {

/// The size of the array in bytes by its header; -1 if it overflows.
int64_t promised_bytes(const FileArray& array) {
    int64_t bytes = array.number.size;
    for (int64_t size : array.shape) {
        if (__builtin_mul_overflow(bytes, size, &bytes)) return -1;
    }
    return bytes;
}

/// The payload has exactly the size that the header states.
bool check_sizes(const std::string& path, const FileArray& array, const DataFile& file, Error& error) {
    std::string shape = shape_text(array.shape.data(), int(array.shape.size()));
    int64_t bytes = promised_bytes(array), has = int64_t(array.payload.size());
    if (array.shape.empty()) return error.fail(path, ": error: it has a single number and no rows");
    if (bytes < 0) return error.fail(path, ": error: the sizes in its header are invalid: ", shape);
    if (bytes == 0) return error.fail(path, ": error: it has no rows: ", shape);
    if (bytes == has) return true;
    return error.fail(path, bytes > has ? ": error: truncated: " : ": error: too many bytes: ", shape, " takes ", bytes,
                      " bytes after the header, the file has ", file.cut ? "more" : integer(has));
}

bool check_shape(const std::string& path, const FileArray& array, const Column& column, Error& error) {
    int rank = int(array.shape.size());
    bool agrees = rank == column.entry_rank() + 1;
    for (int axis = 0; agrees && axis < column.entry_rank(); axis++) {
        agrees = array.shape[size_t(axis) + 1] == column.entry_shape()[axis];
    }
    if (column.any_shape) agrees |= element_count(array.shape.data() + 1, rank - 1) == column.entry_elements;
    return agrees || error.fail(path, ": error: holds ", shape_text(array.shape.data(), rank), ", but ",
                                column.field->name, " wants [rows", column.entry_rank() > 0 ? ", " : "",
                                shape_text(column.entry_shape(), column.entry_rank()).substr(1));
}

bool bytes_in_range(const std::string& path, const FileArray& array, const Column& column, Error& error) {
    const gradc_field& field = *column.field;
    if (field.low > field.high || (field.low <= 0 && field.high >= 255)) return true;
    for (size_t i = 0; i < array.payload.size(); i++) {
        int value = static_cast<unsigned char>(array.payload[i]);
        if (value >= field.low && value <= field.high) continue;
        return error.fail(path, ':', int64_t(i) / column.entry_elements + 1, ':',
                          int64_t(i) % column.entry_elements + 1, ": error: ", field.name, " is ", value, ", not in ",
                          field.low, "..", field.high);
    }
    return true;
}

/// Takes bytes that the column can use as they are: those of the first file stay in place, others are copied after
/// them.
bool take_bytes(const std::string& path, const FileArray& array, Column& column, DataFile& source, Error& error) {
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (column.entries == 0) {
        if (!source.packed) return column.map(std::move(source.file), payload, rows, column.entry_bytes(), false), true;
        column.entries = rows;
        auto header = payload - source.inflated.data();
        column.owned = std::move(source.inflated);
        column.owned.erase(column.owned.begin(), column.owned.begin() + header);
        return true;
    }
    if (!column.make_room((column.mapped.empty() ? 0 : column.entries) + rows, path, error)) return false;
    if (!column.own(path, error)) return false;
    memcpy(column.grow(rows), payload, array.payload.size());
    return true;
}

/// Appends the array to the column.
bool take(const std::string& path, const FileArray& array, Column& column, DataFile& source, Error& error) {
    if (!check_shape(path, array, column, error)) return false;
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (array.number.size == 1 && array.number.kind == 'u' && column.field->stored == GRADC_U8) {
        return bytes_in_range(path, array, column, error) && take_bytes(path, array, column, source, error);
    }
    if (!column.make_room(rows, path, error)) return false;
    unsigned char* at = column.grow(rows);
    int64_t size = element_size(column.field->stored);
    std::string problem;
    for (int64_t i = 0; i < rows * column.entry_elements; i++) {
        double number = read_number(payload + i * array.number.size, array.number);
        if (store_checked(*column.field, number, at + i * size, problem)) continue;
        return error.fail(path, ':', i / column.entry_elements + 1, ':', i % column.entry_elements + 1,
                          ": error: ", column.field->name, ' ', problem);
    }
    return true;
}

} // namespace

bool open_array(ParseArray* parse, const std::string& path, DataFile& file, FileArray& array, Error& error) {
    static constexpr size_t head = 1 << 17; // more than a header takes
    auto parsed = [&] {
        array = {};
        if (file.bytes().empty()) return error.fail(path, ": error: the file is empty");
        return parse(path, file.bytes(), array, error);
    };
    if (!file.open(path, error, head) || !parsed()) return false;
    int64_t bytes = promised_bytes(array);
    if (file.cut && bytes >= int64_t(array.payload.size())) {
        size_t before = file.bytes().size() - array.payload.size();
        if (!file.inflate(before + size_t(bytes) + 1, error) || !parsed()) return false;
    }
    return check_sizes(path, array, file, error);
}

bool find_array_facts(ParseArray* parse, const std::string& path, DataFile& file, FileFacts& facts, Error& error) {
    FileArray array;
    if (!open_array(parse, path, file, array, error)) return false;
    facts.shape = array.shape;
    const auto* numbers = reinterpret_cast<const unsigned char*>(array.payload.data());
    for (int64_t i = 0; i < array.count(); i++) {
        facts.take(read_number(numbers + i * array.number.size, array.number));
    }
    return true;
}

bool read_array_columns(ParseArray* parse, const std::string& path, const std::vector<Column*>& columns, Error& error) {
    for (Column* column : columns) {
        DataFile file;
        FileArray array;
        if (!open_array(parse, path, file, array, error) || !take(path, array, *column, file, error)) return false;
    }
    return true;
}

} // namespace gradc::runtime
